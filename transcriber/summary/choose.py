"""Which sentences stand for an answer: few, different, readable, in spoken order; and what each leans on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcriber.datatypes import Sentence
from transcriber.summary.manner import Matrix
from transcriber.summary.talk import is_question
from transcriber.summary.words import count

READABLE_WORDS = 8
SAME_POINT = 0.74  # cosine above which two sentences make one point
FAMILIAR = 0.3  # how much likeness to what is already chosen costs
NEIGHBOUR = (0.45, 0.27, 0.14)  # what standing one, two, three sentences from a chosen one costs: mostly the same point
CANDIDATES = 60
_CONTEXT_SECONDS = 20.0
_SHORT_ANSWER = re.compile(r"^(?:well,? |so,? |um,? )*(?:yes|no|yeah|nope|never|always|\d|exactly)\b|\d", re.IGNORECASE)
_LEANS_BACK = re.compile(
    r"^(?:(?:and|but|so|well|um|uh|now|because|then|yes|no|or)\W+)*"
    r"(?:it|that|this|they|these|those|he|she|which|them|one|both|neither|there)\b"
    r"|^(?:and|but|because|or|so|which|then|yes|no)\b",
    re.IGNORECASE,
)


_OBJECTS = re.compile(
    r"\b(?:disagree|don't agree|do not agree|not true|don't believe (?:it|that)|object(?:ion)? to|wrong about"
    r"|i(?:'d| would) (?:push back|contest|dispute)|on the contrary|not so sure"
    r"|i see (?:it|that) differently|with respect)\b",
    re.IGNORECASE,
)
_REPLY_REACH = 4  # sentences after a point within which a disagreement is taken to be about it


@dataclass(frozen=True, slots=True)
class Pick:
    """A chosen sentence and the ones that say the same, by their places in the session."""

    place: int
    also: tuple[int, ...] = ()


def choose(
    worth: NDArray[np.float32], sentences: Sequence[Sentence], vectors: Matrix, *, points: int, words: int | None = None
) -> tuple[Pick, ...]:
    """Up to `points` picks in spoken order, best first to enter; `words` bounds their total length."""
    order = [n for n in np.argsort(-worth, kind="stable") if stands_alone(n, sentences)][:CANDIDATES]
    taken: dict[int, list[int]] = {}
    left = words if words is not None else 10**9
    while order and len(taken) < points:
        chosen = list(taken)
        likeness = vectors[order] @ vectors[chosen].T if chosen else np.zeros((len(order), 1), np.float32)
        news = (1 - FAMILIAR * np.maximum(0, likeness.max(1))) * _distance_factor(order, chosen)
        best = int(np.argmax(worth[order] * news))
        place = order.pop(best)
        if chosen and likeness[best].max() >= SAME_POINT:
            taken[chosen[int(likeness[best].argmax())]].append(place)
            continue
        size = count(sentences[place].text)
        if size <= left or not taken:
            taken[place] = []
            left -= size
    return tuple(Pick(place, tuple(sorted(taken[place]))) for place in sorted(taken))


def _distance_factor(order: Sequence[int], chosen: Sequence[int]) -> NDArray[np.float64]:
    if not chosen:
        return np.ones(len(order))
    steps = np.abs(np.subtract.outer(np.asarray(order), np.asarray(chosen))).min(1)
    costs = np.array([0.0, *NEIGHBOUR, 0.0])
    return np.asarray(1 - costs[np.minimum(steps, len(NEIGHBOUR) + 1)])


def stands_alone(place: int, sentences: Sequence[Sentence]) -> bool:
    """Whether a reader can take the sentence by itself: no question, and no fragment unless it answers one."""
    text = sentences[place].text
    if is_question(text):
        return False
    if count(text) >= READABLE_WORDS:
        return True
    asked = place > 0 and is_question(sentences[place - 1].text)
    return asked and count(text) >= 2 and _SHORT_ANSWER.search(text) is not None


def context(place: int, sentences: Sequence[Sentence]) -> str:
    """The talk just before a sentence: the question it answers or the sentence it leans on; two where it must be."""
    needed = 2 if _LEANS_BACK.match(sentences[place].text) else 1
    before: list[str] = []
    for n in range(place - 1, -1, -1):
        if sentences[place].start - sentences[n].end > _CONTEXT_SECONDS or len(before) == needed:
            break
        before.insert(0, sentences[n].text)
        if needed == 2 and len(before) == 1 and not _LEANS_BACK.match(sentences[n].text):
            break
    return " ".join(before)


def disagreeing(place: int, sentences: Sequence[Sentence]) -> tuple[int, ...]:
    """Sentences soon after that say they disagree (by another voice where voices are known), with what follows one
    that is too short to say why."""
    speaker = sentences[place].speaker
    found: list[int] = []
    for n in range(place + 1, min(len(sentences), place + 1 + _REPLY_REACH)):
        same_voice = speaker is not None and sentences[n].speaker == speaker
        if same_voice or not _OBJECTS.search(sentences[n].text):
            continue
        found.append(n)
        follows = n + 1 < len(sentences) and sentences[n + 1].speaker == sentences[n].speaker
        if follows and count(sentences[n].text) < READABLE_WORDS + 4:
            found.append(n + 1)
        break
    return tuple(found)
