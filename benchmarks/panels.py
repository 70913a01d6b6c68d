"""Key points against graded panels, every yardstick in one table.

    python -m benchmarks.panels FOLDER [--train FOLDER] [--conditions abc] [--controls]

a: speakers and phases known; b: nobody knows (what a recogniser gives); c: b with 15 % word errors, drawn from the
words of `--train`. Figures: share of 7 picks with grade >= 2, nDCG@10, share of points covered, share of picks with
grade 3, with grade 0; over questions that were addressed or thin. Verdicts: AUC for "not addressed", and both errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.metrics_panels import Panel, bootstrap, flat, load, measure, vocabulary, with_word_errors
from transcriber.datatypes import Sentence
from transcriber.summary.baselines import BASELINES
from transcriber.summary.choose import choose
from transcriber.summary.encoder import SentenceEncoder, VectorStore
from transcriber.summary.features import Signals, signals
from transcriber.summary.model import EvidenceModel
from transcriber.summary.verdict import Judgement
from transcriber.summary.words import count

Measured = list[tuple[Panel, Signals]]
Scorer = Callable[[Panel, Signals], Any]

KINDS = {"natural + hard": ("natural", "hard"), "mixed": ("mixed",), "natural": ("natural",)}
WORD_ERRORS = 0.15


def main() -> None:
    options = _arguments()
    store = VectorStore(SentenceEncoder(options.encoder), options.vectors)
    model = EvidenceModel.load(options.model)
    panels = load(options.folder)
    words = vocabulary(load(options.train)) if options.train else vocabulary(panels)
    for condition in options.conditions:
        changed = [_in_condition(panel, condition, words) for panel in panels]
        measured = [(panel, signals(panel.talk, panel.questions, encoder=store)) for panel in changed]
        print(f"\n## condition {condition}: P@7 >= 2 / nDCG@10 / points / P@7 = 3 / grade 0")
        _table(measured, model, controls=options.controls, store=store)
        print_verdicts(measured, model)
    store.save()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Key points against graded panels.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=Path, help="panels whose words serve as stray words of condition c")
    parser.add_argument("--encoder", type=Path, default=Path("models/minilm-l6-v2-int8"))
    parser.add_argument("--model", type=Path, default=Path("models/evidence-ranker"))
    parser.add_argument("--vectors", type=Path, default=Path("build/panel-vectors.npz"))
    parser.add_argument("--conditions", default="abc")
    parser.add_argument("--controls", action="store_true", help="also shuffled questions and long sentences")
    return parser.parse_args()


def _in_condition(panel: Panel, condition: str, words: Sequence[str]) -> Panel:
    if condition == "a":
        return panel
    return flat(panel) if condition == "b" else with_word_errors(flat(panel), WORD_ERRORS, vocabulary=words)


def _table(measured: Measured, model: EvidenceModel, *, controls: bool, store: VectorStore) -> None:
    ranked = {id(seen): model.ranker.rank(seen).scores for _, seen in measured}
    scorers: dict[str, Scorer] = {
        name: (lambda panel, seen, rank=rank: rank(panel.talk, panel.questions, seen))
        for name, rank in BASELINES.items()
    }
    untrained = EvidenceModel.untrained().ranker
    scorers["fusion, untrained"] = lambda panel, seen: untrained.rank(seen).scores
    scorers["trained ranker"] = lambda panel, seen: ranked[id(seen)]
    if controls:
        scorers["control: longest"] = lambda panel, seen: _lengths(panel)
        scorers["control: questions shuffled"] = lambda panel, seen: np.roll(ranked[id(seen)], 1, 0)
    rows = {name: [measure(panel, scorer(panel, seen)) for panel, seen in measured] for name, scorer in scorers.items()}
    rows["trained ranker, chosen"] = [measure(p, ranked[id(s)], chosen(p, s, ranked[id(s)])) for p, s in measured]
    for kind, names in KINDS.items():
        inside = [n for n, (panel, _) in enumerate(measured) if panel.kind in names]
        if not inside:
            continue
        print(f"{kind} ({len(inside)} sessions)")
        for name, per_session in rows.items():
            figures = np.concatenate([per_session[n] for n in inside]).mean(0)
            print(f"  {name:28s}" + " / ".join(f"{figure:.3f}" for figure in figures))
        _intervals(rows, inside)


def _intervals(rows: dict[str, list[Any]], inside: Sequence[int]) -> None:
    """The trained ranker less the best yardstick, resampling sessions."""
    yardstick = max(BASELINES, key=lambda name: np.concatenate([rows[name][n] for n in inside])[:, 1].mean())
    parts = []
    for column, label in enumerate(("P@7", "nDCG@10", "points")):
        gains = [rows["trained ranker"][n][:, column].mean() - rows[yardstick][n][:, column].mean() for n in inside]
        low, high = bootstrap(gains)
        parts.append(f"{label} {np.mean(gains):+.3f} [{low:+.3f}, {high:+.3f}]")
    print(f"  trained less {yardstick} (95 %): " + ", ".join(parts))


def _lengths(panel: Panel) -> Any:
    return np.tile([count(text) for text in panel.talk.texts], (len(panel.questions), 1))


def chosen(panel: Panel, seen: Signals, scores: Any) -> list[list[int]]:
    """What the product would show: its own choice of seven."""
    sentences = [
        Sentence(index=n, start=float(n), end=n + 0.9, text=text, speaker=panel.talk.speakers[n])
        for n, text in enumerate(panel.talk.texts)
    ]
    return [[pick.place for pick in choose(row, sentences, seen.vectors, points=7)] for row in scores]


def print_verdicts(measured: Measured, model: EvidenceModel) -> None:
    """AUC of "not addressed" and both errors."""
    judged: list[tuple[str, Judgement]] = []
    for panel, seen in measured:
        judged += zip(panel.verdicts, model.judge(model.ranker.rank(seen)), strict=True)
    for kind, names in (("all", ("natural", "hard", "mixed", "train")), *KINDS.items()):
        inside = [panel.kind in names for panel, _ in measured for _ in panel.verdicts]
        part = [pair for pair, is_in in zip(judged, inside, strict=True) if is_in]
        if not part:
            continue
        table = {
            (truth, said): sum(t == truth and j.verdict == said for t, j in part)
            for truth in ("addressed", "thin", "not addressed")
            for said in ("addressed", "thin", "not addressed")
        }
        print(
            f"  verdicts, {kind}: AUC {auc(part):.3f}; unanswered called addressed "
            + _share(table, "not addressed", "addressed")
            + "; addressed called not addressed "
            + _share(table, "addressed", "not addressed")
            + "; thin called thin "
            + _share(table, "thin", "thin")
        )


def auc(judged: Sequence[tuple[str, Judgement]]) -> float:
    """The chance that an unanswered question looks less answered than an answered or thin one."""
    scores = [(truth == "not addressed", judgement.unanswered or 0.0) for truth, judgement in judged]
    yes = [score for unanswered, score in scores if unanswered]
    no = [score for unanswered, score in scores if not unanswered]
    wins = [(a > b) + 0.5 * (a == b) for a in yes for b in no]
    return float(np.mean(wins)) if wins else float("nan")


def _share(table: dict[tuple[str, str], int], truth: str, said: str) -> str:
    total = sum(number for (t, _), number in table.items() if t == truth)
    return f"{table[truth, said]} of {total}"


if __name__ == "__main__":
    main()
