from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.summary.talks import WordEncoder
from transcriber import workspace
from transcriber.datatypes import Question
from transcriber.errors import ModelError
from transcriber.summary.features import ASKED, Signals, signals
from transcriber.summary.model import EvidenceModel
from transcriber.summary.ranker import WEIGHTS, FusionRanker, Ranking
from transcriber.summary.talk import Talk
from transcriber.summary.verdict import Judgement, count_strong

SHIPPED = workspace.shipped() / "models" / "evidence-ranker"
TEXTS = (
    "Who pays for the electricity of the computing centre?",
    "The region pays for the electricity, four million euros a year, and it has done so since the opening.",
    "Thank you very much, that was a great talk.",
    "Our operators learn to read error logs at night, which takes them half a year of training on the job.",
    "Coffee is served in the foyer next door.",
)
QUESTIONS = (
    Question(id="q1", text="Who pays for the electricity?"),
    Question(id="q2", text="Which skills do operators need?", cues=("training",)),
)


def _signals(n_questions: int = 2, texts: tuple[str, ...] = TEXTS) -> Signals:
    nobody = (None,) * len(texts)
    return signals(Talk(texts, nobody, nobody), QUESTIONS[:n_questions], encoder=WordEncoder())


@pytest.mark.parametrize("n_sentences", [1, 2, 5])
@pytest.mark.parametrize("n_questions", [1, 2])
def test_signals_are_finite_numbers_of_the_promised_shape(n_sentences: int, n_questions: int) -> None:
    seen = _signals(n_questions, TEXTS[:n_sentences])
    assert seen.asked.shape == (n_questions, n_sentences, len(ASKED))
    for table in (seen.own, seen.hints, seen.asked):
        assert np.isfinite(table).all()


def test_cues_count_only_for_their_question() -> None:
    cues = _signals().column("cues")
    assert cues[1, 3] > 0
    assert not cues[0].any()


def test_the_chances_of_higher_grades_are_smaller_and_answers_beat_courtesies() -> None:
    ranking = FusionRanker().rank(_signals())
    assert (np.diff(ranking.chances, axis=-1) <= 1e-6).all()
    assert ranking.scores[0, 1] > max(ranking.scores[0, 2:])
    assert ranking.scores[1].argmax() == 3


def test_the_shipped_model_reads_any_number_of_questions_and_says_the_same_each_time() -> None:
    model = EvidenceModel.load(SHIPPED)
    for n_questions in (1, 2):
        seen = _signals(n_questions)
        first, second = model.ranker.rank(seen), model.ranker.rank(seen)
        assert first.chances.shape == (n_questions, len(TEXTS), 3)
        assert np.array_equal(first.chances, second.chances)
        assert len(model.judge(first)) == n_questions


def test_the_order_of_the_questions_does_not_matter() -> None:
    model = EvidenceModel.load(SHIPPED)
    seen = _signals()
    turned = replace(seen, asked=seen.asked[::-1], questions=seen.questions[::-1])
    assert np.allclose(model.ranker.rank(seen).chances, model.ranker.rank(turned).chances[::-1], atol=1e-5)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a zip"])
def test_missing_or_damaged_weights_are_a_model_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError):
        EvidenceModel.load(tmp_path)


def test_weights_of_another_version_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / WEIGHTS, **{"0/o1.bias": np.zeros(4), "scaling/asked mean": np.zeros(3)})
    with pytest.raises(ModelError, match="another version"):
        EvidenceModel.load(tmp_path)


def _ranking(n_strong: int) -> Ranking:
    chances = np.full((1, 40, 3), 0.02, np.float32)
    chances[0, :n_strong] = (0.97, 0.93, 0.85)
    return Ranking(chances, "made")


def test_the_counted_rule() -> None:
    verdicts = [count_strong(_ranking(n))[0].verdict for n in (0, 1, 4, 5, 20)]
    assert verdicts == ["not addressed", "thin", "thin", "addressed", "addressed"]


def test_more_evidence_never_looks_less_answered() -> None:
    judge = EvidenceModel.load(SHIPPED).judge
    judged = [judge(_ranking(n))[0] for n in (0, 2, 12)]
    assert judged[0].verdict == "not addressed"
    assert judged[-1].verdict == "addressed"
    chances = [judgement.unanswered for judgement in judged]
    assert chances == sorted(chances, reverse=True)


def test_a_close_call_is_doubtful() -> None:
    assert Judgement("addressed", 5, unanswered=0.5, full=0.55).doubtful
    assert not Judgement("addressed", 9, unanswered=0.05, full=0.9).doubtful
