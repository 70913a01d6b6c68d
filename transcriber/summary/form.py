"""The session's form beside its questions: a highlight per phase, exchanges with the floor, polls, takeaways.

Everything is a quotation. Where no phases are known the floor's questions are found from the talk itself, and marked as
inferred.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transcriber.datatypes import Exchange, Highlight, Mention, Phase, Plan, PollTalk, Sentence, Takeaway
from transcriber.summary.choose import stands_alone
from transcriber.summary.encoder import Encoder
from transcriber.summary.manner import Matrix
from transcriber.summary.talk import Talk, is_question, moderator
from transcriber.summary.words import count

HIGHLIGHTS = {"talk": 2, "discussion": 3, "closing": 1}  # quotes per phase of a kind
POLL_QUOTES = 3
TAKEAWAY_QUOTES = 2
HEARD = 0.52  # cosine from which a sentence may carry a takeaway
ANSWER_REACH = 9  # sentences after a floor question in which its answer is sought
ANSWERS = 2
GUEST_SHARE = 0.06  # of all words, up to which a voice belongs to the floor even if it was heard before

_FLOOR = re.compile(
    r"\b(open (?:the )?(?:mic\w*|floor)|your (?:turn|questions)|questions from|from the floor"
    r"|who(?:'s| is| has) (?:first|the first|got a question)|microphones?|(?:the|two|a) mics?|q and a|q&a)\b",
    re.IGNORECASE,
)
_INDIRECT = re.compile(
    r"\b(?:i(?:'d| would) like to (?:know|ask)|i want(?:ed)? to (?:know|ask)|i wonder(?:ed)?|my question is)\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(last word|final word|wrap up|close here|we(?:'re| are) out of time|time is up|that's all|to close"
    r"|thank you all|one sentence each)\b",
    re.IGNORECASE,
)
_FIGURES = re.compile(
    r"\d|percent|per cent|votes?|hands|majority|half|third|quarter|most of you|nobody|\b\w+ty\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A session as this file reads it: `worth` (sentences) is the best of each sentence's scores over the questions."""

    sentences: tuple[Sentence, ...]
    phases: tuple[Phase, ...]
    vectors: Matrix
    worth: Matrix


@dataclass(frozen=True, slots=True)
class Form:
    phases: tuple[Highlight, ...]
    exchanges: tuple[Exchange, ...]
    polls: tuple[PollTalk, ...]
    takeaways: tuple[Takeaway, ...]


def session_form(heard: Heard, plan: Plan, *, encoder: Encoder) -> Form:
    return Form(
        phases=highlights(heard),
        exchanges=exchanges(heard),
        polls=_polls(heard, plan, encoder),
        takeaways=_takeaways(heard, plan, encoder),
    )


def quote(sentence: Sentence) -> Mention:
    return Mention(start=sentence.start, end=sentence.end, text=sentence.text, speaker=sentence.speaker)


def _quotes(heard: Heard, places: Sequence[int]) -> tuple[Mention, ...]:
    return tuple(quote(heard.sentences[place]) for place in sorted(places))


def _best(heard: Heard, places: Sequence[int], scores: Matrix, n_wanted: int) -> list[int]:
    fit = [place for place in places if stands_alone(place, heard.sentences)]
    return sorted(fit, key=lambda place: (-scores[place], place))[:n_wanted]


# ---- highlights


def highlights(heard: Heard) -> tuple[Highlight, ...]:
    """For each known phase the sentences that say most to any of the questions."""
    found = []
    for phase in heard.phases:
        inside = [n for n, item in enumerate(heard.sentences) if item.phase == phase.id]
        if not inside or phase.kind not in HIGHLIGHTS:
            continue
        best = _best(heard, inside, heard.worth, HIGHLIGHTS[phase.kind])
        found.append(
            Highlight(
                phase_id=phase.id,
                kind=phase.kind,
                title=phase.title,
                start=phase.start or 0.0,
                end=phase.end or 0.0,
                quotes=_quotes(heard, best),
            )
        )
    return tuple(found)


# ---- exchanges


