"""Why a sentence was chosen or passed over, in words a person understands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transcriber.datatypes import Sentence
from transcriber.summary.choose import READABLE_WORDS, SAME_POINT, choose, stands_alone
from transcriber.summary.manner import COURTESY
from transcriber.summary.ranker import Ranking
from transcriber.summary.summarise import Reading
from transcriber.summary.talk import is_question
from transcriber.summary.words import count
from transcriber.timecode import clock

LOSERS = 8  # close losers that are told of
_READ_ALOUD = 0.6  # share of a question's words in a sentence from which it is called a reading of the question


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence beside one question; `why` is a full sentence or two."""

    sentence: Sentence
    rank: int
    score: float
    chosen: bool
    why: str


def explain(reading: Reading, row: int, *, points: int = 7, words: int | None = None) -> tuple[Explanation, ...]:
    """For the question in `row`: every chosen sentence and the closest ones that lost, best first."""
    worth = reading.ranking.scores[row]
    order = [int(n) for n in np.argsort(-worth, kind="stable")]
    picks = choose(worth, reading.sentences, reading.signals.vectors, points=points, words=words)
    chosen = [pick.place for pick in picks]
    merged = {place: pick.place for pick in picks for place in pick.also}
    told = [*chosen, *merged, *[place for place in order if place not in chosen and place not in merged][:LOSERS]]
    found = []
    for place in sorted(told, key=order.index):
        if place in chosen:
            why = _for(reading, row, place)
        elif place in merged:
            stands_for = reading.sentences[merged[place]]
            why = f"Says the same as the key point at {clock(stands_for.start)}; shown there as “also”."
        else:
            why = _against(reading, row, place, chosen=chosen, points=points)
        found.append(
            Explanation(reading.sentences[place], order.index(place) + 1, float(worth[place]), place in chosen, why)
        )
    return tuple(found)


def _for(reading: Reading, row: int, place: int) -> str:
    chances = reading.ranking.chances[row, place]
    parts = [f"Likely an answer ({chances[1]:.0%}; a key point: {chances[2]:.0%})"]
    parts += _bonds(reading, row, place)
    rival = _rival(reading.ranking, row, place)
    if rival is not None:
        parts.append(f"it speaks to question {rival + 1} as well")
    return "; ".join(parts) + "."


def _bonds(reading: Reading, row: int, place: int) -> list[str]:
    """What ties the sentence to the question."""
    seen = reading.signals
    parts = []
    shared = float(seen.column("shared")[row, place])
    if seen.column("close here")[row, place] > 1.5:
        parts.append("its meaning is among the closest to the question")
    elif seen.column("close5 here")[row, place] > 1.0:
        parts.append("the talk around it is about the question")
    if shared > 0.15:
        parts.append("it shares words with the question")
    elif shared == 0:
        parts.append("it shares no word with the question")
    return parts


def _against(reading: Reading, row: int, place: int, *, chosen: list[int], points: int) -> str:
    sentence, seen = reading.sentences[place], reading.signals
    if is_question(sentence.text):
        return "It asks; a question is not an answer."
    if seen.column("read aloud")[row, place] >= _READ_ALOUD:
        return "It reads the question aloud or repeats it."
    if not stands_alone(place, reading.sentences):
        size = count(sentence.text)
        return f"A fragment of {size} words (under {READABLE_WORDS}) that gives no yes, no or number to a question."
    rival = _rival(reading.ranking, row, place)
    if rival is not None:
        return f"It answers question {rival + 1} rather than this one."
    if chosen and float((seen.vectors[chosen] @ seen.vectors[place]).max()) > SAME_POINT - 0.15:
        return "It is close to a key point already chosen, and scored lower."
    if seen.own[place, COURTESY] > 0.5:
        return "It sounds like an announcement or a courtesy."
    chance = reading.ranking.chances[row, place, 1]
    if chance >= 0.5:
        return f"Likely an answer ({chance:.0%}), but {points} stronger ones were found."
    return f"On the topic perhaps, but hardly an answer ({chance:.0%})."


def _rival(ranking: Ranking, row: int, place: int) -> int | None:
    """Another question that the sentence answers clearly better."""
    scores = ranking.scores[:, place]
    best = int(scores.argmax())
    return best if best != row and scores[best] > scores[row] + 0.1 else None
