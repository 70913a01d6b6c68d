"""Does the recorder keep every sound it accepted? Faults at random points, against a simulated microphone.

    python benchmarks/capture_faults.py                       a short round of everything, about 16 minutes
    python benchmarks/capture_faults.py --scale 10 --only kills      ten times as many points of one fault

The microphone plays noise by the machine's clock, so each stretch of the files shows to the sample when it was
played: what is lost and how far the files' time is off are measured on the sound itself. Prints one line per fault,
and the seed. Linux only; needs cc and libasound2-dev, and root for the disk faults.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "capture")]

from microphone import RATE_HZ, Microphone, build  # noqa: E402

from transcriber import recordings  # noqa: E402
from transcriber.capture import live  # noqa: E402
from transcriber.capture.clock import now  # noqa: E402
from transcriber.capture.request import Request  # noqa: E402
from transcriber.capture.supervisor import Supervisor, wait  # noqa: E402
from transcriber.datatypes import Recording  # noqa: E402
from transcriber.errors import StorageError  # noqa: E402
from transcriber.journal import read  # noqa: E402

PLAYED_SECONDS = 660
COMMANDS = PROJECT / "tests" / "capture" / "commands.py"


@dataclass
class Bench:
    """The room everything happens in."""

    mic: Microphone
    work: Path
    dice: random.Random
    scale: float
    n_devices: int = 0

    def times(self, count: int) -> int:
        return max(1, round(count * self.scale))

    def device(self, **keys: object) -> tuple[str, Path]:
        """A microphone of its own that plays from the start, and the file that says when it started."""
        self.n_devices += 1
        since = self.work / f"since-{self.n_devices}"
        return self.mic.add(f"mic{self.n_devices:03}x", since=since, **keys), since

    def folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.work)) / "session"


@dataclass
class Take:
    """A take under the supervisor's eye in a thread, as `record` does it."""

    bench: Bench
    request: Request
    since: Path
    error: BaseException | None = None
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor.start(self.request)
        self._thread = threading.Thread(target=self._look_after)
        self._thread.start()
        self.until(lambda: self.live is not None and self.live.heard is not None)

    def _look_after(self) -> None:
        try:
            wait(self.supervisor)
        except BaseException as error:
            self.error = error

    @property
    def live(self) -> live.Live | None:
        return self.supervisor.live

    def until(self, true: Callable[[], bool], *, limit: float = 30.0) -> float:
        """Wait; gives the moment."""
        deadline = now() + limit
        while not true():
            if now() > deadline or not self._thread.is_alive():
                raise AssertionError(f"it never came: {self.live} {self.error}")
            time.sleep(0.01)
        return now()

    def end(self) -> Recording:
        self.supervisor.stop()
        self._thread.join(30)
        if self.error is not None:
            raise self.error
        return recordings.load(self.request.folder)

    def joined(self, limit: float) -> None:
        self._thread.join(limit)

    def played_at(self, moment: float) -> float:
        """What second of the noise was played at this moment."""
        return moment - float(self.since.read_text())


def pcm(path: Path) -> bytes:
    with wave.open(str(path)) as reader:
        return reader.readframes(10**9)


