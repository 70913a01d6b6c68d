"""A take on a simulated microphone: what was played is what is in the files, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from microphone import RATE_HZ, Microphone

from transcriber import journal, recordings
from transcriber.capture import live
from transcriber.capture.alarms import alarms
from transcriber.capture.clock import now
from transcriber.capture.request import Request
from transcriber.capture.supervisor import Supervisor, holder, wait
from transcriber.datatypes import Recording
from transcriber.errors import BusyError, DeviceError, StorageError, UsageError
from transcriber.timecode import seconds

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A session's folder; whatever still records into it at the end of a test is ended."""
    path = tmp_path / "recordings" / "session"
    path.parent.mkdir()
    yield path
    deadline = now() + 5
    while (pid := holder(path)) and now() < deadline:
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def until(supervisor: Supervisor, true: Callable[[], bool], *, limit: float = 10.0) -> None:
    deadline = now() + limit
    while supervisor.look() and not true():
        assert now() < deadline, f"not in time: {supervisor.live}"
        time.sleep(0.02)


def record_for(supervisor: Supervisor, duration: float) -> None:
    """Until the time line is that long."""
    until(supervisor, lambda: supervisor.live is not None and supervisor.live.elapsed >= duration, limit=duration + 10)


def stopped(supervisor: Supervisor) -> Recording:
    supervisor.stop()
    wait(supervisor)
    return recordings.load(supervisor.folder)


def pcm(path: Path) -> bytes:
    with wave.open(str(path)) as reader:
        return reader.readframes(10**9)


def sound(recording: Recording) -> bytes:
    return b"".join(pcm(Path(segment.path)) for segment in recording.segments)


def shifts(microphone: Microphone, recording: Recording) -> list[float]:
    """Of each stretch of sound between the gaps: how much later than it was played it stands, in seconds."""
    data, found, start = sound(recording), [], 0
    borders = [(round(gap.start * RATE_HZ), round(gap.end * RATE_HZ)) for gap in recording.gaps]
    for stop, following in [*borders, (len(data) // 2, 0)]:
        assert not any(data[2 * stop : 2 * following])
        found.append(microphone.shift(data[2 * start : 2 * stop], start) / RATE_HZ)
        start = following
    return found


def events(folder: Path, kind: str) -> list[dict[str, object]]:
    return [event for event in journal.read(folder / recordings.EVENTS) if event["event"] == kind]


def test_what_was_played_is_in_the_files_bit_for_bit_across_their_borders(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="room", segment_seconds=1.0, duration=4.5))
    wait(supervisor)
    recording = recordings.load(folder)
    assert [segment.n_samples for segment in recording.segments] == [RATE_HZ] * 4 + [RATE_HZ // 2]
    assert sound(recording) == microphone.played[: 9 * RATE_HZ]
    assert (recording.gaps, recording.device) == ((), "room (ALSA)")
    assert all(not recordings.wav_format(Path(segment.path)).is_open for segment in recording.segments)
    assert {event["file"] for event in events(folder, "sealed")} == {f"000{n}.wav" for n in range(1, 6)}
    assert len(events(folder, "level")) >= 4
    assert not list(folder.glob(".reserve*"))


def test_two_channels_in_24_bits_keep_every_bit(microphone: Microphone, folder: Path) -> None:
    wait(Supervisor.start(Request(folder=folder, device="stereo", bits=24, duration=1.5)))
    played = microphone.played_stereo[: int(1.5 * RATE_HZ) * 4]
    widened = b"".join(b"\0" + played[n : n + 2] for n in range(0, len(played), 2))
    assert sound(recordings.load(folder)) == widened


def test_a_growing_recording_is_read_by_every_reader_and_takes_marks(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="room"))
    record_for(supervisor, 1.5)
    reply = live.send(folder, {"event": "marker", "label": "good point"})
    live.send(folder, {"event": "phase", "kind": "discussion", "title": "Round 1"})
    time.sleep(0.2)
    growing = recordings.load(folder)
    (segment,) = growing.segments
    assert microphone.played.startswith(pcm(Path(segment.path)))
    with av.open(segment.path) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= (growing.n_samples or 0)
    assert growing.markers[0].at == pytest.approx(reply["at"])
    assert growing.markers[0].at == pytest.approx(seconds(growing.n_samples or 0, rate_hz=RATE_HZ), abs=0.5)
    assert growing.phases[0].kind == "discussion"
    wished = now()
    done = stopped(supervisor)
    assert now() - wished < 2.0
    assert microphone.played.startswith(sound(done))
    assert supervisor.live is not None
    assert seconds(done.n_samples or 0, rate_hz=RATE_HZ) > wished - (supervisor.live.heard or 0) + 1.5


def test_kill_9_of_the_recorder_costs_a_moment_and_time_stays_true(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="room"))
    for until_time in (1.3, 3.1):
        record_for(supervisor, until_time)
        assert supervisor.live is not None
        os.kill(supervisor.live.pid, signal.SIGKILL)
        killed, pid = now(), supervisor.live.pid
        until(supervisor, lambda pid=pid: supervisor.live.pid != pid and supervisor.live.heard is not None)  # type: ignore[misc, union-attr]
        assert now() - killed < 2.5
    record_for(supervisor, 5.0)
    recording = stopped(supervisor)
    assert len(recording.segments) == len(recording.gaps) + 1 == 3
    assert {gap.cause for gap in recording.gaps} == {"the recorder was restarted"}
    assert max(map(abs, shifts(microphone, recording))) < 0.05


