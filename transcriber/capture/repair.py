"""Closes what a crash left open. Doing it again changes nothing; files of others are not touched."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from transcriber import journal, recordings
from transcriber.capture.segments import Reserve, seal_left
from transcriber.errors import BusyError, InputError, TranscriberError
from transcriber.workspace import session_lock


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """`sealed` is what was closed now, (file, frames); `foreign` are files that only look like the recorder's."""

    sealed: tuple[tuple[str, int], ...]
    foreign: tuple[str, ...]


def repair(folder: Path) -> Repaired:
    """Close the session's open files and note it. Raises InputError, BusyError (it is being recorded), StorageError."""
    if not recordings.is_session(folder):
        raise InputError(f"{folder} is not a recorded session.", hint="Name a folder that `record` made.")
    try:
        with session_lock(folder, doing="repair"):
            return close_session(folder, why="repair")
    except BusyError as error:
        raise BusyError(
            f"{folder} is being recorded: nothing to repair.", hint=f"Stop it first with: record --stop {folder.name}"
        ) from error


def repair_left(recordings_folder: Path) -> list[Path]:
    """Repair every session in this folder that a crash left open; gives those. Trouble with one is left to `repair`."""
    repaired = []
    for folder in sorted(recordings_folder.glob("*/")):
        with suppress(TranscriberError, OSError):
            if any(recordings.wav_format(path).is_open for path in recordings.segment_paths(folder)):
                repair(folder)
                repaired.append(folder)
    return repaired


def close_session(folder: Path, *, why: str) -> Repaired:
    """Close every open file and note the end if nobody did. The caller holds the session's lock."""
    repaired = seal_all(folder)
    events = [str(record.get("event")) for record in journal.read(folder / recordings.EVENTS)]
    is_broken_off = bool(events) and _last(events, "stop") < max(_last(events, "start"), _last(events, "resume"))
    if repaired.sealed or is_broken_off:
        with journal.Journal(folder / recordings.EVENTS) as notes:
            for file, n_frames in repaired.sealed:
                notes.append({"event": "sealed", "file": file, "frames": n_frames, "why": why})
            if is_broken_off:
                notes.append({"event": "stop", "why": why})
    Reserve(folder, n_bytes=0).drop()
    return repaired


def _last(events: list[str], kind: str) -> int:
    return max((index for index, event in enumerate(events) if event == kind), default=-1)


def seal_all(folder: Path) -> Repaired:
    """Close every open file of the folder. The caller holds the session's lock."""
    sealed: list[tuple[str, int]] = []
    foreign: list[str] = []
    for path in recordings.segment_paths(folder):
        try:
            n_frames = seal_left(path)
        except InputError:
            foreign.append(path.name)
            continue
        if n_frames is not None:
            sealed.append((path.name, n_frames))
    return Repaired(sealed=tuple(sealed), foreign=tuple(foreign))


def leave_nothing(folder: Path) -> None:
    """A take that never began leaves no folder."""
    with suppress(OSError):  # the disk may be what failed
        if recordings.is_session(folder):
            return
        for name in (".lock", ".reserve", ".reserve.part"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
