"""The spoken words of a transcript, one by one and safe to show: what subtitles and paragraphs are built from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from transcriber.datatypes import Gap, Segment, Transcript, Word

# Never shown: control characters (ESC and C1 steer terminals), the bidirectional controls that make text read as
# something else, byte order marks, lone surrogates and the two non-characters that no XML or UTF-8 file may hold.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile(r"\s+")

# Scripts written without spaces between words: Thai to Khmer, then Chinese, Japanese and full-width forms.
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")

_SENTENCE_END = re.compile(r"[.?!…。！？]+[\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:—–，、；：]+[\"'”’»)\]]*$")
_ABBREVIATION = re.compile(r"^(?:[A-Za-z]\.|(?:[A-Za-z]\.){2,}|(?:dr|mr|mrs|ms|prof|st|vs|approx|cf|fig)\.)$", re.I)


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """One word as it is shown: `text` is clean and bare, `spaced` tells whether a space stands before it.

    `number` counts the words of the transcript from 0.
    """

    number: int
    text: str
    spaced: bool
    start: float
    end: float
    speaker: str | None
    segment_id: int
    language: str
    flags: tuple[str, ...]


def clean(text: str) -> str:
    """The text on one line, without characters that could steer a terminal, a page or a reader's eye.

    >>> clean("so \\x1b[31mred\\n text ")
    'so [31mred text'
    """
    return _UNSAFE.sub("", _SPACES.sub(" ", text)).strip()


def spoken(transcript: Transcript) -> tuple[Spoken, ...]:
    """Every word of a transcript in spoken order."""
    words: list[Spoken] = []
    for segment in transcript.segments:
        words.extend(_of_segment(segment, first_number=len(words)))
    return tuple(words)


def _of_segment(segment: Segment, *, first_number: int) -> Iterator[Spoken]:
    number = first_number
    for word in segment.words or _spread(segment):
        text = clean(word.text)
        if not text:
            continue
        yield Spoken(
            number=number,
            text=text,
            spaced=word.text[0].isspace() or (number == first_number and not _NO_SPACES.match(text)),
            start=word.start,
            end=max(word.start, word.end),
            speaker=clean(segment.speaker or "") or None,
            segment_id=segment.id,
            language=segment.language,
            flags=segment.flags,
        )
        number += 1


def _spread(segment: Segment) -> tuple[Word, ...]:
    """Words for a segment that has only text: its time shared out by their lengths."""
    texts = re.findall(r"\s*\S+", segment.text)
    total = sum(map(len, texts)) or 1
    words, at = [], segment.start
    for text in texts:
        end = min(segment.end, at + (segment.end - segment.start) * len(text) / total)
        words.append(Word(start=at, end=end, text=text, probability=segment.confidence))
        at = end
    return tuple(words)


def joined(words: tuple[Spoken, ...]) -> str:
    """The words as running text."""
    return "".join(f"{' ' if word.spaced and at else ''}{word.text}" for at, word in enumerate(words))


def may_part(left: str, right: Spoken) -> bool:
    """Whether a line may end between a text and the word after it."""
    return right.spaced or bool(_NO_SPACES.search(left[-1:]) or _NO_SPACES.match(right.text))


def ends_sentence(text: str) -> bool:
    """Whether a word closes a sentence: "done." does, "Dr." and "e.g." do not."""
    return bool(_SENTENCE_END.search(text)) and not _ABBREVIATION.match(text)


def ends_clause(text: str) -> bool:
    return bool(_CLAUSE_END.search(text))


def gaps_within(transcript: Transcript) -> tuple[Gap, ...]:
    """The gaps that touch the transcribed stretch, in order."""
    begin = transcript.recording.start
    end = begin + transcript.recording.duration
    inside = (gap for gap in transcript.gaps if gap.end > gap.start and gap.end > begin and gap.start < end)
    return tuple(sorted(inside, key=lambda gap: (gap.start, gap.end)))


def gap_note(gap: Gap) -> str:
    """What a reader sees where sound was lost.

    >>> gap_note(Gap(start=1.0, end=2.0, cause="overflow"))
    '[audio missing 1.0 s]'
    """
    lost = gap.end - gap.start
    if lost < 0.1:
        return f"[audio missing {max(1, round(lost * 1000))} ms]"
    if lost < 60:
        return f"[audio missing {lost:.1f} s]"
    return f"[audio missing {int(lost) // 60} min {int(lost) % 60} s]"
