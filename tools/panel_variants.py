"""One panel as many: misheard, cut at the wrong places, with other questions, with its answers left out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.metrics_panels import Panel, vocabulary, with_border_errors, with_word_errors
from transcriber.datatypes import Question
from transcriber.summary.talk import Talk

FOREIGN_WEIGHT = 0.5  # nobody has checked that a foreign question is truly unanswered


@dataclass(frozen=True)
class Variant:
    """A panel changed; `weights` per question, `made_unanswered` where answers were left out."""

    name: str
    panel: Panel
    weights: tuple[float, ...]


def variants(panels: Sequence[Panel]) -> list[Variant]:
    """Every panel in every guise, panels of one guise together. Seeds are fixed: the same panels give the same list."""
    words = vocabulary(panels)

    def misheard(rate: float, seed: int) -> list[Panel]:
        return [with_word_errors(panel, rate, vocabulary=words, seed=seed) for panel in panels]

    heard = {"plain": list(panels), "errors 1": misheard(0.15, 1), "errors 2": misheard(0.15, 2)}
    heard |= {"errors 4": misheard(0.2, 4), "borders 1": [with_border_errors(panel, 0.2, seed=1) for panel in panels]}
    heard["borders 2"] = [with_border_errors(panel, 0.25, seed=2) for panel in misheard(0.08, 3)]
    found = [Variant(name, panel, (1.0,) * len(panel.questions)) for name, group in heard.items() for panel in group]
    for turn, name in enumerate(("plain", "errors 1", "borders 1", "plain", "errors 2"), 1):
        found += [_with_other_questions(panel, panels, f"questions {turn}") for panel in heard[name]]
    for turn, name in enumerate(("plain", "errors 1", "plain"), 1):
        left_out = (_without_answers(panel, f"unanswered {turn}", keep_none=turn == 3) for panel in heard[name])
        found += [variant for variant in left_out if variant]
    return found


def _with_other_questions(panel: Panel, panels: Sequence[Panel], name: str) -> Variant:
    """Some of the panel's questions among some of other sessions', which nothing here answers."""
    rng = random.Random(f"{name}/{panel.name}")
    kept = sorted(rng.sample(range(len(panel.questions)), min(len(panel.questions), rng.choice((1, 2, 3, 3, 4, 4)))))
    n_foreign = rng.choice((0, 1, 1, 2, 3)) if len(kept) > 1 else rng.choice((0, 0, 1, 2))
    own_title, own_texts = panel.raw["plan"]["title"], {question.text for question in panel.questions}
    others = {
        question.text: None
        for other in panels
        if other.raw["plan"]["title"] != own_title
        for question in other.questions
        if question.text not in own_texts
    }
    foreign = rng.sample(sorted(others), min(n_foreign, len(others)))
    rows: list[int | str] = [*kept, *foreign]
    rng.shuffle(rows)
    empty = np.zeros(len(panel.talk), np.int64)
    changed = replace(
        panel,
        questions=tuple(panel.questions[r] if isinstance(r, int) else Question(id=r, text=r) for r in rows),
        grades=np.array([panel.grades[r] if isinstance(r, int) else empty for r in rows]),
        verdicts=tuple(panel.verdicts[r] if isinstance(r, int) else "not addressed" for r in rows),
        points=tuple(panel.points[r] if isinstance(r, int) else () for r in rows),
    )
    return Variant(name, changed, tuple(1.0 if isinstance(r, int) else FOREIGN_WEIGHT for r in rows))


def _without_answers(panel: Panel, name: str, *, keep_none: bool) -> Variant | None:
    """One addressed question's answering sentences left out: all, or all but one to three."""
    rng = random.Random(f"{name}/{panel.name}")
    addressed = [q for q, verdict in enumerate(panel.verdicts) if verdict == "addressed"]
    if not addressed:
        return None
    q = rng.choice(addressed)
    answers = [int(n) for n in np.flatnonzero(panel.grades[q] >= 2)]
    kept = set(rng.sample(answers, 0 if keep_none else rng.choice((0, 0, 1, 2, 3))))
    rest = [n for n in range(len(panel.talk)) if n not in answers or n in kept]
    place = {old: new for new, old in enumerate(rest)}
    grades = panel.grades[:, rest]
    verdicts = list(panel.verdicts)
    verdicts[q] = "thin" if (grades[q] == 3).any() else "not addressed"
    talk = panel.talk
    changed = replace(
        panel,
        talk=Talk(
            tuple(talk.texts[n] for n in rest),
            tuple(talk.speakers[n] for n in rest),
            tuple(talk.kinds[n] for n in rest),
        ),
        grades=grades,
        verdicts=tuple(verdicts),
        points=tuple(tuple(frozenset(place[n] for n in p if n in place) for p in each) for each in panel.points),
    )
    return Variant(name, changed, (1.0,) * len(panel.questions))
