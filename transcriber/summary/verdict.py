"""Whether a question was addressed, by a rule that can be said in one sentence.

A passage is strong when it more likely answers than not. At least FULL strong passages:
addressed. Fewer, but one or more: thin. None: not addressed.
"""

from __future__ import annotations

from dataclasses import dataclass

from transcriber.datatypes import Verdict
from transcriber.summary.ranker import Ranking

STRONG = 0.5
FULL = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    n_strong: int


def judge(ranking: Ranking) -> tuple[Judgement, ...]:
    """A judgement per question."""
    found = []
    for chances in ranking.chances:
        n_strong = int((chances[:, 1] >= STRONG).sum())
        verdict: Verdict = "addressed" if n_strong >= FULL else "thin" if n_strong else "not addressed"
        found.append(Judgement(verdict, n_strong))
    return tuple(found)
