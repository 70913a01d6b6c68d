"""Graded panels: reading them, worsening them as a recogniser would, and measuring a ranking against the grades.

A panel is one JSON file: `plan`, `turns` of graded sentences, `verdicts` and `points` per question, `exchanges`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcriber.datatypes import Question
from transcriber.summary.talk import Talk
from transcriber.summary.words import count

READABLE_WORDS = 8
PICKS = 7


@dataclass(frozen=True)
class Panel:
    """A session with its truth. `grades` is (questions, sentences), 0 to 3; `points` holds sentence numbers."""

    name: str
    questions: tuple[Question, ...]
    talk: Talk
    grades: NDArray[np.int64]
    verdicts: tuple[str, ...]
    points: tuple[tuple[frozenset[int], ...], ...]
    raw: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.name.split("-")[0] if "-" in self.name else "train"


def load(folder: Path) -> list[Panel]:
    return [read(path) for path in sorted(folder.glob("*.json"))]


def read(path: Path) -> Panel:
    raw = json.loads(path.read_text("utf-8"))
    questions = tuple(
        Question(id=item["id"], text=item["text"], cues=tuple(item.get("cues", ())))
        for item in raw["plan"]["questions"]
    )
    kinds = {phase["id"]: phase["kind"] for phase in raw["plan"].get("phases", ())}
    flat = [(turn, sentence) for turn in raw["turns"] for sentence in turn["sentences"]]
    place = {sentence["id"]: n for n, (_, sentence) in enumerate(flat)}
    return Panel(
        name=path.stem,
        questions=questions,
        talk=Talk(
            tuple(sentence["text"] for _, sentence in flat),
            tuple(turn["speaker"] for turn, _ in flat),
            tuple(kinds.get(turn["phase"]) for turn, _ in flat),
        ),
        grades=np.array([[sentence["grades"][item.id] for _, sentence in flat] for item in questions]),
        verdicts=tuple(raw["verdicts"][item.id] for item in questions),
        points=tuple(
            tuple(frozenset(place[name] for name in point["sentences"]) for point in raw["points"][item.id])
            for item in questions
        ),
        raw=raw,
    )


# ---- conditions: the same panel as a machine would hand it over


def flat(panel: Panel) -> Panel:
    """Nobody knows who speaks or what is on."""
    nobody = (None,) * len(panel.talk)
    return replace(panel, talk=replace(panel.talk, speakers=nobody, kinds=nobody))


def with_word_errors(panel: Panel, rate: float, *, vocabulary: Sequence[str], seed: int = 1) -> Panel:
    """Of every `rate` wrong words 60 % are replaced, 20 % left out, 20 % doubled by a stray one."""
    rng = random.Random(f"{panel.name}/{seed}")
    return replace(
        panel, talk=replace(panel.talk, texts=tuple(_garble(t, rate, vocabulary, rng) for t in panel.talk.texts))
    )


def _garble(text: str, rate: float, vocabulary: Sequence[str], rng: random.Random) -> str:
    heard: list[str] = []
    for word in text.split():
        chance = rng.random()
        if chance < rate * 0.6:
            heard.append(rng.choice(vocabulary))
        elif rate * 0.6 <= chance < rate * 0.8:
            continue
        else:
            heard += [word, rng.choice(vocabulary)] if chance < rate else [word]
    return " ".join(heard) or text.split()[0]


def with_border_errors(panel: Panel, rate: float, *, seed: int = 1) -> Panel:
    """Sentences wrongly joined and cut, some punctuation and capitals lost; a piece keeps the best grade it holds
    where it holds most of that sentence."""
    rng = random.Random(f"{panel.name}/borders/{seed}")
    pieces: list[tuple[str, int]] = []  # text, sentence it came from
    for n, text in enumerate(panel.talk.texts):
        words = text.split()
        if len(words) >= 10 and rng.random() < rate:
            cut = rng.randrange(4, len(words) - 3)
            pieces += [(" ".join(words[:cut]), n), (" ".join(words[cut:]), n)]
        else:
            pieces.append((text, n))
    joined: list[tuple[str, list[int]]] = []
    for text, n in pieces:
        if joined and rng.random() < rate and count(joined[-1][0]) + count(text) < 45:
            joined[-1] = (f"{joined[-1][0].rstrip('.?!')} {text}", [*joined[-1][1], n])
        else:
            joined.append((text, [n]))
    if rng.random() < 0.5:
        joined = [(re.sub(r"[.,?!]", "", text) if rng.random() < 0.5 else text, from_) for text, from_ in joined]
    return _regraded(panel, joined)


def _regraded(panel: Panel, pieces: Sequence[tuple[str, list[int]]]) -> Panel:
    sources = [numbers for _, numbers in pieces]
    points = tuple(
        tuple(
            frozenset(n for n, numbers in enumerate(sources) if point.intersection(numbers)) for point in per_question
        )
        for per_question in panel.points
    )
    return replace(
        panel,
        talk=Talk(
            tuple(text or "-" for text, _ in pieces),
            tuple(panel.talk.speakers[numbers[0]] for numbers in sources),
            tuple(panel.talk.kinds[numbers[0]] for numbers in sources),
        ),
        grades=np.stack([panel.grades[:, numbers].max(1) for numbers in sources], 1),
        points=points,
    )


def vocabulary(panels: Sequence[Panel]) -> list[str]:
    return [word for panel in panels for text in panel.talk.texts for word in text.split()]


# ---- measures


def ndcg(order: Sequence[int], grades: NDArray[np.int64], *, at: int = 10) -> float:
    """Normalised discounted cumulative gain with gains 2^grade - 1."""
    discount = 1 / np.log2(np.arange(2, at + 2))
    gains = 2.0**grades - 1
    ideal = np.sort(gains)[::-1][:at]
    best = float((ideal * discount[: len(ideal)]).sum())
    got = gains[list(order[:at])]
    return float((got * discount[: len(got)]).sum()) / best if best else 0.0


def readable(panel: Panel) -> list[int]:
    """Sentences long enough to stand alone."""
    return [n for n, text in enumerate(panel.talk.texts) if count(text) >= READABLE_WORDS]


def ranking(panel: Panel, scores: NDArray[Any]) -> list[int]:
    return sorted(readable(panel), key=lambda n: -scores[n])


def measure(panel: Panel, scores: NDArray[Any], picks: Sequence[Sequence[int]] | None = None) -> NDArray[np.float64]:
    """One row per question that was addressed or thin: P@7 (grade >= 2), nDCG@10, points covered, P@7 (grade 3),
    share of grade 0. `scores` is (questions, sentences); `picks` replace the top seven where a chooser made them."""
    rows = []
    for q, grades in enumerate(panel.grades):
        if panel.verdicts[q] == "not addressed":
            continue
        order = ranking(panel, scores[q])
        taken = list(picks[q]) if picks is not None else order[:PICKS]
        got = grades[taken] if taken else np.zeros(1, np.int64)
        covered = [bool(point.intersection(taken)) for point in panel.points[q]]
        rows.append([np.mean(got >= 2), ndcg(order, grades), np.mean(covered), np.mean(got == 3), np.mean(got == 0)])
    return np.array(rows).reshape(-1, 5)


def bootstrap(differences: Sequence[float], *, n: int = 2000, seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of the mean, resampling sessions."""
    rng = np.random.default_rng(seed)
    values = np.asarray(differences, float)
    means = values[rng.integers(0, len(values), (n, len(values)))].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
