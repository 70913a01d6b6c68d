from __future__ import annotations

import random

import pytest

from tests.summary.talks import WordEncoder, plan, transcript
from transcriber.datatypes import Summary, Transcript
from transcriber.errors import UsageError
from transcriber.summary.sentences import sentences
from transcriber.summary.summarise import SummaryOptions, summarise

COST = "Who pays for the electricity of the computing centre?"
STAFF = "Which skills do the operators need?"
TALK = (
    ("Chair", "Welcome to this hall, we have coffee outside and two questions on the card."),
    ("Chair", f"First: {COST}"),
    ("Ana", "The region pays for the electricity of our computing centre, four million euros a year."),
    ("Ana", "And the university pays for the building, because electricity was never in its budget."),
    ("Bo", "In our computing centre the users pay the electricity per hour, by invoice."),
    ("Bo", "The region refused to pay electricity twice, so industry pays half of the centre."),
    ("Chair", f"Thank you. Second: {STAFF}"),
    ("Ana", "Operators need skills in schedulers and in talking to users, we train both for six months."),
    ("Bo", "The skills that operators need most are patience and reading error logs at night."),
    ("Chair", "Thank you all, the buses leave from the north door in ten minutes."),
)


def _summary(talk: Transcript, *questions: str, **options: int) -> Summary:
    return summarise(talk, plan(*questions), encoder=WordEncoder(), options=SummaryOptions(**options))


def test_key_points_are_verbatim_timed_and_in_spoken_order() -> None:
    talk = transcript(*TALK)
    spoken = {item.index: item for item in sentences(talk)}
    for answer in _summary(talk, COST, STAFF).answers:
        starts = [point.start for point in answer.key_points]
        assert starts == sorted(starts)
        for point in answer.key_points:
            source = spoken[point.sentences[0]]
            assert (point.text, point.start, point.end) == (source.text, source.start, source.end)
            assert point.speaker == source.speaker
            assert point.segment_ids == source.segment_ids


def test_a_question_read_aloud_is_no_answer_to_itself() -> None:
    for answer in _summary(transcript(*TALK), COST, STAFF).answers:
        assert not any(answer.text in point.text for point in answer.key_points)


def test_points_and_words_bound_an_answer() -> None:
    talk = transcript(*TALK)
    assert all(len(answer.key_points) <= 1 for answer in _summary(talk, COST, STAFF, points=1).answers)
    for answer in _summary(talk, COST, STAFF, words=20).answers:
        assert sum(len(point.text.split()) for point in answer.key_points) <= 20
    with pytest.raises(UsageError):
        SummaryOptions(points=0)


@pytest.mark.parametrize("n_questions", [1, 3, 4, 7])
def test_any_number_of_questions_gets_that_many_answers(n_questions: int) -> None:
    questions = [f"{COST} Part {n}" for n in range(n_questions)]
    summary = _summary(transcript(*TALK), *questions)
    assert [answer.text for answer in summary.answers] == questions


def test_a_silent_session_addresses_nothing() -> None:
    answer = _summary(transcript(), COST).answers[0]
    assert (answer.verdict, answer.key_points, answer.airtime) == ("not addressed", (), 0.0)


@pytest.mark.parametrize(
    "talk",
    [
        transcript("Yes."),
        transcript("no punctuation at all " * 40),
        transcript("Wir zahlen den Strom selbst.", "Das Land zahlt nichts.", language="de"),
        transcript("是的,我们自己付电费。", "谢谢。", language="zh"),
        transcript("…", "?!", "-- --"),
    ],
)
@pytest.mark.parametrize("question", [COST, "Why? And what then?", "…", "谁付电费?"])
def test_odd_talk_and_odd_questions_never_crash(talk: Transcript, question: str) -> None:
    assert len(_summary(talk, question, "What else?").answers) == 2


def test_the_same_talk_gives_the_same_summary() -> None:
    rng = random.Random(4)
    words = ["region", "pays", "electricity", "skills", "operators", "budget", "centre", "invoice", "users"]
    talk = transcript(*(" ".join(rng.choices(words, k=12)) + "." for _ in range(150)))
    assert _summary(talk, COST, STAFF) == _summary(talk, COST, STAFF)
