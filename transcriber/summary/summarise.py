"""Transcript and plan -> the key points for each question, verbatim, with their evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transcriber.datatypes import (
    Answer,
    KeyPoint,
    Phase,
    Plan,
    Question,
    Sentence,
    Summary,
    Transcript,
)
from transcriber.errors import UsageError
from transcriber.summary.choose import Pick, choose, context, disagreeing
from transcriber.summary.clean import readable
from transcriber.summary.encoder import Encoder
from transcriber.summary.features import Signals, signals
from transcriber.summary.form import Heard, quote, session_form
from transcriber.summary.model import EvidenceModel
from transcriber.summary.phases import known_phases, with_phases
from transcriber.summary.ranker import Ranking
from transcriber.summary.sentences import sentences
from transcriber.summary.talk import Talk
from transcriber.summary.verdict import Judgement

ON_TOPIC = 0.5  # chance above which a sentence's seconds count as airtime
THIN_POINTS = 4  # a thin answer shows no more than this
CLOSEST = 2  # passages shown beside "not addressed"


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
class Reading:
    """A session measured, ranked and judged."""

    sentences: tuple[Sentence, ...]
    phases: tuple[Phase, ...]
    signals: Signals
    ranking: Ranking
    judgements: tuple[Judgement, ...]


def read(
    spoken: tuple[Sentence, ...],
    plan: Plan,
    *,
    encoder: Encoder,
    model: EvidenceModel,
    marked: tuple[Phase, ...] = (),
) -> Reading:
    """Weigh every sentence against every question. Needs at least one of each."""
    phases = known_phases(marked, plan.phases, spoken)
    spoken = with_phases(spoken, phases)
    measured = signals(Talk.of(spoken, phases), plan.questions, encoder=encoder)
    ranking = model.ranker.rank(measured)
    return Reading(spoken, phases, measured, ranking, model.judge(ranking))


def summarise(
    transcript: Transcript,
    plan: Plan,
    *,
    encoder: Encoder,
    model: EvidenceModel | None = None,
    options: SummaryOptions | None = None,
) -> Summary:
    """The key points for each of the plan's questions. A transcript without words gives "not addressed" throughout;
    without a trained `model` sentences are ranked by shared words and meaning alone."""
    options = options or SummaryOptions()
    spoken = sentences(transcript)
    if not spoken or not plan.questions:
        return Summary(
            session=transcript.session,
            method="nothing was said",
            answers=tuple(_silence(question) for question in plan.questions),
        )
    reading = read(spoken, plan, encoder=encoder, model=model or EvidenceModel.untrained(), marked=options.phases)
    answers = (_answer(question, row, reading=reading, options=options) for row, question in enumerate(plan.questions))
    best = reading.ranking.scores.max(0)
    form = session_form(Heard(reading.sentences, reading.phases, reading.signals.vectors, best), plan, encoder=encoder)
    return Summary(
        session=transcript.session,
        method=reading.ranking.method,
        answers=tuple(answers),
        phases=form.phases,
        exchanges=form.exchanges,
        polls=form.polls,
        takeaways=form.takeaways,
    )


def _silence(question: Question) -> Answer:
    return Answer(id=question.id, text=question.text, verdict="not addressed", airtime=0.0, voices=0, key_points=())


def _answer(question: Question, row: int, *, reading: Reading, options: SummaryOptions) -> Answer:
    judgement, spoken = reading.judgements[row], reading.sentences
    on_topic = np.flatnonzero(reading.ranking.chances[row, :, 0] >= ON_TOPIC)
    limits = {"addressed": options.points, "thin": min(options.points, THIN_POINTS), "not addressed": CLOSEST}
    picks = choose(
        reading.ranking.scores[row],
        spoken,
        reading.signals.vectors,
        points=limits[judgement.verdict],
        words=options.words,
    )
    points = tuple(_key_point(question, pick, row, reading=reading) for pick in picks)
    answered = judgement.verdict != "not addressed"
    return Answer(
        id=question.id,
        text=question.text,
        verdict=judgement.verdict,
        airtime=round(float(sum(spoken[n].end - spoken[n].start for n in on_topic)), 3),
        voices=len({spoken[n].speaker for n in on_topic} - {None}),
        key_points=points if answered else (),
        note=_note(judgement),
        closest=() if answered else points,
    )


def _note(judgement: Judgement) -> str:
    if judgement.verdict == "thin":
        return "Few strong passages: please check whether they answer the question."
    if judgement.doubtful:
        return "The evidence is close to the line: please check this verdict."
    return ""


def _key_point(question: Question, pick: Pick, row: int, *, reading: Reading) -> KeyPoint:
    sentence, spoken = reading.sentences[pick.place], reading.sentences
    plainer = readable(sentence.text)
    return KeyPoint(
        question_id=question.id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        speaker=sentence.speaker,
        score=round(float(reading.ranking.scores[row, pick.place]), 4),
        segment_ids=sentence.segment_ids,
        sentences=(sentence.index,),
        context=context(pick.place, spoken),
        also=tuple(quote(spoken[n]) for n in pick.also),
        readable=plainer if plainer != sentence.text else "",
        against=tuple(quote(spoken[n]) for n in disagreeing(pick.place, spoken)),
    )
