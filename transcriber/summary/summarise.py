"""Transcript and plan -> the key points for each question, verbatim, with their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transcriber.datatypes import (
    Answer,
    KeyPoint,
    Mention,
    Phase,
    Plan,
    Question,
    Sentence,
    Summary,
    Transcript,
)
from transcriber.errors import UsageError
from transcriber.summary.choose import Pick, choose, context
from transcriber.summary.encoder import Encoder
from transcriber.summary.features import Signals, signals
from transcriber.summary.ranker import FusionRanker, Ranker, Ranking
from transcriber.summary.sentences import sentences
from transcriber.summary.talk import Talk
from transcriber.summary.verdict import Judgement, judge

ON_TOPIC = 0.5  # chance above which a sentence's seconds count as airtime
THIN_POINTS = 3  # a thin answer shows no more than this


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """`points` per question, `words` per answer at most; `phases` as they were marked in the recording."""

    points: int = 7
    words: int | None = None
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        if self.points < 1 or (self.words is not None and self.words < 1):
            raise UsageError("--points and --words must be at least 1.", hint="Leave them out for the usual length.")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A session measured and ranked."""

    sentences: tuple[Sentence, ...]
    signals: Signals
    ranking: Ranking


def summarise(
    transcript: Transcript,
    plan: Plan,
    *,
    encoder: Encoder,
    options: SummaryOptions | None = None,
    ranker: Ranker | None = None,
) -> Summary:
    """The key points for each of the plan's questions. A transcript without words gives "not addressed" throughout."""
    options = options or SummaryOptions()
    ranker = ranker or FusionRanker()
    phases = options.phases
    spoken = sentences(transcript, phases=phases)
    if not spoken or not plan.questions:
        return Summary(
            session=transcript.session,
            method="nothing was said",
            answers=tuple(_silence(question) for question in plan.questions),
        )
    measured = signals(Talk.of(spoken, phases), plan.questions, encoder=encoder)
    reading = _Reading(spoken, measured, ranker.rank(measured))
    judgements = judge(reading.ranking)
    answers = (
        _answer(question, row, judgements[row], reading=reading, options=options)
        for row, question in enumerate(plan.questions)
    )
    return Summary(session=transcript.session, method=reading.ranking.method, answers=tuple(answers))


def _silence(question: Question) -> Answer:
    return Answer(id=question.id, text=question.text, verdict="not addressed", airtime=0.0, voices=0, key_points=())


def _answer(
    question: Question, row: int, judgement: Judgement, *, reading: _Reading, options: SummaryOptions
) -> Answer:
    chances, spoken = reading.ranking.chances[row], reading.sentences
    on_topic = np.flatnonzero(chances[:, 0] >= ON_TOPIC)
    points = min(options.points, THIN_POINTS) if judgement.verdict == "thin" else options.points
    picks: Sequence[Pick] = ()
    if judgement.verdict != "not addressed":
        worth = reading.ranking.scores[row]
        picks = choose(worth, spoken, reading.signals.vectors, points=points, words=options.words)
    return Answer(
        id=question.id,
        text=question.text,
        verdict=judgement.verdict,
        airtime=round(float(sum(spoken[n].end - spoken[n].start for n in on_topic)), 3),
        voices=len({spoken[n].speaker for n in on_topic} - {None}),
        key_points=tuple(_key_point(question, pick, row, reading=reading) for pick in picks),
    )


def _key_point(question: Question, pick: Pick, row: int, *, reading: _Reading) -> KeyPoint:
    sentence = reading.sentences[pick.place]
    return KeyPoint(
        question_id=question.id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        speaker=sentence.speaker,
        score=round(float(reading.ranking.scores[row, pick.place]), 4),
        segment_ids=sentence.segment_ids,
        sentences=(sentence.index,),
        context=context(pick.place, reading.sentences),
        also=tuple(_mention(reading.sentences[n]) for n in pick.also),
    )


def _mention(sentence: Sentence) -> Mention:
    return Mention(start=sentence.start, end=sentence.end, text=sentence.text, speaker=sentence.speaker)
