"""Puts the parts of one event on one time line, with the silence between them."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from transcriber import journal, recordings
from transcriber.capture.segments import PcmFormat, Reserve, Segment
from transcriber.datatypes import AudioFile, Recording
from transcriber.errors import InputError, UsageError
from transcriber.timecode import clock
from transcriber.workspace import make_folder, session_lock, storage_error

_LONGEST_GAP = 12 * 3600.0
_SHORTEST_GAP = 0.02


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A session, and its first frame's place on the common time line."""

    recording: Recording
    form: PcmFormat
    began: datetime
    at: int


def join(parts: list[Path], into: Path) -> Recording:
    """A new session folder that holds the parts in the order of the wall clock. Files are linked where the disk can.

    Raises InputError for parts that do not fit together, UsageError if the new session exists already.
    """
    if recordings.is_session(into) or (into.exists() and any(into.iterdir())):
        raise UsageError(f"{into} exists already.", hint="Choose another name for the joined session.")
    placed = _place([_read(folder) for folder in parts])
    make_folder(into)
    with session_lock(into, doing="join"), journal.Journal(into / recordings.EVENTS) as notes:
        _write(placed, into, notes)
    return recordings.load(into)


def _read(folder: Path) -> _Part:
    recording = recordings.load(folder)
    if recording.started_at is None:
        raise InputError(
            f"When {folder} was recorded is not known.", hint="Only sessions with their journal can be joined."
        )
    formats = [recordings.wav_format(Path(segment.path)) for segment in recording.segments]
    if any(form.is_open for form in formats):
        raise InputError(
            f"{folder} is still being recorded, or broke off.", hint=f"Stop it, or run: transcriber repair {folder}"
        )
    first = formats[0]
    form = PcmFormat(rate_hz=first.rate_hz, channels=first.channels, bits=first.bits)
    return _Part(recording=recording, form=form, began=datetime.fromisoformat(recording.started_at), at=0)


def _place(parts: list[_Part]) -> list[_Part]:
    """The parts in order of time, each with its place. Raises InputError."""
    parts = sorted(parts, key=lambda part: part.began)
    if len({part.form for part in parts}) > 1:
        forms = "; ".join(f"{part.recording.session}: {_words(part.form)}" for part in parts)
        raise InputError(f"The parts have different formats ({forms}).", hint="Record the parts with one setting.")
    rate_hz = parts[0].form.rate_hz
    placed: list[_Part] = []
    end, last = 0, parts[0].recording.session
    for part in parts:
        at = round((part.began - parts[0].began).total_seconds() * rate_hz)
        gap = (at - end) / rate_hz
        if gap < -_SHORTEST_GAP:
            raise InputError(
                f"{part.recording.session} begins {clock(-gap)} before {last} ends.",
                hint="Parts of one event follow each other; two machines' clocks may differ.",
            )
        if gap > _LONGEST_GAP:
            raise InputError(f"{clock(gap)} lie between {last} and {part.recording.session}.", hint="Is it one event?")
        at = end if gap < _SHORTEST_GAP else at
        placed.append(msgspec.structs.replace(part, at=at))
        end, last = at + (part.recording.n_samples or 0), part.recording.session
    return placed


def _words(form: PcmFormat) -> str:
    return f"{form.rate_hz} Hz, {form.channels} channel(s), {form.bits} bits"


def _write(parts: list[_Part], into: Path, notes: journal.Journal) -> None:
    first, form = parts[0].recording, parts[0].form
    notes.append(
        {
            "event": "start",
            "at": 0,
            "started_at": first.started_at,
            "device": first.device,
            "joined": [part.recording.session for part in parts],
            "rate": form.rate_hz,
            "channels": form.channels,
            "bits": form.bits,
        }
    )
    joined = _Joined(into, form, notes)
    for part in parts:
        if part.at > joined.end:
            gap = {"event": "gap", "at": joined.end, "frames": part.at - joined.end, "cause": "between two recordings"}
            notes.append(gap, sync=False)
        for segment in part.recording.segments:
            joined.add(segment, at=part.at + segment.start_sample)
        for event in _events(part.recording, shift=part.at):
            notes.append(event, sync=False)
    notes.append({"event": "stop", "at": joined.end, "why": "joined"})


class _Joined:
    """The new session as far as it is written; `end` is its length in frames."""

    def __init__(self, into: Path, form: PcmFormat, notes: journal.Journal) -> None:
        self.end = 0
        self._into = into
        self._form = form
        self._notes = notes
        self._number = 0

    def add(self, segment: AudioFile, *, at: int) -> None:
        """Put a file at its place, after silence where nothing was recorded."""
        if at > self.end:
            path = self._next()
            handle = Reserve(self._into, n_bytes=0).take(path, self._form.header())
            silence = Segment(path, self._form, at=self.end, handle=handle)
            silence.silence(at - self.end)
            silence.seal()
            self.end = at
        _link(Path(segment.path), self._next())
        self.end += segment.n_samples or 0

    def _next(self) -> Path:
        self._number += 1
        path = self._into / f"{self._number:04}.wav"
        self._notes.append({"event": "segment", "file": path.name, "at": self.end}, sync=False)
        return path


def _events(recording: Recording, *, shift: int) -> list[dict[str, Any]]:
    """A part's gaps, markers and phases on the common time line."""

    def at(time: float) -> int:
        return shift + round(time * recording.sample_rate)

    gaps = [
        {"event": "gap", "at": at(gap.start), "frames": at(gap.end) - at(gap.start), "cause": gap.cause}
        for gap in recording.gaps
    ]
    markers = [{"event": "marker", "at": at(marker.at), "label": marker.label} for marker in recording.markers]
    phases = [
        {"event": "phase", "at": at(phase.start or 0.0), "id": phase.id, "kind": phase.kind, "title": phase.title}
        for phase in recording.phases
    ]
    return [*gaps, *markers, *phases]


def _link(source: Path, target: Path) -> None:
    """The same file under a second name, or a copy where the disk has no such links. Raises StorageError."""
    try:
        with suppress(OSError):
            os.link(source, target)
            return
        _copy(source, target)
    except OSError as error:
        raise storage_error(error, target) from error


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("xb") as new:
        while data := old.read(1 << 20):
            new.write(data)
        new.flush()
        os.fsync(new.fileno())
