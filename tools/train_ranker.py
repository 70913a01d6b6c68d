"""Train the evidence ranker and the verdict model from graded panels: one command, fixed seeds.

    python -m tools.train_ranker PANELS/train --encoder models/minilm-l6-v2-int8 --out models/evidence-ranker

Needs torch (development only). Sentence vectors are kept in `--vectors`, so that a second training starts at once.
Networks for the verdict model never saw the panels it is fitted on (`--folds`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.metrics_panels import load
from tools.panel_variants import variants
from tools.ranker_network import STEPS, Example, scaling, train
from transcriber.summary.encoder import SentenceEncoder, VectorStore
from transcriber.summary.features import Signals, signals
from transcriber.summary.ranker import WEIGHTS, Ranking, SequenceRanker
from transcriber.summary.verdict import evidence

N_NETWORKS = 3
MAX_UNANSWERED_PASSED = 0.10  # of unanswered questions may be called addressed
MAX_ANSWERED_DENIED = 0.03  # of addressed questions may be called not addressed


def main() -> None:
    options = _arguments()
    panels = load(options.panels)
    store = VectorStore(SentenceEncoder(options.encoder), options.vectors)
    started = time.monotonic()
    examples = [Example(v, signals(v.panel.talk, v.panel.questions, encoder=store)) for v in variants(panels)]
    store.save()
    _say(started, f"{len(panels)} panels in {len(examples)} guises measured")
    judged = list(_out_of_fold(examples, [panel.name for panel in panels], options, started))
    scale = scaling(examples)
    arrays = {f"scaling/{name}": value.astype(np.float32) for name, value in scale.items()}
    for seed in range(options.networks):
        weights = train(examples, scale, seed=seed, steps=options.steps)
        arrays |= {f"{seed}/{name}": value for name, value in weights.items()}
        _say(started, f"network {seed + 1} of {options.networks} trained")
    arrays |= verdict_model(judged)
    write(options.out, arrays, n_panels=len(panels))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("panels", type=Path, help="folder of graded panels to learn from")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the sentence encoder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--vectors", type=Path, default=Path("build/panel-vectors.npz"), help="kept sentence vectors")
    parser.add_argument("--networks", type=int, default=N_NETWORKS)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=STEPS)
    return parser.parse_args()


def _say(started: float, what: str) -> None:
    print(f"{time.monotonic() - started:6.0f} s  {what}", flush=True)


# ---- verdicts: judged on panels the networks did not learn from


def _out_of_fold(
    examples: Sequence[Example], names: Sequence[str], options: argparse.Namespace, started: float
) -> Iterable[tuple[Example, Ranking]]:
    for fold in range(options.folds):
        held = {name for n, name in enumerate(names) if n % options.folds == fold}
        known = [example for example in examples if example.variant.panel.name not in held]
        scale = scaling(known)
        ranker = SequenceRanker((train(known, scale, seed=fold, steps=options.steps),), scale)
        for example in examples:
            if example.variant.panel.name in held and not example.variant.name.startswith("questions"):
                yield example, ranker.rank(without_hints(example.signals))
        _say(started, f"fold {fold + 1} of {options.folds} judged")


def without_hints(measured: Signals) -> Signals:
    """As a recogniser hands a session over: nobody knows who speaks."""
    return replace(measured, hints=np.zeros_like(measured.hints))


def verdict_model(judged: Sequence[tuple[Example, Ranking]]) -> dict[str, Any]:
    """Two logistic regressions (not addressed; addressed in full) and the two limits that keep both errors low."""
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([evidence(ranking) for _, ranking in judged])
    verdicts = np.array([verdict for example, _ in judged for verdict in example.variant.panel.verdicts])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    table = (rows - mean) / spread
    targets = (verdicts == "not addressed", verdicts == "addressed")
    fits = [LogisticRegression(C=0.1, class_weight="balanced").fit(table, target) for target in targets]
    unanswered, full = (fit.predict_proba(table)[:, 1] for fit in fits)
    denied = float(np.quantile(unanswered[targets[1]], 1 - MAX_ANSWERED_DENIED))
    passed = float(np.quantile(full[targets[0]], 1 - MAX_UNANSWERED_PASSED))
    return {
        "verdict/mean": mean.astype(np.float32),
        "verdict/spread": spread.astype(np.float32),
        "verdict/slopes": np.concatenate([fit.coef_ for fit in fits]).astype(np.float32),
        "verdict/offsets": np.concatenate([fit.intercept_ for fit in fits]).astype(np.float32),
        "verdict/limits": np.array([max(0.5, denied), max(0.5, passed)], np.float32),
    }


def write(folder: Path, arrays: dict[str, Any], *, n_panels: int) -> None:
    """The weights and a manifest that names their hash."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS
    np.savez_compressed(path, **arrays)
    data = path.read_bytes()
    manifest = {
        "name": "evidence-ranker",
        "kind": "ranker",
        "license": "MIT",
        "trained_on": f"{n_panels} graded panels written for this project",
        "files": {WEIGHTS: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
