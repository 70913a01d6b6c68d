"""A session folder as one time line: `recordings/<session>/` holds 0001.wav, 0002.wav, ... and events.jsonl.

The files, one after the other, are the time line. Where sound was lost, silence of the right length is inside
them, so the time in the files is the time on the wall. The journal says what happened when; the files' true
length says how much there is: a file whose size fields are still open (0xFFFFFFFF) is being written, or was when
the recorder died, and is good up to its last whole frame.

Events are objects with `event` and, in frames of the time line, `at`:

    start    device, host_api, rate, channels, bits, started_at; zero and zero_wall say when frame 0 was heard
    resume   another recorder goes on here          lost    it ended against its will: why
    segment  a file begins                          sealed  it is closed: frames, sha256 of its sound
    gap      frames of silence for lost sound: cause
    marker   label                                  phase   kind, title, id: what begins here
    level    each second, per channel [peak, RMS, clips so far], in dBFS; overflows the driver reported, if any
    clock    each minute: zero_wall; ppm is how fast the device's clock runs
    stop     the end: why
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec

from transcriber import journal
from transcriber.datatypes import AudioFile, Gap, Marker, Phase, PhaseKind, Recording
from transcriber.errors import InputError
from transcriber.timecode import seconds

EVENTS = "events.jsonl"
HEADER_BYTES = 44
OPEN_SIZE = 0xFFFFFFFF  # of a file that is not closed yet: every reader then reads to its end
HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_SEGMENT_NAME = re.compile(r"^\d{4,6}\.wav$")


class WavFormat(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment holds; `is_open` if its size fields were never filled in."""

    rate_hz: int
    channels: int
    bits: int
    n_frames: int
    is_open: bool

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def is_session(folder: Path) -> bool:
    """Whether `record` made this folder."""
    events = folder / EVENTS
    return (events.is_file() and events.stat().st_size > 0) or bool(segment_paths(folder))


def segment_paths(folder: Path) -> list[Path]:
    """The folder's sound files in the order of time."""
    if not folder.is_dir():
        return []
    paths = (path for path in folder.iterdir() if _SEGMENT_NAME.match(path.name) and path.is_file())
    return sorted(paths, key=lambda path: int(path.stem))


def wav_format(path: Path) -> WavFormat:
    """Read a segment's header. Raises InputError if this is not a file that `record` writes."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.", hint="Check the disk it lies on.") from error
    if len(head) < HEADER_BYTES:
        raise InputError(f"{path} is cut off inside its header.", hint="Move it out of the session folder.")
    riff, riff_size, wave, fmt, fmt_size, tag, channels, rate_hz, _, frame_bytes, bits, data, data_size = HEADER.unpack(
        head
    )
    known = (riff, wave, fmt, fmt_size, tag, data) == (b"RIFF", b"WAVE", b"fmt ", 16, 1, b"data")
    if not known or bits not in (16, 24) or not channels or not rate_hz or frame_bytes != channels * bits // 8:
        raise InputError(
            f"{path} is not a file that `record` wrote.", hint="Name other media files themselves, not their folder."
        )
    is_open = OPEN_SIZE in (riff_size, data_size)
    n_bytes = size - HEADER_BYTES if is_open else min(data_size, size - HEADER_BYTES)
    return WavFormat(rate_hz=rate_hz, channels=channels, bits=bits, n_frames=n_bytes // frame_bytes, is_open=is_open)


def birth(folder: Path) -> bytes:
    """What is the same for all of a session's life and no other's: its first event, else how its sound begins."""
    with suppress(FileNotFoundError), (folder / EVENTS).open("rb") as events:
        if first := events.readline():
            return first
    with segment_paths(folder)[0].open("rb") as sound:
        sound.seek(HEADER_BYTES)  # the header changes when the file is closed
        return sound.read(1 << 16)


def load(folder: Path) -> Recording:
    """The session as it is now: while it still grows and after a crash it is good up to what is on the disk.

    Raises InputError if the folder holds no session, or files that cannot stand on one time line.
    """
    paths = [path for path in segment_paths(folder) if path.stat().st_size > HEADER_BYTES]
    events = journal.read(folder / EVENTS)
    if not paths:
        raise InputError(f"{folder} holds no recorded sound.", hint="Name a folder that `record` made.")
    formats = [wav_format(path) for path in paths]
    rates = {form.rate_hz for form in formats}
    if len(rates) > 1:
        raise InputError(
            f"The files in {folder} have different sample rates ({', '.join(map(str, sorted(rates)))} Hz).",
            hint="Leave only files of one recording in the folder.",
        )
    rate_hz = rates.pop()
    segments, holes, end = _place(paths, formats, starts=_starts(events))
    first = next((event for event in events if event.get("event") == "start"), {})
    return Recording(
        session=folder.resolve().name,
        segments=segments,
        sample_rate=rate_hz,
        n_samples=end,
        started_at=_started_at(first, events),
        device=_device(first),
        gaps=_gaps(events, holes=holes, rate_hz=rate_hz, end=end),
        markers=tuple(
            Marker(at=seconds(event["at"], rate_hz=rate_hz), label=str(event.get("label", "")))
            for event in _of(events, "marker")
        ),
        phases=_phases(events, rate_hz=rate_hz),
    )


def _of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The events of one kind that say when they happened."""
    return [event for event in events if event.get("event") == kind and isinstance(event.get("at"), int)]


