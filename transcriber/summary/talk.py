"""A session's sentences as the rankers read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transcriber.datatypes import Phase, Sentence


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said, in order. Who speaks and in which phase may be unknown (None)."""

    texts: tuple[str, ...]
    speakers: tuple[str | None, ...]
    kinds: tuple[str | None, ...]

    @classmethod
    def of(cls, sentences: Sequence[Sentence], phases: Sequence[Phase] = ()) -> Talk:
        kinds = {phase.id: phase.kind for phase in phases}
        return cls(
            tuple(item.text for item in sentences),
            tuple(item.speaker for item in sentences),
            tuple(kinds.get(item.phase) if item.phase else None for item in sentences),
        )

    def __len__(self) -> int:
        return len(self.texts)


def is_question(text: str) -> bool:
    return text.rstrip("\"'”’») ").endswith(("?", "？", "؟"))


def moderator(talk: Talk) -> str | None:
    """The speaker who most often hands the word on: takes turns, and asks in them. None where speakers are unknown."""
    if not talk.speakers or talk.speakers[0] is None:
        return None
    taken: dict[str, float] = {}
    for first, last in turns(talk.speakers):
        speaker = talk.speakers[first]
        if speaker is not None:
            asks = sum(is_question(text) for text in talk.texts[first:last])
            taken[speaker] = taken.get(speaker, 0.0) + 1 + asks
    return max(taken, key=lambda name: taken[name])


def turns(speakers: Sequence[str | None]) -> list[tuple[int, int]]:
    """Stretches (first, end) of one speaker each."""
    starts = [n for n in range(len(speakers)) if n == 0 or speakers[n] != speakers[n - 1]]
    return list(zip(starts, [*starts[1:], len(speakers)], strict=True))