def test_kill_9_in_the_very_first_moment_is_no_exception(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="room"))
    while not recordings.is_session(folder):
        time.sleep(0.001)
    assert supervisor._process is not None
    supervisor._process.kill()
    supervisor._process.wait()
    record_for(supervisor, 1.5)
    assert len(shifts(microphone, stopped(supervisor))) >= 1


def command(*words: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("commands.py"), *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TRANSCRIBER_HOME": str(folder.parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_sound(folder: Path, duration: float) -> None:
    deadline = now() + 10
    while (found := live.read_live(folder)) is None or found.elapsed < duration:
        assert now() < deadline, found
        time.sleep(0.02)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGHUP])
def test_the_terminal_may_die_the_take_goes_on_and_is_taken_back(
    microphone: Microphone, folder: Path, end: signal.Signals
) -> None:
    process = command("record", folder.name, "--device", "room", "--plain", folder=folder)
    wait_for_sound(folder, 0.5)
    process.send_signal(end)
    process.communicate(timeout=5)
    assert process.returncode == (129 if end == signal.SIGHUP else -9)
    wait_for_sound(folder, 1.2)
    supervisor = Supervisor.attach(folder)
    record_for(supervisor, 1.6)
    recording = stopped(supervisor)
    assert recording.gaps == ()
    assert microphone.played.startswith(sound(recording))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_closes_everything_and_says_so_in_the_exit_code(
    microphone: Microphone, folder: Path, number: signal.Signals
) -> None:
    process = command("record", folder.name, "--device", "room", "--plain", folder=folder)
    wait_for_sound(folder, 1.0)
    wished = now()
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert now() - wished < 2.0
    assert process.returncode == 128 + number
    assert out.strip() == str(folder)
    assert "no gaps" in err
    assert events(folder, "stop")
    assert holder(folder) is None


def test_an_attached_terminal_restarts_a_recorder_that_dies(microphone: Microphone, folder: Path) -> None:
    first = Supervisor.start(Request(folder=folder, device="room"))
    record_for(first, 0.7)
    second = Supervisor.attach(folder)
    record_for(second, 1.0)
    assert first._process is not None
    first._process.kill()
    first._process.wait()
    record_for(second, 3.0)
    assert len(stopped(second).gaps) == 1
    while first.look():  # it must not go on with what the other one has ended
        time.sleep(0.02)
    assert holder(folder) is None


def test_unplugged_the_same_device_is_waited_for_and_time_stays_true(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="yank"))
    record_for(supervisor, 1.2)
    microphone.unplugged.touch()
    unplugged = now()
    until(supervisor, lambda: supervisor.live is not None and supervisor.live.state == "waiting")
    assert now() - unplugged < 2.0
    assert supervisor.live is not None
    assert "no microphone" in alarms(supervisor.live, moment=now())[0].text
    assert live.send(folder, {"event": "marker", "label": "in the dark"})["at"] > 1.2
    time.sleep(0.5)
    microphone.unplugged.unlink()
    plugged = now()
    until(supervisor, lambda: supervisor.live is not None and supervisor.live.heard is not None)
    assert now() - plugged < 1.5
    record_for(supervisor, 5.0)
    recording = stopped(supervisor)
    (gap,) = recording.gaps
    assert gap.cause == "the microphone was unplugged or its driver stopped"
    assert gap.end - gap.start == pytest.approx(plugged - unplugged, abs=1.3)
    assert max(map(abs, shifts(microphone, recording))) < 0.05


