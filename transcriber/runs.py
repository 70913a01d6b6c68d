"""Which folder of documents and which journal belong to a run: never those of another recording or stretch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from transcriber import audio, workspace
from transcriber.datatypes import Recording

Stretch = tuple[float, float | None]  # start and end in seconds of the recording


def session_folder(recording: Recording, base: Path, *, stretch: Stretch) -> Path:
    """<base>/<session>, or <session>-2 and so on where that name is taken by another recording or stretch."""
    named = base / workspace.safe_name(recording.session)
    identity = _identity(recording, stretch)
    number = 1
    while True:
        folder = named if number == 1 else named.with_name(f"{named.name}-{number}")
        journals = list((folder / ".journal").glob("*.jsonl"))
        if not journals or any(path.name.startswith(identity) for path in journals):
            return folder
        number += 1


def journal_path(folder: Path, recording: Recording, decides: list[object], *, stretch: Stretch) -> Path:
    """The journal of this recording with just these settings; others have their own, so runs never mix."""
    key = hashlib.sha256(msgspec.json.encode([*decides, _rules()])).hexdigest()[:12]
    return folder / ".journal" / f"{_identity(recording, stretch)}-{key}.jsonl"


def _identity(recording: Recording, stretch: Stretch) -> str:
    """Names what is transcribed: the content, and the stretch of it."""
    return hashlib.sha256(f"{audio.identity(recording)} {stretch}".encode()).hexdigest()[:12]


def _rules() -> str:
    """A digest of the code that decides the words: with other code, chunks are computed anew."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in [*sorted((package / "transcription").glob("*.py")), package / "audio.py", package / "mixdown.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
