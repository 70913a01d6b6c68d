"""The sequence ranker in torch: only for training. `transcriber.summary.ranker` reads its weights in numpy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as fn
from torch import nn

from tools.panel_variants import Variant
from transcriber.summary.features import Signals
from transcriber.summary.ranker import CLIP, GAINS

HIDDEN, HIDDEN_AGAIN, PROJECTED = 40, 24, 16
DROPOUT = 0.3
STEPS, SESSIONS_PER_STEP, RATE, DECAY = 750, 2, 3e-3, 0.02
N_SPEAKER_HINTS = 8  # the first columns of `Signals.hints`; the rest are of phases
HINTS = {"none": 0.6, "speakers": 0.15, "phases": 0.05, "both": 0.2}  # how often training sees which hints
WORTH = torch.tensor(GAINS * 7)


@dataclass(frozen=True)
class Example:
    variant: Variant
    signals: Signals


class Network(nn.Module):
    def __init__(self, n_measures: int) -> None:
        super().__init__()
        self.px, self.pq = nn.Linear(384, PROJECTED), nn.Linear(384, PROJECTED)
        self.drop = nn.Dropout(DROPOUT)
        self.g1 = nn.GRU(n_measures + 2 * PROJECTED, HIDDEN, bidirectional=True, batch_first=True)
        self.o1 = nn.Linear(2 * HIDDEN + n_measures, 4)
        self.g2 = nn.GRU(2 * HIDDEN + 9, HIDDEN_AGAIN, bidirectional=True, batch_first=True)
        self.o2 = nn.Linear(2 * HIDDEN_AGAIN + 2 * HIDDEN + 9, 4)

    def forward(self, measures: Any, vectors: Any, questions: Any) -> tuple[Any, Any]:
        """Logits of the first and the second reading, each (questions, sentences, 4)."""
        spoken = self.drop(self.px(vectors * 5))
        beside = self.drop(self.pq(vectors[None] * questions[:, None] * 20))
        inputs = torch.cat([measures, spoken[None].expand(len(questions), -1, -1), beside], -1)
        state = self.drop(self.g1(self.drop(inputs))[0])
        first = self.o1(torch.cat([state, measures], -1))
        again = torch.cat([state, first, _rivalry(first, vectors)], -1)
        return first, first + self.o2(torch.cat([self.drop(self.g2(again)[0]), again], -1))


def _rivalry(logits: Any, vectors: Any) -> Any:
    centre = fn.normalize(torch.softmax(logits[..., 3], 1) @ vectors, dim=-1)
    like = 3 * (centre @ vectors.T)
    worth = torch.sigmoid(logits[..., :3]) @ WORTH
    if len(worth) == 1:
        rival_worth, rival_like = torch.zeros_like(worth), torch.zeros_like(like)
    else:
        rival_worth, rival_like = _others(worth), _others(like)
    return torch.stack([like, like - rival_like, worth - rival_worth, rival_worth, worth], -1)


def _others(rows: Any) -> Any:
    return torch.stack([torch.cat([rows[:n], rows[n + 1 :]]).max(0).values for n in range(len(rows))])


def loss(logits: Any, grades: Any, weights: Any) -> Any:
    """Ordinal cross-entropy per sentence; a share-out of each question over sentences, and of each graded sentence
    over the questions, which is what teaches the network to read the question."""
    steps = torch.stack([(grades >= k).float() for k in (1, 2, 3)], -1)
    entropy = fn.binary_cross_entropy_with_logits(logits[..., :3], steps, reduction="none").sum(-1)
    total = (entropy * weights[:, None]).mean()
    gains = 2.0**grades - 1
    answered = gains.sum(1) > 3
    if answered.any():
        shares = gains / gains.sum(1, keepdim=True).clamp(min=1)
        total = total - 0.5 * (shares * torch.log_softmax(logits[..., 3], 1)).sum(1)[answered].mean()
    claims = gains * weights[:, None]
    telling = claims.max(0).values >= 3
    if len(grades) > 1 and telling.any():
        scores = torch.sigmoid(logits[..., :3]) @ WORTH + 0.3 * logits[..., :3].sum(-1)
        wanted = claims[:, telling] / claims[:, telling].sum(0)
        total = total - 0.5 * (wanted * torch.log_softmax(0.7 * scores[:, telling], 0)).sum(0).mean()
    return total


def scaling(examples: Sequence[Example]) -> dict[str, Any]:
    """Means and spreads of the measures."""
    own = np.concatenate([example.signals.own for example in examples])
    asked = np.concatenate([example.signals.asked.reshape(-1, example.signals.asked.shape[-1]) for example in examples])
    return {
        "own mean": own.mean(0),
        "own spread": own.std(0) + 1e-3,
        "asked mean": asked.mean(0),
        "asked spread": asked.std(0) + 1e-3,
    }


def train(examples: Sequence[Example], scale: dict[str, Any], *, seed: int, steps: int = STEPS) -> dict[str, Any]:
    """A network's weights. Each step reads a random guise of random panels, half the time only a stretch of it."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = random.Random(seed)
    pools: dict[str, list[Example]] = {}
    for example in examples:
        pools.setdefault(example.variant.panel.name, []).append(example)
    groups = list(pools.values())
    signals = examples[0].signals
    network = Network(signals.own.shape[1] + signals.hints.shape[1] + signals.asked.shape[2])
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    network.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / (0.1 * steps)) * max(0.02, 1 - step / steps)
        optimiser.zero_grad()
        for _ in range(SESSIONS_PER_STEP):
            measures, vectors, questions, grades, weights = _tensors(rng.choice(rng.choice(groups)), scale, rng)
            first, second = network(measures, vectors, questions)
            total = loss(second, grades, weights) + 0.5 * loss(first, grades, weights)
            (total / SESSIONS_PER_STEP).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}


def _tensors(example: Example, scale: dict[str, Any], rng: random.Random) -> tuple[Any, ...]:
    signals, panel = example.signals, example.variant.panel
    hints = signals.hints.copy()
    kind = rng.choices(list(HINTS), list(HINTS.values()))[0]
    if kind in ("none", "phases"):
        hints[:, :N_SPEAKER_HINTS] = 0
    if kind in ("none", "speakers"):
        hints[:, N_SPEAKER_HINTS:] = 0
    own = np.clip((signals.own - scale["own mean"]) / scale["own spread"], -CLIP, CLIP)
    asked = np.clip((signals.asked - scale["asked mean"]) / scale["asked spread"], -CLIP, CLIP)
    seen = np.concatenate([own, hints], 1)
    measures = np.concatenate([np.broadcast_to(seen, (len(asked), *seen.shape)), asked], -1)
    first, size = 0, len(own)
    if rng.random() < 0.5:
        size = int(len(own) * rng.uniform(0.6, 1))
        first = rng.randrange(len(own) - size + 1)
    stretch = slice(first, first + size)
    arrays = (measures[:, stretch], signals.vectors[stretch], signals.questions, panel.grades[:, stretch])
    return (
        *(torch.tensor(np.ascontiguousarray(array), dtype=torch.float32) for array in arrays),
        torch.tensor(example.variant.weights),
    )