def stretches(bench: Bench, recording: Recording) -> list[tuple[float, float, float]]:
    """(start, end, error) of the sound between gaps in file time; fails unless each is exactly what was played."""
    data = b"".join(pcm(Path(segment.path)) for segment in recording.segments)
    found, start = [], 0
    borders = [(round(gap.start * RATE_HZ), round(gap.end * RATE_HZ)) for gap in recording.gaps]
    for stop, following in [*borders, (len(data) // 2, 0)]:
        assert not any(data[2 * stop : 2 * following]), "a gap holds sound"
        if stop > start:
            shift = bench.mic.shift(data[2 * start : 2 * stop], start)
            found.append((start / RATE_HZ, stop / RATE_HZ, shift / RATE_HZ))
        start = following
    return found


def worst(values: list[float]) -> str:
    return f"worst {max(values):.3f}, median {statistics.median(values):.3f}"


# ---- the faults; each gives its figures in words, and fails with AssertionError


def kills(bench: Bench) -> str:
    """kill -9 of the capture process at random points"""
    lost: list[float] = []
    again: list[float] = []
    errors: list[float] = []
    copies: list[tuple[Path, int]] = []

    def one(n_kills: int, name: str, since: Path) -> None:
        take = Take(bench, Request(folder=bench.folder(), device=name), since)
        killed: list[float] = []
        for _ in range(n_kills):
            time.sleep(bench.dice.uniform(0.4, 2.7))
            assert take.live is not None
            pid = take.live.pid
            killed.append(take.played_at(now()))
            os.kill(pid, signal.SIGKILL)
            newest = recordings.segment_paths(take.request.folder)[-1]
            copies.append((Path(shutil.copy(newest, bench.work / f"copy-{bench.dice.randrange(10**9)}.wav")), 0))
            take.until(lambda pid=pid: take.live.pid != pid and take.live.heard is not None)  # type: ignore[misc]
        recording = take.end()
        found = stretches(bench, recording)
        assert len(found) == n_kills + 1, f"{len(found)} stretches after {n_kills} kills"
        for moment, (_, end, error), (start, _, next_error) in zip(killed, found, found[1:], strict=False):
            lost.append(moment - (end - error))
            again.append(start - next_error - moment)
        errors.extend(abs(error) for _, _, error in found)

    total = bench.times(20)
    with ThreadPoolExecutor(3) as pool:
        while len(lost) < total:
            places = [bench.device() for _ in range(3)]
            takes = [pool.submit(one, min(20, -(-total // 3)), name, since) for name, since in places]
            for take in takes:
                take.result()
    readers = every_reader([path for path, _ in copies])
    assert max(lost) <= 0.3, f"lost {worst(lost)}"
    assert max(again) <= 1.5, f"again {worst(again)}"
    return (
        f"{len(lost)} kills: lost {worst(lost)} s; recording again after {worst(again)} s; "
        f"time off by {worst(errors)} s; every file read alike by {readers}"
    )


def every_reader(paths: list[Path]) -> str:
    """Files as a kill left them, not closed: all readers must find all whole frames."""
    import av

    names = ["wave", "PyAV"]
    with contextlib.suppress(ImportError):
        import soundfile

        names.append("soundfile")
    if shutil.which("ffprobe"):
        names.append("ffprobe")
    for path in paths:
        n_frames = (path.stat().st_size - 44) // 2
        assert len(pcm(path)) == 2 * n_frames, path
        with av.open(str(path)) as container:
            assert sum(frame.samples for frame in container.decode(audio=0)) == n_frames, path
        if "soundfile" in names:
            assert len(soundfile.read(path, dtype="int16")[0]) == n_frames, path
        if "ffprobe" in names:
            subprocess.run(["ffprobe", "-v", "error", path], check=True, capture_output=True)
    return ", ".join(names)


def terminals(bench: Bench) -> str:
    """kill -9 of `record` itself, taken back with --attach"""
    name, _ = bench.device()
    folder = bench.work / "recordings" / f"s{bench.dice.randrange(10**9)}"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TRANSCRIBER_HOME": str(bench.work)}
    words = [folder.name, "--device", name]
    count = bench.times(10)
    for _ in range(count):
        record = [sys.executable, COMMANDS, "record", *words, "--plain"]
        process = subprocess.Popen(record, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while (found := live.read_live(folder)) is None or found.heard is None:
            time.sleep(0.02)
        time.sleep(bench.dice.uniform(0.2, 1.5))
        process.kill()
        process.wait()
        words = [folder.name, "--attach"]
    supervisor = Supervisor.attach(folder)
    supervisor.stop()
    wait(supervisor)
    recording = recordings.load(folder)
    ((_, end, _),) = stretches(bench, recording)
    return f"{count} kills: 0 frames lost, {end:.1f} s bit-exact in one piece"


def unplugs(bench: Bench) -> str:
    """unplugged for 2 s and 60 s"""
    gone = bench.work / "gone"
    seen, again, errors = [], [], []
    waits = [2.0] * bench.times(3) + [60.0] * (bench.scale >= 1)
    name, since = bench.device(gone_file=gone)
    take = Take(bench, Request(folder=bench.folder(), device=name), since)
    for away in waits:
        time.sleep(bench.dice.uniform(1.0, 2.0))
        gone.touch()
        unplugged = now()
        seen.append(take.until(lambda: take.live is not None and take.live.state == "waiting") - unplugged)
        time.sleep(max(0.0, unplugged + away - now()))
        gone.unlink()
        plugged = take.played_at(now())
        take.until(lambda: take.live is not None and take.live.state == "recording")
        again.append(plugged)
    time.sleep(1.0)
    found = stretches(bench, take.end())
    assert len(found) == len(waits) + 1
    again = [start - error - plugged for plugged, (start, _, error) in zip(again, found[1:], strict=True)]
    errors = [abs(error) for _, _, error in found]
    assert max(seen) <= 2.0, worst(seen)
    assert max(again) <= 1.0, worst(again)
    assert max(errors) <= 0.05, worst(errors)
    return (
        f"{len(waits)} times: seen after {worst(seen)} s, recording again after {worst(again)} s, "
        f"time off by {worst(errors)} s"
    )


def stalls(bench: Bench) -> str:
    """the driver stalls for 0.3, 1 and 3 s"""
    words = []
    for length_ms in (300, 1000, 3000):
        errors, n_gaps = [], 0
        for _ in range(bench.times(2)):
            name, since = bench.device(stall_ms=bench.dice.randrange(1500, 2500), stall_len_ms=length_ms)
            take = Take(bench, Request(folder=bench.folder(), device=name), since)
            time.sleep(4.5 + length_ms / 1000)
            recording = take.end()
            n_gaps += len(recording.gaps)
            errors += [abs(error) for _, _, error in stretches(bench, recording)]
        assert max(errors) <= 0.02, worst(errors)
        words.append(f"{length_ms / 1000} s: {n_gaps} gap(s), time off by {worst(errors)} s")
    return "; ".join(words)


def servers(bench: Bench) -> str:
    """a PulseAudio server frozen for 3 and 12 s"""
    if shutil.which("pulseaudio") is None or shutil.which("paplay") is None:
        return "skipped: it needs pulseaudio, pulseaudio-utils and libasound2-plugins"
    words = []
    for frozen in (3.0, 12.0):
        with pulse_server(bench) as server:
            request = Request(folder=bench.folder(), device="server", channels=1, rate_hz=RATE_HZ)
            take = Take(bench, request, bench.work)
            play = ["paplay", "--raw", f"--rate={RATE_HZ}", "--channels=1", "--format=s16le", "--latency-msec=40000"]
            player = subprocess.Popen([*play, "-d", "ci", bench.mic.home / "mic.raw"])
            time.sleep(5.0)
            server.send_signal(signal.SIGSTOP)
            time.sleep(frozen)
            server.send_signal(signal.SIGCONT)
            time.sleep(8.0)
            recording = take.end()
            player.kill()
            player.wait()
        data = b"".join(pcm(Path(segment.path)) for segment in recording.segments)
        places = range(4 * RATE_HZ, len(data) - 64, RATE_HZ // 5)  # in bytes, ten a second
        found = [(at, bench.mic.played.find(data[at : at + 64])) for at in places]
        lags = [at - place for at, place in found if place >= 0]
        error = max(abs(lag - lags[0]) for lag in lags) / 2 / RATE_HZ
        lost = sum(gap.end - gap.start for gap in recording.gaps)
        assert error <= 0.02, error
        assert recording.gaps or bytes(RATE_HZ // 50) not in data.lstrip(b"\0"), "a silent gap"
        words.append(f"{frozen:.0f} s: {lost:.1f} s lost in {len(recording.gaps)} gap(s), time off by {error:.3f} s")
    return "; ".join(words)


@contextlib.contextmanager
def pulse_server(bench: Bench) -> Iterator[subprocess.Popen[bytes]]:
    place = Path(tempfile.mkdtemp(dir=bench.work))
    os.environ.update(PULSE_RUNTIME_PATH=str(place), PULSE_SERVER=f"unix:{place}/native")
    script = place / "ci.pa"
    script.write_text(
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={place}/native\n"
        f"load-module module-null-sink sink_name=ci rate={RATE_HZ} format=s16le channels=1\n"
    )
    bench.mic.devices["server"] = 'type pulse device "ci.monitor"'
    bench.mic.add("unused")
    options = ["-n", "-F", script, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    server = subprocess.Popen(["pulseaudio", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(2.0)
        yield server
    finally:
        server.kill()
        server.wait()
        del bench.mic.devices["server"]
        bench.mic.add("unused")


def hangs(bench: Bench) -> str:
    """killed while the driver hangs: its start does not return for 12 s"""
    hung = bench.work / "hung"
    name, since = bench.device(hang_file=hung)
    take = Take(bench, Request(folder=bench.folder(), device=name), since)
    time.sleep(1.0)
    hung.touch()
    assert take.live is not None
    pid = take.live.pid
    os.kill(pid, signal.SIGKILL)
    time.sleep(12.0)
    hung.unlink()
    freed = take.played_at(now())
    take.until(lambda: take.live is not None and take.live.state == "recording" and take.live.pid != pid)
    time.sleep(1.0)
    found = stretches(bench, take.end())
    start, _, error = found[-1]
    return f"recording again {start - error - freed:.2f} s after it let go, time off by {abs(error):.3f} s"


@contextlib.contextmanager
def small_disk(bench: Bench, kind: str, n_bytes: int) -> Iterator[Path]:
    disk = bench.work / f"disk-{bench.dice.randrange(10**9)}"
    disk.mkdir()
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", disk], check=True)
    else:
        image = disk.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(n_bytes)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def full_disks(bench: Bench) -> str:
    """the disk fills up: by the take itself, and by another program"""
    words = []
    for kind, n_bytes in (("tmpfs", 2 << 20), ("ext4", 8 << 20)):
        for other in (False, True):
            with small_disk(bench, kind, n_bytes) as disk:
                name, since = bench.device()
                take = Take(bench, Request(folder=disk / "session", device=name), since)
                time.sleep(2.0)
                filled = now()
                if other:
                    with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as file:
                        while True:
                            file.write(bytes(4096))
                take.joined(120)
                ended = take.played_at(now())
                assert isinstance(take.error, StorageError), take.error
                recording = recordings.load(disk / "session")
                ((_, end, _),) = stretches(bench, recording)
                assert take.live is not None
                assert recording.n_samples == take.live.frames
                assert not any(recordings.wav_format(Path(part.path)).is_open for part in recording.segments)
                assert ended - end < 2.0, ended - end
                after = (
                    f"{end - take.played_at(filled):.1f} s more after another program filled it" if other else "alone"
                )
                words.append(f"{kind} {after}: {end:.1f} s kept, ended {ended - end:.2f} s after the last sound")
    return "; ".join(words)


def power_cuts(bench: Bench) -> str:
    """power cut: ext4 shut down without a sync, mounted again"""
    import fcntl
    import struct

    lost, count = [], bench.times(3)
    for _ in range(count):
        with small_disk(bench, "ext4", 64 << 20) as disk:
            name, since = bench.device()
            take = Take(bench, Request(folder=disk / "session", device=name), since)
            time.sleep(bench.dice.uniform(2.0, 8.0))
            handle = os.open(disk, os.O_RDONLY)
            cut = take.played_at(now())
            fcntl.ioctl(handle, 0x8004587D, struct.pack("I", 2))  # EXT4_IOC_SHUTDOWN, nothing more reaches the disk
            os.close(handle)
            take.joined(30)
            assert take.live is not None
            with contextlib.suppress(ProcessLookupError):
                os.kill(take.live.pid, signal.SIGKILL)
            time.sleep(0.3)
            assert isinstance(take.error, StorageError), take.error
            subprocess.run(["umount", disk], check=True)
            subprocess.run(["mount", "-o", "loop", disk.with_suffix(".img"), disk], check=True)
            recording = recordings.load(disk / "session")
            ((_, end, _),) = stretches(bench, recording)
            assert recording.started_at is not None, "the journal is lost"
            lost.append(cut - end)
    assert max(lost) <= 1.1, worst(lost)
    return f"{count} cuts: lost {worst(lost)} s; the journal's start is there"


def loads(bench: Bench) -> str:
    """a take beside twice as many busy processes as cores, and a program that holds the GIL for 1 s at a time"""
    duration = min(600.0, 60.0 * bench.scale)
    n_busy = 2 * (os.cpu_count() or 1)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: sum(range(10**6))"]) for _ in range(n_busy)]
    name, since = bench.device()
    take = Take(bench, Request(folder=bench.folder(), device=name, duration=duration, segment_seconds=120), since)
    try:
        deadline = now() + duration + 30
        while take.supervisor.live is not None and take.supervisor.live.state != "ended" and now() < deadline:
            sum(range(5 * 10**7))  # one call that keeps this process's other threads from running
            time.sleep(0.5)
    finally:
        for process in busy:
            process.kill()
    take.joined(30)
    recording = recordings.load(take.request.folder)
    ((_, end, _),) = stretches(bench, recording)
    return f"{end:.0f} s beside {n_busy} busy processes: 0 frames lost, bit-exact"


def soak(bench: Bench) -> str:
    """eight hours of sound, faster than they pass

    The driver's ring holds 0.7 s of the machine's time at this pace, and the clock cannot see a loss: leave it idle.
    """
    speed = 60
    name, since = bench.device(loop=1, ppm=(speed - 1) * 1_000_000)
    duration = 3600.0 * (8 if bench.scale >= 1 else 1)
    request = Request(folder=bench.folder(), device=name, duration=duration, latency=40.0)
    take = Take(bench, request, since)
    sizes: list[int] = []
    while take.live is not None and take.live.state != "ended":
        with contextlib.suppress(OSError, IndexError):
            status = Path(f"/proc/{take.live.pid}/status").read_text()
            sizes.append(int(status.split("VmRSS:")[1].split()[0]))
        time.sleep(0.5)
    take.joined(30)
    recording = recordings.load(request.folder)
    same, at = True, 0
    for segment in recording.segments:
        data = pcm(Path(segment.path))
        while data and same:
            part = bench.mic.played[at : at + len(data)]
            same = data[: len(part)] == part
            data, at = data[len(part) :], (at + len(part)) % len(bench.mic.played)
    settled = sizes[len(sizes) // 10 :]
    growth = (max(settled) - settled[0]) / 1024
    hours = (recording.n_samples or 0) / RATE_HZ / 3600
    assert not recording.gaps, recording.gaps
    events = read(request.folder / recordings.EVENTS)
    overflows = max(event.get("overflows", 0) for event in events)
    restarts = sum(event["event"] == "resume" for event in events)
    assert same, f"the files differ from what was played before frame {at}: {overflows} overflows, {restarts} restarts"
    assert growth <= 20, growth
    return (
        f"{hours:.1f} h at {speed} times their pace: {len(recording.segments)} files, bit-exact over their borders; "
        f"memory {settled[0] / 1024:.0f} MB, growth {growth:.1f} MB"
    )


def journals(bench: Bench) -> str:
    """the journal cut, flipped, or with lines doubled and moved"""
    name, since = bench.device()
    take = Take(bench, Request(folder=bench.folder(), device=name, segment_seconds=0.5), since)
    for label in "abc":
        time.sleep(0.7)
        live.send(take.request.folder, {"event": "marker", "label": label})
    whole = take.end()
    path = take.request.folder / recordings.EVENTS
    good = path.read_bytes()
    count = bench.times(1000)
    for _ in range(count):
        path.write_bytes(damaged(good, bench.dice))
        found = recordings.load(take.request.folder)
        assert (found.n_samples, found.segments) == (whole.n_samples, whole.segments)
        assert found.markers == whole.markers[: len(found.markers)]
    path.write_bytes(good)
    return f"{count} damaged journals: 0 crashes, the sound always in full, events up to the damage"


def damaged(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    place = dice.randrange(len(data))
    kind = dice.choice(["cut", "flip", "double", "move"])
    if kind == "cut":
        return data[:place]
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
    line = lines[dice.randrange(len(lines))]
    if kind == "move":
        lines.remove(line)
    lines.insert(dice.randrange(len(lines) + 1), line)
    return b"".join(lines)


FAULTS: dict[str, Callable[[Bench], str]] = {
    fault.__name__: fault
    for fault in (kills, terminals, unplugs, stalls, servers, hangs, full_disks, power_cuts, loads, soak, journals)
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--scale", type=float, default=1.0, help="how many points, against the short round")
    parser.add_argument("--only", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    given = parser.parse_args()
    print(f"seed {given.seed}, scale {given.scale:g}, {os.cpu_count()} cores", flush=True)
    n_failed = 0
    with tempfile.TemporaryDirectory(prefix="capture-faults-") as place:
        home = Path(place) / "home"
        home.mkdir()
        mic = build(home, duration=PLAYED_SECONDS)
        if isinstance(mic, str):
            print(f"skipped: {mic}")
            return 0
        os.environ.update(HOME=str(home), XDG_CONFIG_HOME=str(home / "config"))
        for name in given.only:
            bench = Bench(mic=mic, work=Path(place), dice=random.Random(f"{given.seed} {name}"), scale=given.scale)
            bench.n_devices = 100 * list(FAULTS).index(name)
            began = now()
            try:
                figures = FAULTS[name](bench)
            except Exception as error:  # one fault that fails must not hide the others
                n_failed += 1
                traceback.print_exc()
                figures = f"FAILED: {type(error).__name__}: {error}"
            title = (FAULTS[name].__doc__ or name).strip().splitlines()[0]
            print(f"| {title} | {figures} | {now() - began:.0f} s |", flush=True)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
