"""Short sentences about a session that several documents share, in plain words."""

from __future__ import annotations

import msgspec

from transcriber.datatypes import Answer, Session, Verdict
from transcriber.documents.words import clean, gaps_within
from transcriber.timecode import clock

VERDICTS: dict[Verdict, str] = {
    "addressed": "Addressed",
    "thin": "Few strong passages – please check",
    "not addressed": "Not addressed",
}


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 voice", "3 voices"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def length(seconds: float) -> str:
    """A stretch of time in words.

    >>> length(200.4)
    '3 min 20 s'
    """
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes), f"{rest} s" * bool(rest and not hours)]
    return " ".join(part for part in parts if part) or "0 s"


def reach(answer: Answer) -> str:
    """How much was said to a question, and by how many."""
    parts = [f"{length(answer.airtime)} of talk"]
    if answer.voices:
        parts.append(counted(answer.voices, "voice"))
    return " · ".join(parts)


def occasion(session: Session) -> str:
    """When and where, as far as the plan says."""
    return " · ".join(text for text in (clean(session.plan.date), clean(session.plan.place)) if text)


def flagged_words(flags: tuple[str, ...]) -> str:
    """Why a passage should be checked."""
    return ", ".join(clean(flag).replace("-", " ").replace("_", " ") for flag in flags)


def stretch(session: Session) -> str:
    """Which part of the recording the documents cover."""
    source = session.transcript.recording
    return f"{clock(source.start)} to {clock(source.start + source.duration)} ({length(source.duration)})"


def making(session: Session) -> tuple[tuple[str, str], ...]:
    """How the documents came about, as (what, how): nothing that depends on when or where they were made."""
    transcript = session.transcript
    source = transcript.recording
    gaps = gaps_within(transcript)
    lost = sum(gap.end - gap.start for gap in gaps)
    flagged = sum(bool(segment.flags) for segment in transcript.segments)
    rows = [
        ("Recording", source.file),
        ("Recorded from", source.started_at or ""),
        ("Stretch", stretch(session)),
        ("SHA-256 of the sound", source.sha256),
        ("Sound missing", f"{length(lost)} in {counted(len(gaps), 'gap')}" if gaps else "none"),
        ("Passages to check", str(flagged) if flagged else "none"),
        ("Speech model", transcript.model),
        ("Language", transcript.language),
        ("Settings", _settings(session)),
        ("Key points by", session.summary.method if session.summary else ""),
        ("Notices", "; ".join(source.notices)),
        ("Schema", transcript.schema + (f", {session.summary.schema}" if session.summary else "")),
    ]
    return tuple((what, clean(how)) for what, how in rows if clean(how))


def _settings(session: Session) -> str:
    """The settings in effect, empty ones left out."""
    plain = msgspec.to_builtins(session.transcript.settings)
    versions = plain.pop("versions", {})
    shown = {name.replace("_", " "): value for name, value in plain.items() if value not in (None, "", [], ())}
    parts = [f"{name} {_plain(value)}" for name, value in shown.items()]
    return "; ".join([*parts, *(f"{name} {versions[name]}" for name in sorted(versions))])


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
