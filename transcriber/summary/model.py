"""What weighs evidence: a ranker and the verdicts drawn from it, trained together and shipped in one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transcriber.summary.ranker import FusionRanker, Ranker, Ranking, SequenceRanker, read_weights
from transcriber.summary.verdict import Judgement, VerdictModel, count_strong


@dataclass(frozen=True, slots=True)
class EvidenceModel:
    ranker: Ranker
    judge: Callable[[Ranking], tuple[Judgement, ...]]

    @classmethod
    def load(cls, folder: Path) -> EvidenceModel:
        """The trained model in `folder` (`models/evidence-ranker`). Raises ModelError."""
        return cls(SequenceRanker.load(folder), VerdictModel(read_weights(folder)).judge)

    @classmethod
    def untrained(cls) -> EvidenceModel:
        """Fusion of word overlap and meaning, verdicts by the counted rule: for want of a trained model."""
        return cls(FusionRanker(), count_strong)
