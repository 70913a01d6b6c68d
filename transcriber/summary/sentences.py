"""Spoken sentences rebuilt from words, their punctuation, and the pauses between them.

A recogniser's segments end where its window or its breath ended; what people said is cut here anew. Every word of the
transcript is in exactly one sentence, and a sentence's text is its words joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from transcriber.datatypes import Gap, Phase, Segment, Sentence, Transcript, Word
from transcriber.summary.phases import phase_at

MAX_WORDS = 45
MIN_WORDS = 8  # no cut of a long stretch leaves less on either side
LONG_PAUSE = 1.6  # seconds without punctuation after which a new thought is assumed
BREATH = 0.35  # seconds below which an abbreviation is no sentence's end
CLAUSE_BONUS = 0.4  # a comma is worth this many seconds of pause when a long stretch must be cut

_END = re.compile(r"[.!?…。！？۔।]+[\"'”’»)\]]*$")
_FIRM_END = re.compile(r"[!?…。！？]+[\"'”’»)\]]*$")
_CLAUSE = re.compile(r"[,;:、，；]$")
_INITIAL = re.compile(r"^(?:[^\W\d_]\.)+$")  # "J.", "U.S.", "e.g."
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st sr jr vs etc approx dept inc ltd eq al ca cf hr mme bzw usw ggf evtl sig
    jan feb mar apr jun jul aug sep sept oct nov dec""".split()  # noqa: SIM905 (a table, not code)
)

_BEFORE_NUMBERS = frozenset({"no", "nr", "fig", "vol"})  # "No. 5", but "No. It is not."


class _Spoken(NamedTuple):
    word: Word
    segment_id: int
    speaker: str | None


def sentences(transcript: Transcript, *, phases: Sequence[Phase] = ()) -> tuple[Sentence, ...]:
    """The sentences of a transcript, in spoken order; `phases` with times give each its phase."""
    spoken = [item for segment in transcript.segments for item in _words(segment)]
    found: list[Sentence] = []
    for run in _runs(spoken, transcript.gaps):
        for piece in _split_long(run):
            sentence = _sentence(len(found), piece, phases)
            if sentence.text:
                found.append(sentence)
    return tuple(found)


def _words(segment: Segment) -> Iterator[_Spoken]:
    """A segment's words; text without word times (typed or corrected by hand) is spread evenly over its segment."""
    words = segment.words
    if not words and segment.text.strip():
        texts = segment.text.split()
        step = (segment.end - segment.start) / len(texts)
        words = tuple(
            Word(
                start=segment.start + step * n,
                end=segment.start + step * (n + 1),
                text=f" {text}",
                probability=segment.confidence,
            )
            for n, text in enumerate(texts)
        )
    for word in words:
        yield _Spoken(word, segment.id, segment.speaker)


def _runs(spoken: Sequence[_Spoken], gaps: Sequence[Gap]) -> Iterator[list[_Spoken]]:
    run: list[_Spoken] = []
    for item, following in zip_longest(spoken, spoken[1:]):
        run.append(item)
        if following is None or _breaks(item, following, gaps):
            yield run
            run = []


def _breaks(item: _Spoken, following: _Spoken, gaps: Sequence[Gap]) -> bool:
    """Whether a sentence ends between two words."""
    pause = following.word.start - item.word.end
    if item.speaker != following.speaker or pause >= LONG_PAUSE:
        return True
    if any(item.word.end <= gap.end and gap.start <= following.word.start for gap in gaps):
        return True
    text, upcoming = item.word.text.strip(), following.word.text
    if not _END.search(text):
        return False
    if _FIRM_END.search(text):
        return True
    if not upcoming[:1].isspace() and upcoming[:1].isascii():  # "3." + "5" is one number
        return False
    if _bare(text) in _BEFORE_NUMBERS:
        return not upcoming.strip()[:1].isdigit()
    if _abbreviated(text):
        return pause >= BREATH and not _INITIAL.match(text) and upcoming.strip()[:1].isupper() and len(text) > 4
    return True


def _bare(text: str) -> str:
    return text.strip("\"'“”‘’()[]").rstrip(".").lower()


def _abbreviated(text: str) -> bool:
    bare = text.strip("\"'“”‘’()[]")
    if _INITIAL.match(bare):
        return bare != "I."
    return bare.endswith(".") and bare[:-1].lower() in _ABBREVIATIONS


def _split_long(run: list[_Spoken]) -> Iterator[list[_Spoken]]:
    """A run of more than MAX_WORDS cut at its best pause, again and again; the middle wins between equals."""
    if len(run) <= MAX_WORDS:
        yield run
        return

    def worth(cut: int) -> float:
        pause = max(0.0, run[cut].word.start - run[cut - 1].word.end)
        clause = CLAUSE_BONUS if _CLAUSE.search(run[cut - 1].word.text.strip()) else 0.0
        balance = 0.2 * (1 - abs(2 * cut / len(run) - 1))
        return pause + clause + balance

    places = [cut for cut in range(MIN_WORDS, len(run) - MIN_WORDS + 1) if run[cut].word.text[:1].isspace()]
    cut = max(places or [len(run) // 2], key=worth)
    yield from _split_long(run[:cut])
    yield from _split_long(run[cut:])


def _sentence(index: int, piece: Sequence[_Spoken], phases: Sequence[Phase]) -> Sentence:
    start = piece[0].word.start
    end = max(start, max(item.word.end for item in piece))
    return Sentence(
        index=index,
        start=start,
        end=end,
        text="".join(item.word.text for item in piece).strip(),
        speaker=piece[0].speaker,
        phase=phase_at((start + end) / 2, phases),
        segment_ids=tuple(dict.fromkeys(item.segment_id for item in piece)),
    )