def _starts(events: list[dict[str, Any]]) -> dict[str, int]:
    return {str(event.get("file")): event["at"] for event in _of(events, "segment")}


def _started_at(start: dict[str, Any], events: list[dict[str, Any]]) -> str | None:
    """When the first sample was heard: the first clock event knows it better than the start, whose block came late."""
    try:
        began = datetime.fromisoformat(start["started_at"])
    except (KeyError, TypeError, ValueError):
        return None
    clock = next((event for event in events if event.get("event") == "clock"), start)
    with suppress(KeyError, TypeError):
        late = float(start["zero_wall"]) - float(clock["zero_wall"])
        if 0 < late < 1:
            began -= timedelta(seconds=late)
    return began.isoformat(timespec="milliseconds")


def _device(start: dict[str, Any]) -> str | None:
    if not start.get("device"):
        return None
    return f"{start['device']} ({start['host_api']})" if start.get("host_api") else str(start["device"])


def _place(
    paths: list[Path], formats: list[WavFormat], *, starts: dict[str, int]
) -> tuple[tuple[AudioFile, ...], list[tuple[int, int]], int]:
    """Each file's place, the holes where a file is missing or was cut short, and the end, in samples.

    A file begins where the one before it ends, unless the journal saw it begin later.
    """
    segments: list[AudioFile] = []
    holes: list[tuple[int, int]] = []
    end = 0
    for path, form in zip(paths, formats, strict=True):
        if form.n_frames == 0:
            continue
        start = max(end, starts.get(path.name, end))
        if start > end:
            holes.append((end, start))
        segments.append(AudioFile(path=str(path), start_sample=start, n_samples=form.n_frames))
        end = start + form.n_frames
    return tuple(segments), holes, end


def _gaps(events: list[dict[str, Any]], *, holes: list[tuple[int, int]], rate_hz: int, end: int) -> tuple[Gap, ...]:
    """Lost stretches in order; what a crash made the recorder note twice becomes one."""
    noted = [
        (event["at"], event["at"] + event["frames"], str(event.get("cause", "unknown")))
        for event in _of(events, "gap")
        if isinstance(event.get("frames"), int)
    ]
    noted += [(start, stop, "a file is missing or was cut short") for start, stop in holes]
    merged: list[tuple[int, int, str]] = []
    for start, stop, cause in sorted(noted):
        start, stop = max(0, start), min(stop, end)
        if stop <= start:
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, stop, cause))
    return tuple(
        Gap(start=seconds(start, rate_hz=rate_hz), end=seconds(stop, rate_hz=rate_hz), cause=cause)
        for start, stop, cause in merged
    )


def _phases(events: list[dict[str, Any]], *, rate_hz: int) -> tuple[Phase, ...]:
    """Phases as the crew marked them: each ends where the next begins, the last one with the recording."""
    marked = sorted(_of(events, "phase"), key=lambda event: int(event["at"]))
    starts = [seconds(event["at"], rate_hz=rate_hz) for event in marked]
    ends: list[float | None] = [*starts, None][1:]
    return tuple(
        Phase(
            id=str(event.get("id") or f"p{number}"),
            kind=event["kind"] if event.get("kind") in get_args(PhaseKind) else "other",
            start=start,
            end=stop,
            title=str(event.get("title", "")),
        )
        for number, (event, start, stop) in enumerate(zip(marked, starts, ends, strict=True), start=1)
    )