def exchanges(heard: Heard) -> tuple[Exchange, ...]:
    """Questions from the floor, each with what answers it. From the open-mic phase where known, else inferred."""
    stretch, inferred = _open_mic(heard)
    asked = [n for n in stretch if _from_floor(n, heard, stretch)]
    groups: list[list[int]] = []
    for place in asked:
        if groups and place - groups[-1][-1] <= 2:
            groups[-1].append(place)
        else:
            groups.append([place])
    found = []
    for number, group in enumerate(groups):
        following = groups[number + 1][0] if number + 1 < len(groups) else stretch[-1] + 1
        until = min(following, group[-1] + 1 + ANSWER_REACH)
        answer = _answer(heard, group, range(group[-1] + 1, until))
        if answer:
            found.append(Exchange(question=_quotes(heard, group), answer=_quotes(heard, answer), inferred=inferred))
    return tuple(found)


def _open_mic(heard: Heard) -> tuple[list[int], bool]:
    known = {phase.id for phase in heard.phases if phase.kind == "open-mic"}
    if heard.phases:
        return [n for n, item in enumerate(heard.sentences) if item.phase in known], False
    n_sentences = len(heard.sentences)
    for start in range(n_sentences // 2, n_sentences):
        if _FLOOR.search(heard.sentences[start].text):
            for end in range(n_sentences - 1, start, -1):
                if _CLOSING.search(heard.sentences[end].text) and end > start + (n_sentences - start) // 2:
                    return list(range(start, end)), True
            return list(range(start, n_sentences)), True
    return [], True


def _from_floor(place: int, heard: Heard, stretch: Sequence[int]) -> bool:
    """Whether a sentence asks something, and by a voice that was not on the stage before."""
    sentence = heard.sentences[place]
    if not is_question(sentence.text) and not _INDIRECT.search(sentence.text):
        return False
    if sentence.speaker is None:
        return count(sentence.text) >= 5
    if sentence.speaker == moderator(Talk.of(heard.sentences)):
        return False
    own = [n for n, item in enumerate(heard.sentences) if item.speaker == sentence.speaker]
    if own[0] >= stretch[0]:
        return True
    spoken = sum(count(heard.sentences[n].text) for n in own)
    return spoken < GUEST_SHARE * sum(count(item.text) for item in heard.sentences)


def _answer(heard: Heard, group: Sequence[int], places: Sequence[int]) -> list[int]:
    asked = heard.vectors[list(group)].mean(0)
    voices = {heard.sentences[n].speaker for n in group} - {None}
    near = np.asarray(heard.vectors @ asked, np.float32) + 0.5 * heard.worth
    for step, place in enumerate(places):
        near[place] += 0.1 * max(0, 3 - step)
    open_to = [n for n in places if heard.sentences[n].speaker not in voices or not voices]
    return _best(heard, open_to, near, ANSWERS)


# ---- polls and takeaways


def _polls(heard: Heard, plan: Plan, encoder: Encoder) -> tuple[PollTalk, ...]:
    """What was said of each planned poll's result: near its wording, with figures in it."""
    if not plan.polls:
        return ()
    wanted = encoder.encode([" ".join((poll.question, *poll.options)) for poll in plan.polls])
    figures = np.array([float(_FIGURES.search(item.text) is not None) for item in heard.sentences], np.float32)
    during = {phase.id for phase in heard.phases if phase.kind == "poll"}
    inside = [n for n, item in enumerate(heard.sentences) if not during or item.phase in during]
    found = []
    for poll, vector in zip(plan.polls, wanted, strict=True):
        like = np.asarray(heard.vectors @ vector, np.float32)
        best = _best(heard, [n for n in inside if during or like[n] > 0.4], like + 0.2 * figures, POLL_QUOTES)
        found.append(PollTalk(id=poll.id, question=poll.question, options=poll.options, quotes=_quotes(heard, best)))
    return tuple(found)


def _takeaways(heard: Heard, plan: Plan, encoder: Encoder) -> tuple[Takeaway, ...]:
    """Each hoped-for takeaway with the passages closest to it, or none: then it was not heard."""
    if not plan.takeaways:
        return ()
    found = []
    for text, vector in zip(plan.takeaways, encoder.encode(plan.takeaways), strict=True):
        like = np.asarray(heard.vectors @ vector, np.float32)
        near = [n for n in range(len(heard.sentences)) if like[n] >= HEARD]
        found.append(Takeaway(text=text, evidence=_quotes(heard, _best(heard, near, like, TAKEAWAY_QUOTES))))
    return tuple(found)
