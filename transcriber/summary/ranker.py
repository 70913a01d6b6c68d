"""How likely each sentence is to answer each question."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from transcriber.errors import ModelError
from transcriber.summary.features import ASKED, Signals
from transcriber.summary.manner import ASKS, COURTESY, LENGTH, Matrix

GAINS = np.array([1.0, 2.0, 4.0], np.float32) / 7  # of "on the topic", "part of an answer", "key point", one on another
CLIP = 4.0  # standard deviations beyond which a measure says no more
WEIGHTS = "weights.npz"
_REPAIR = "Check it with `transcriber models verify`; a fresh checkout brings it back."

Weights = Mapping[str, Matrix]


@dataclass(frozen=True, slots=True)
class Ranking:
    """`chances` (questions, sentences, 3): that a sentence is at least on the topic, part of an answer, a key point."""

    chances: Matrix
    method: str

    @property
    def scores(self) -> Matrix:
        """Expected worth, 0 to 1, shape (questions, sentences)."""
        return np.asarray(self.chances @ GAINS, np.float32)


class Ranker(Protocol):
    def rank(self, signals: Signals) -> Ranking: ...


class FusionRanker:
    """The ranker that needs no training: closeness of meaning of the sentence, its neighbours and the question being
    discussed, plus shared words, less what announces, asks or merely repeats the question."""

    def rank(self, signals: Signals) -> Ranking:
        see = signals.column
        worth = 0.8 * (see("close") + see("pair") + see("pair8") + see("close margin")) + 1.2 * see("close5")
        worth = worth + 0.4 * see("shared") - 0.6 * np.maximum(0, see("read aloud") - 0.45)
        worth = worth + 0.1 * np.minimum(signals.own[:, LENGTH], 1.2) - 0.35 * signals.own[:, ASKS]
        worth = worth - 0.12 * signals.own[:, COURTESY]
        steps = np.array([0.75, 1.05, 1.35])
        return Ranking(_sigmoid(6 * (worth[..., None] - steps)), "shared words and MiniLM, untrained")


class SequenceRanker:
    """A few small networks that read the whole session in order, once per question, and then compare the questions.

    Each is a two-way GRU over measures and projected vectors; a second one reads its findings again beside what the
    best sentences of this question look like and what the other questions claim. Plain numpy; torch only trains them.
    """

    def __init__(self, networks: tuple[Weights, ...], scaling: Weights, *, name: str = "sequence ranker") -> None:
        self._networks = networks
        self._scaling = scaling
        self._name = name

    @classmethod
    def load(cls, folder: Path) -> SequenceRanker:
        """The weights in `folder`. Raises ModelError where they are missing, damaged or of another version."""
        arrays = read_weights(folder)
        numbers = sorted({key.split("/")[0] for key in arrays if key[:1].isdigit()})
        networks = tuple(_under(f"{number}/", arrays) for number in numbers)
        scaling = _under("scaling/", arrays)
        if not networks or len(scaling.get("asked mean", ())) != len(ASKED):
            raise ModelError(f"The evidence ranker in {folder} is of another version.", hint=_REPAIR)
        return cls(networks, scaling)

    def rank(self, signals: Signals) -> Ranking:
        scale = self._scaling
        own = np.clip((signals.own - scale["own mean"]) / scale["own spread"], -CLIP, CLIP)
        asked = np.clip((signals.asked - scale["asked mean"]) / scale["asked spread"], -CLIP, CLIP)
        seen = np.concatenate([own, signals.hints], 1)
        measures = np.concatenate([np.broadcast_to(seen, (len(asked), *seen.shape)), asked], -1)
        logits = [_network(weights, measures, signals) for weights in self._networks]
        return Ranking(_sigmoid(np.mean(logits, 0)[..., :3]), self._name)


def read_weights(folder: Path) -> dict[str, Matrix]:
    """All arrays of the shipped weights; nothing in the file is executed. Raises ModelError."""
    path = folder / WEIGHTS
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"The evidence ranker's {path} cannot be read: {error}.", hint=_REPAIR) from error


def _under(prefix: str, arrays: Weights) -> dict[str, Matrix]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _network(weights: Weights, measures: Matrix, signals: Signals) -> Matrix:
    """Logits (questions, sentences, 4): three ordinal ones and the one that shares out a question's attention."""
    vectors, questions = signals.vectors, signals.questions
    spoken = _linear(weights, "px", vectors * 5)
    beside = _linear(weights, "pq", vectors[None] * questions[:, None] * 20)
    inputs = np.concatenate([measures, np.broadcast_to(spoken, (len(questions), *spoken.shape)), beside], -1)
    state = _gru(weights, "g1", inputs)
    first = _linear(weights, "o1", np.concatenate([state, measures], -1))
    again = np.concatenate([state, first, _rivalry(first, vectors)], -1)
    return first + _linear(weights, "o2", np.concatenate([_gru(weights, "g2", again), again], -1))


def _rivalry(logits: Matrix, vectors: Matrix) -> Matrix:
    """Likeness to this question's best sentences, expected worth, and how both compare with the other questions'."""
    attention = np.exp(logits[..., 3] - logits[..., 3].max(1, keepdims=True))
    attention = attention / attention.sum(1, keepdims=True)
    centre: Matrix = np.asarray(attention @ vectors, np.float32)
    centre /= np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-9)
    like = np.asarray(3 * (centre @ vectors.T), np.float32)
    worth = np.asarray(_sigmoid(logits[..., :3]) @ (GAINS * 7), np.float32)
    rival_worth, rival_like = _others(worth), _others(like)
    columns = [like, like - rival_like, worth - rival_worth, rival_worth, worth]
    return np.asarray(np.stack(columns, -1), np.float32)


def _others(rows: Matrix) -> Matrix:
    """For each question the best of the others, sentence by sentence; zeros where there is no other."""
    if len(rows) == 1:
        return np.zeros_like(rows)
    return np.stack([np.delete(rows, row, 0).max(0) for row in range(len(rows))])


def _linear(weights: Weights, name: str, rows: Matrix) -> Matrix:
    return np.asarray(rows @ weights[f"{name}.weight"].T + weights[f"{name}.bias"], np.float32)


def _gru(weights: Weights, name: str, inputs: Matrix) -> Matrix:
    """A gated recurrent unit read forwards and backwards (Cho et al. 2014, gates in torch's order)."""
    return np.concatenate(
        [
            _gru_one_way(weights, f"{name}.{{}}_l0", inputs),
            _gru_one_way(weights, f"{name}.{{}}_l0_reverse", inputs[:, ::-1])[:, ::-1],
        ],
        -1,
    )


def _gru_one_way(weights: Weights, name: str, inputs: Matrix) -> Matrix:
    recurrent, bias = weights[name.format("weight_hh")].T, weights[name.format("bias_hh")]
    driven = inputs @ weights[name.format("weight_ih")].T + weights[name.format("bias_ih")]
    size = len(recurrent)
    state = np.zeros((len(inputs), size), np.float32)
    states = np.empty((*inputs.shape[:2], size), np.float32)
    for step in range(inputs.shape[1]):
        carried = state @ recurrent + bias
        gates = _sigmoid(driven[:, step, : 2 * size] + carried[:, : 2 * size])
        fresh = np.tanh(driven[:, step, 2 * size :] + gates[:, :size] * carried[:, 2 * size :])
        state = fresh + gates[:, size:] * (state - fresh)
        states[:, step] = state
    return states


def _sigmoid(values: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32)