def test_unplugged_for_good_the_take_can_still_be_stopped(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="yank"))
    record_for(supervisor, 0.5)
    microphone.unplugged.touch()
    until(supervisor, lambda: supervisor.live is not None and supervisor.live.state == "waiting")
    recording = stopped(supervisor)
    assert microphone.played.startswith(sound(recording))
    assert events(folder, "stop")


@pytest.mark.parametrize(("device", "n_gaps"), [("stall300", 0), ("stall1000", 1)])
def test_a_stalled_driver_loses_no_time(microphone: Microphone, folder: Path, device: str, n_gaps: int) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device=device))
    record_for(supervisor, 4.5)
    recording = stopped(supervisor)
    assert len(recording.gaps) == n_gaps
    assert max(map(abs, shifts(microphone, recording))) < 0.02


def test_a_muted_input_raises_the_alarm(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="muted"))
    record_for(supervisor, 2.2)
    assert supervisor.live is not None
    assert "muted input or a missing permission" in alarms(supervisor.live, moment=now())[0].text
    stopped(supervisor)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"device": "room", "rate_hz": 16_000}, "room .*sample rate.* takes 48000 Hz"),
        ({"device": "room", "channels": 2}, "room .*channels.* has 1 channel"),
        ({"device": "nowhere"}, "No input is called 'nowhere'. There are: .*room"),
        ({"device": "stall"}, "'stall' fits several inputs: .*stall300.*stall1000"),
    ],
)
def test_a_wrong_wish_is_refused_at_once_and_leaves_nothing(
    microphone: Microphone, folder: Path, settings: dict[str, object], says: str
) -> None:
    began = now()
    with pytest.raises(DeviceError, match=f"(?is){says}"):
        wait(Supervisor.start(Request(folder=folder, **settings)))  # type: ignore[arg-type]
    assert now() - began < 2.0
    assert not folder.exists()


def test_a_session_is_recorded_once_and_by_one(microphone: Microphone, folder: Path) -> None:
    supervisor = Supervisor.start(Request(folder=folder, device="room", duration=1.0))
    record_for(supervisor, 0.3)
    with pytest.raises(BusyError, match="already"):
        Supervisor.start(Request(folder=folder, device="room"))
    wait(supervisor)
    with pytest.raises(UsageError, match="already"):
        Supervisor.start(Request(folder=folder, device="room"))
    with pytest.raises(UsageError, match="was ended"):
        Supervisor.attach(folder)
    assert microphone.played.startswith(sound(recordings.load(folder)))


def test_a_session_that_broke_off_is_gone_on_with(microphone: Microphone, folder: Path) -> None:
    first = Supervisor.start(Request(folder=folder, device="room"))
    record_for(first, 1.0)
    assert first._process is not None
    first._process.kill()
    first._process.wait()
    second = Supervisor.attach(folder)
    record_for(second, 2.5)
    recording = stopped(second)
    assert len(recording.gaps) == 1
    assert max(map(abs, shifts(microphone, recording))) < 0.05


def test_a_full_disk_ends_the_take_loudly_and_keeps_what_was_accepted(microphone: Microphone, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        supervisor = Supervisor.start(Request(folder=disk / "session", device="room"))
        with pytest.raises(StorageError, match="disk is full"):
            wait(supervisor)
        recording = recordings.load(disk / "session")
        assert supervisor.live is not None
        assert recording.n_samples == supervisor.live.frames > 2.5 * RATE_HZ
        assert microphone.played.startswith(sound(recording))
        assert all(not recordings.wav_format(Path(segment.path)).is_open for segment in recording.segments)
        (end,) = events(disk / "session", "lost")
        assert "disk is full" in str(end["why"])
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_take_is_marked_and_stopped_from_elsewhere(microphone: Microphone, folder: Path) -> None:
    process = command("record", folder.name, "--device", "room", "--plain", "--flac", folder=folder)
    wait_for_sound(folder, 0.5)
    for words in (["--mark", "key point"], [folder.name, "--phase", "talk:Keynote"], [folder.name, "--stop"]):
        done = command("record", *words, folder=folder)
        assert done.wait(timeout=10) == 0, done.stderr
        done.communicate()
    process.communicate(timeout=5)
    assert process.returncode == 0
    recording = recordings.load(folder)
    assert [marker.label for marker in recording.markers] == ["key point"]
    assert [(phase.kind, phase.title) for phase in recording.phases] == [("talk", "Keynote")]
    assert (folder / "0001.flac").is_file()
    again = command("repair", str(folder), folder=folder)
    assert again.communicate()[1] == "Nothing to close.\n"
