"""Readable segments from words: a sentence each where there are sentences, never over a long pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from transcriber.datatypes import Segment, Word

MAX_PAUSE_S = 1.0
MAX_DURATION_S = 30.0
_SENTENCE_ENDS = (".", "?", "!", "。", "？", "！", "…")
_CLOSING = "\"'”’)]»"
_ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "etc", "no", "fig", "approx", "dept", "inc", "ltd"]
)


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of one chunk, in session time, with what the segments made of them inherit."""

    words: tuple[Word, ...]
    language: str
    flags: tuple[str, ...]


def segments(passages: Iterable[Passage]) -> tuple[Segment, ...]:
    """Segments over all passages; a sentence that a chunk's border cuts is one segment."""
    return tuple(
        Segment(
            id=number,
            start=group[0][0].start,
            end=max(word.end for word, _ in group),
            text="".join(word.text for word, _ in group),
            words=tuple(word for word, _ in group),
            language=group[0][1].language,
            confidence=round(sum(word.probability for word, _ in group) / len(group), 3),
            flags=tuple(sorted({flag for _, passage in group for flag in passage.flags})),
        )
        for number, group in enumerate(_groups(passages))
    )


_Item = tuple[Word, Passage]


def _groups(passages: Iterable[Passage]) -> Iterator[list[_Item]]:
    group: list[_Item] = []
    for item in ((word, passage) for passage in passages for word in passage.words):
        if group and _breaks(group, item):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _breaks(group: list[_Item], item: _Item) -> bool:
    (last, before), (word, passage) = group[-1], item
    return (
        word.start - last.end > MAX_PAUSE_S
        or passage.language != before.language
        or passage.flags != before.flags
        or word.end - group[0][0].start > MAX_DURATION_S
        or _ends_sentence(last.text, word.text)
    )


def _ends_sentence(text: str, following: str) -> bool:
    bare = text.strip().rstrip(_CLOSING)
    if not bare.endswith(_SENTENCE_ENDS) or not following.startswith(" "):
        return False
    return bare[:-1].lower() not in _ABBREVIATIONS
