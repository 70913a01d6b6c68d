"""The transcript as people read it: headings of the phases, paragraphs, and notes where sound is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from transcriber.datatypes import Gap, Phase, Session
from transcriber.documents.words import Spoken, clean, ends_sentence, gaps_within, joined, spoken

LONG_PAUSE = 2.5  # s: a new thought, or a new voice that nobody named
SHORT_PAUSE = 0.8  # s: a good place to end a paragraph that is long enough
ENOUGH_SENTENCES, MANY_SENTENCES = 4, 6
MANY_WORDS = 160  # where a recogniser gives no full stops


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Words of one paragraph that carry the same flags; no flags: nothing was doubtful."""

    flags: tuple[str, ...]
    words: tuple[Spoken, ...]

    @property
    def text(self) -> str:
        return joined(self.words)


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    start: float
    end: float
    speaker: str | None
    language: str
    pieces: tuple[Piece, ...]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of the session begins."""

    start: float
    title: str


Block = Paragraph | Heading | Gap


def blocks(session: Session) -> tuple[Block, ...]:
    """Headings, paragraphs and gaps in the order of their times; phases are those marked in the recording."""
    gaps = gaps_within(session.transcript)
    phases = _marked(session)
    borders = sorted([*((gap.start + gap.end) / 2 for gap in gaps), *(start for start, _ in phases)])
    paragraphs = [_paragraph(words) for words in _paragraph_words(spoken(session.transcript), borders)]
    headings = [Heading(start=start, title=title) for start, title in phases]
    ordered: list[tuple[float, int, Block]] = [
        *((heading.start, 0, heading) for heading in headings),
        *((gap.start, 1, gap) for gap in gaps),
        *((paragraph.start, 2, paragraph) for paragraph in paragraphs),
    ]
    ordered.sort(key=lambda entry: entry[:2])  # stable: paragraphs keep the spoken order
    return tuple(block for _, _, block in ordered)


def _marked(session: Session) -> list[tuple[float, str]]:
    """Start and title of each phase marked in the transcribed stretch; a plan's own times are only hints."""
    planned = {phase.id: phase.title for phase in session.plan.phases}
    source = session.transcript.recording
    found = []
    for phase in session.recording.phases:
        ended = phase.end is not None and phase.end <= source.start
        if phase.start is None or phase.start >= source.start + source.duration or ended:
            continue
        found.append((max(phase.start, source.start), _title(phase, planned)))
    return sorted(found, key=lambda entry: entry[0])


def _title(phase: Phase, planned: dict[str, str]) -> str:
    named = clean(phase.title) or clean(planned.get(phase.id, ""))
    return named or phase.kind.replace("-", " ").capitalize()


def _paragraph_words(words: Sequence[Spoken], borders: Sequence[float]) -> Iterator[tuple[Spoken, ...]]:
    current: list[Spoken] = []
    sentences = passed = 0
    for word in words:
        crossed = passed
        while crossed < len(borders) and borders[crossed] <= word.start:
            crossed += 1
        if current and (crossed > passed or _breaks(current, word, sentences)):
            yield tuple(current)
            current, sentences = [], 0
        passed = crossed
        current.append(word)
        sentences += ends_sentence(word.text)
    if current:
        yield tuple(current)


def _breaks(current: Sequence[Spoken], following: Spoken, sentences: int) -> bool:
    last = current[-1]
    pause = following.start - last.end
    if following.speaker != last.speaker or following.language != last.language or pause > LONG_PAUSE:
        return True
    if not ends_sentence(last.text):
        return len(current) >= MANY_WORDS and following.segment_id != last.segment_id
    return sentences >= MANY_SENTENCES or (sentences >= ENOUGH_SENTENCES and pause > SHORT_PAUSE)


def _paragraph(words: tuple[Spoken, ...]) -> Paragraph:
    pieces: list[list[Spoken]] = []
    for word in words:
        if pieces and pieces[-1][-1].flags == word.flags:
            pieces[-1].append(word)
        else:
            pieces.append([word])
    return Paragraph(
        start=words[0].start,
        end=max(word.end for word in words),
        speaker=words[0].speaker,
        language=words[0].language,
        pieces=tuple(Piece(flags=piece[0].flags, words=tuple(piece)) for piece in pieces),
    )
