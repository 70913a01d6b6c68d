"""How likely each sentence is to answer each question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from transcriber.summary.features import Signals
from transcriber.summary.manner import ASKS, COURTESY, LENGTH, Matrix

GAINS = np.array([1.0, 2.0, 4.0]) / 7  # of "on the topic", "part of an answer", "key point" on top of each other


@dataclass(frozen=True, slots=True)
class Ranking:
    """`chances` (questions, sentences, 3): that a sentence is at least on the topic, part of an answer, a key point."""

    chances: Matrix
    method: str

    @property
    def scores(self) -> Matrix:
        """Expected worth, 0 to 1, shape (questions, sentences)."""
        return np.asarray(self.chances @ GAINS, np.float32)


class Ranker(Protocol):
    def rank(self, signals: Signals) -> Ranking: ...


class FusionRanker:
    """The ranker that needs no training: closeness of meaning of the sentence, its neighbours and the question being
    discussed, plus shared words, less what announces, asks or merely repeats the question."""

    def rank(self, signals: Signals) -> Ranking:
        see = signals.column
        worth = 0.8 * (see("close") + see("pair") + see("pair8") + see("close margin")) + 1.2 * see("close5")
        worth = worth + 0.4 * see("shared") - 0.6 * np.maximum(0, see("read aloud") - 0.45)
        worth = worth + 0.1 * np.minimum(signals.own[:, LENGTH], 1.2) - 0.35 * signals.own[:, ASKS]
        worth = worth - 0.12 * signals.own[:, COURTESY]
        steps = np.array([0.75, 1.05, 1.35])
        chances = 1 / (1 + np.exp(-6 * (worth[..., None] - steps)))
        return Ranking(np.asarray(chances, np.float32), "BM25 + MiniLM, no training")
