"""SubRip and WebVTT: cues in the two formats players read."""

from __future__ import annotations

import re

from transcriber.datatypes import Session
from transcriber.documents.cues import Cue, Layout, cues
from transcriber.documents.words import clean
from transcriber.timecode import stamp

# SubRip and WebVTT's notes have no escapes, but players obey tags and "{\\an8}": look-alikes keep such text text.
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›"})
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def srt(session: Session, layout: Layout) -> str:
    """The transcript as SubRip."""
    found = cues(session.transcript, layout)
    return "\n".join(f"{number}\n{_times(cue, ',')}\n{_srt_text(cue)}\n" for number, cue in enumerate(found, 1))


def vtt(session: Session, layout: Layout) -> str:
    """The transcript as WebVTT; who speaks, where known, stands in voice tags."""
    found = cues(session.transcript, layout)
    note = clean(f"{session.plan.title} | recording {session.transcript.recording.file}").translate(_LOOKALIKES)
    blocks = ["WEBVTT\n", f"NOTE\n{note}\n", *(f"{_times(cue, '.')}\n{_vtt_text(cue)}\n" for cue in found)]
    return "\n".join(blocks)


def _times(cue: Cue, decimal: str) -> str:
    return f"{stamp(cue.start_ms / 1000, decimal=decimal)} --> {stamp(cue.end_ms / 1000, decimal=decimal)}"


def _srt_text(cue: Cue) -> str:
    return re.sub(r"\{(?=\\)", "(", "\n".join(cue.lines)).translate(_LOOKALIKES)


def _vtt_text(cue: Cue) -> str:
    text = "\n".join(cue.lines).translate(_VTT_ESCAPES)
    return f"<v {cue.speaker.translate(_VTT_ESCAPES)}>{text}" if cue.speaker else text
