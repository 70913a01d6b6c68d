"""report.html: the answers first, each quote with its sound, the transcript below. One file, no network.

The template escapes every text by itself; script and style are allowed by their hashes alone, so that no other
script can run in the page even if one got in.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from transcriber.datatypes import Answer, Gap, KeyPoint, Mention, Session, Summary
from transcriber.documents import facts
from transcriber.documents.paragraphs import Block, Heading, Piece, blocks
from transcriber.documents.words import Spoken, clean, gap_note, gaps_within, joined, spoken
from transcriber.timecode import clock

if TYPE_CHECKING:
    import jinja2

_TAIL = 0.15  # s played after a quote: recognisers end words a little early
_SLACK = 0.02  # s between a quote's times and those of its words


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its sound from `start` to `stop` and its place in the transcript (a word's number)."""

    text: str
    speaker: str
    start: float
    stop: float
    time: str
    place: int | None
    context: str = ""
    also: tuple[Quote, ...] = ()
    against: tuple[Quote, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Words that stand together: all of them quoted above, or none."""

    quoted: bool
    words: tuple[Spoken, ...]


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a paragraph; `doubt` says why it should be checked, if it should."""

    doubt: str
    runs: tuple[Run, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the transcript: a heading, a gap or a paragraph, told apart by `kind`."""

    kind: str
    id: str
    start: float
    time: str
    text: str = ""
    speaker: str = ""
    language: str = ""
    passages: tuple[Passage, ...] = ()


def render(session: Session, *, audio: bytes | None) -> str:
    """The page. `audio` is an .m4a file of the transcribed stretch, whose first sample is at `recording.start`.

    Without sound the page has no player; without a summary, no answers.
    """
    words = spoken(session.transcript)
    source = session.transcript.recording
    answers = _answers(session.summary, words) if session.summary else []
    quoted = _quoted(session.summary, words) if session.summary else frozenset[int]()
    environment = _environment()
    style, script = _asset("report.css"), _asset("report.js")
    return environment.from_string(_asset("report.html.j2")).render(
        title=session.plan.title,
        occasion=facts.occasion(session),
        facts=_facts(session, words),
        answers=answers,
        rows=_rows(session, quoted),
        targets=_targets(answers),
        making=facts.making(session),
        language=session.transcript.language,
        style=_verbatim(style),
        script=_verbatim(script),
        policy=_policy(style, script),
        sound=_verbatim(base64.b64encode(audio).decode("ascii")) if audio else "",
        offset=source.start,
        duration=source.duration,
        begins=clock(source.start),
        ends=clock(source.start + source.duration),
    )


# ---- the answers


def _answers(summary: Summary, words: Sequence[Spoken]) -> list[tuple[Answer, str, str, list[Quote]]]:
    """Each answer with its verdict in words, its reach and its quotes."""
    return [
        (
            answer,
            facts.VERDICTS[answer.verdict],
            facts.reach(answer),
            [_quote(point, words) for point in answer.key_points or answer.closest],
        )
        for answer in summary.answers
    ]


def _quote(point: KeyPoint, words: Sequence[Spoken]) -> Quote:
    inside = _inside(point, words)
    return Quote(
        text=point.text,
        speaker=point.speaker or "",
        start=point.start,
        stop=_stop(point, inside, words),
        time=clock(point.start),
        place=inside[0] if inside else None,
        context=point.context,
        also=tuple(_mention(mention, words) for mention in point.also),
        against=tuple(_mention(mention, words) for mention in point.against),
    )


def _mention(mention: Mention, words: Sequence[Spoken]) -> Quote:
    inside = _inside(mention, words)
    return Quote(
        text=mention.text,
        speaker=mention.speaker or "",
        start=mention.start,
        stop=_stop(mention, inside, words),
        time=clock(mention.start),
        place=inside[0] if inside else None,
    )


def _inside(passage: KeyPoint | Mention, words: Sequence[Spoken]) -> list[int]:
    """The numbers of a passage's words."""
    segments = set(passage.segment_ids) if isinstance(passage, KeyPoint) else set()
    return [
        number
        for number, word in enumerate(words)
        if passage.start - _SLACK <= word.start
        and word.end <= passage.end + _SLACK
        and (not segments or word.segment_id in segments)
    ]


def _stop(passage: KeyPoint | Mention, inside: Sequence[int], words: Sequence[Spoken]) -> float:
    """Where the sound of a passage stops: a little after its last word, and before the next one."""
    following = inside[-1] + 1 if inside else len(words)
    latest = words[following].start if following < len(words) else passage.end + _TAIL
    return round(max(passage.end, min(passage.end + _TAIL, latest)), 3)


def _quoted(summary: Summary, words: Sequence[Spoken]) -> frozenset[int]:
    """The numbers of all words quoted as an answer."""
    answered = (answer for answer in summary.answers if answer.verdict != "not addressed")
    return frozenset(n for answer in answered for point in answer.key_points for n in _inside(point, words))


def _targets(answers: list[tuple[Answer, str, str, list[Quote]]]) -> frozenset[int]:
    """The numbers of the words that quotes link to."""
    quotes = [quote for *_, found in answers for quote in found]
    return frozenset(q.place for quote in quotes for q in (quote, *quote.also, *quote.against) if q.place is not None)


# ---- the transcript


def _rows(session: Session, quoted: frozenset[int]) -> list[Row]:
    rows = [_row(block, anchor=f"t{at}", quoted=quoted) for at, block in enumerate(blocks(session))]
    named = pairwise([None, *rows])  # who goes on speaking is named once
    return [replace(row, speaker="") if last and last.speaker == row.speaker else row for last, row in named if row]


def _row(block: Block, *, anchor: str, quoted: frozenset[int]) -> Row:
    row = Row(kind="heading", id=anchor, start=block.start, time=clock(block.start))
    if isinstance(block, Heading):
        return replace(row, text=block.title)
    if isinstance(block, Gap):
        note = gap_note(block)
        return replace(row, kind="gap", text=f"{note} ({block.cause})" if clean(block.cause) else note)
    passages = tuple(_passage(piece, quoted) for piece in block.pieces)
    return replace(row, kind="paragraph", speaker=block.speaker or "", language=block.language, passages=passages)


def _passage(piece: Piece, quoted: frozenset[int]) -> Passage:
    grouped = groupby(piece.words, key=lambda word: word.number in quoted)
    runs = tuple(Run(quoted=is_quoted, words=tuple(words)) for is_quoted, words in grouped)
    return Passage(doubt=facts.flagged_words(piece.flags), runs=runs)


def _facts(session: Session, words: Sequence[Spoken]) -> list[tuple[str, str]]:
    """What a reader wants to know at first sight."""
    source = session.transcript.recording
    speakers = {word.speaker for word in words if word.speaker}
    gaps = gaps_within(session.transcript)
    doubtful = sum(bool(segment.flags) for segment in session.transcript.segments)
    found = [("Length", facts.length(source.duration)), ("Words", f"{len(joined(tuple(words)).split()):,}")]
    if speakers:
        found.append(("Voices", str(len(speakers))))
    if gaps:
        found.append(("Sound missing", facts.length(sum(gap.end - gap.start for gap in gaps))))
    if doubtful:
        found.append(("Passages to check", str(doubtful)))
    return found


# ---- the page's parts


def _environment() -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    def shown(value: object) -> object:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    return jinja2.Environment(
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


def _verbatim(text: str) -> str:
    """The page's own text, which the template must not escape."""
    from markupsafe import Markup

    return Markup(text)


def _policy(style: str, script: str) -> str:
    """What the page may load: nothing but its own style, script and sound."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "media-src data: blob:; img-src data:; base-uri 'none'; form-action 'none'"
    )
