"""Whether a question was addressed: in full, thinly, or not at all.

A small calibrated model looks at how much strong evidence there is for a question, how strong the best of it is, and
whether other questions claim the same sentences. It gives the chance that the question was not addressed and the chance
that it was addressed in full; between the two limits the answer is "thin": few strong passages, please check. Without
the model a counted rule stands in: at least FULL strong passages for addressed, at least one for thin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transcriber.datatypes import Verdict
from transcriber.errors import ModelError
from transcriber.summary.manner import Matrix
from transcriber.summary.ranker import Ranking, Weights

STRONG = 0.5
FULL = 5
FAINT = 0.2  # without one passage at least this likely to answer, nothing was addressed, whatever the model says
DOUBT = 0.25  # a verdict whose own chance is not this much above its rival's says "please check"
_DEPTHS = (1, 3, 6, 12, 20)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`unanswered` and `full` are chances, None where no model was there to give them."""

    verdict: Verdict
    n_strong: int
    unanswered: float | None = None
    full: float | None = None

    @property
    def doubtful(self) -> bool:
        """Whether a person should look before the verdict is repeated."""
        if self.unanswered is None or self.full is None:
            return self.verdict != "addressed"
        margins = {"not addressed": self.unanswered - self.full, "addressed": self.full - self.unanswered}
        return margins.get(self.verdict, 0.0) < DOUBT


class VerdictModel:
    """Two logistic regressions over `evidence`, trained beside the ranker and shipped with its weights."""

    def __init__(self, weights: Weights) -> None:
        """Raises ModelError when the weights do not fit this version."""
        self._weights = weights
        if len(weights.get("verdict/mean", ())) != 2 * len(_DEPTHS) + 5:
            raise ModelError(
                "The verdict model is of another version than the program.",
                hint="Restore models/evidence-ranker from the release you installed.",
            )

    def judge(self, ranking: Ranking) -> tuple[Judgement, ...]:
        """A judgement per question."""
        get = self._weights
        table = (evidence(ranking) - get["verdict/mean"]) / get["verdict/spread"]
        chances = 1 / (1 + np.exp(-(table @ get["verdict/slopes"].T + get["verdict/offsets"])))
        limits = get["verdict/limits"]
        found = []
        for row, (unanswered, full) in enumerate(chances):
            verdict: Verdict = "thin"
            if ranking.chances[row, :, 1].max() < FAINT:
                unanswered, full = 1 - FAINT, FAINT
            if unanswered >= limits[0]:
                verdict = "not addressed"
            elif full >= limits[1]:
                verdict = "addressed"
            found.append(Judgement(verdict, _n_strong(ranking, row), float(unanswered), float(full)))
        return tuple(found)


def count_strong(ranking: Ranking) -> tuple[Judgement, ...]:
    """The rule without a model."""
    found = []
    for row in range(len(ranking.chances)):
        n_strong = _n_strong(ranking, row)
        verdict: Verdict = "addressed" if n_strong >= FULL else "thin" if n_strong else "not addressed"
        found.append(Judgement(verdict, n_strong))
    return tuple(found)


def _n_strong(ranking: Ranking, row: int) -> int:
    return int((ranking.chances[row, :, 1] >= STRONG).sum())


def evidence(ranking: Ranking) -> Matrix:
    """What a verdict is made from, shape (questions, measures): mean chances of the best sentences at several depths,
    expected numbers of answering sentences, and how uncontested the best ones are."""
    rows = []
    worth = ranking.scores
    for row, chances in enumerate(ranking.chances):
        part, key = np.sort(chances[:, 1])[::-1], np.sort(chances[:, 2])[::-1]
        best = np.argsort(-worth[row], kind="stable")[:10]
        rivals = np.delete(worth[:, best], row, 0).max(0, initial=0.0)
        rows.append(
            [
                *(_logit(part[:depth].mean()) for depth in _DEPTHS),
                *(_logit(key[:depth].mean()) for depth in _DEPTHS),
                np.log(0.1 + part.sum()),
                np.log(0.1 + key.sum()),
                np.log(0.1 + chances[:, 0].sum()) - np.log(0.1 + part.sum()),
                float((worth[row, best] > rivals).mean()),
                float((worth[row, best] - rivals).mean()),
            ]
        )
    return np.array(rows, np.float32)


def _logit(chance: float) -> float:
    clipped = min(max(float(chance), 1e-4), 1 - 1e-4)
    return float(np.log(clipped / (1 - clipped)))
