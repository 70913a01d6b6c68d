"""`transcriber repair`: close what a crash left open."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from transcriber import recordings, workspace
from transcriber.capture.repair import repair as repair_session
from transcriber.timecode import clock

EXAMPLES = {"repair": "\b\nExamples:\n  transcriber repair panel-17h"}


def repair(session: Annotated[Path, typer.Argument(help="The session's name or folder.")]) -> None:
    """Close the sound files a crash left open. Doing it again changes nothing; files of others are not touched."""
    folder = session if session.is_dir() else workspace.recordings() / session
    repaired = repair_session(folder)
    for file, n_frames in repaired.sealed:
        rate_hz = recordings.wav_format(folder / file).rate_hz
        print(f"{file}: closed, {clock(n_frames / rate_hz)} of sound", file=sys.stderr)
    for file in repaired.foreign:
        print(f"{file}: not a file that `record` wrote, left alone", file=sys.stderr)
    if not repaired.sealed:
        print("Nothing to close.", file=sys.stderr)
    print(folder)
