"""The yardsticks: rankings anybody could make, for the same benchmarks as the trained ranker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from transcriber.datatypes import Question
from transcriber.summary.features import Signals
from transcriber.summary.lexical import Array, WordIndex
from transcriber.summary.manner import Matrix
from transcriber.summary.talk import Talk
from transcriber.summary.words import content_words

Baseline = Callable[[Talk, Sequence[Question], Signals], Matrix]

DAMPING = 0.85  # of PageRank
LEXRANK_THRESHOLD = 0.1  # Erkan and Radev 2004: cosine above which two sentences are linked


def random(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    return np.random.default_rng(0).random((len(questions), len(talk))).astype(np.float32)


def lead(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    """The first sentences."""
    return _for_all(-np.arange(len(talk), dtype=np.float64), questions)


def textrank(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    """Mihalcea and Tarau 2004: PageRank over shared words by sentence length."""
    rows = [set(words) for words in WordIndex(talk.texts).words]
    links = np.zeros((len(rows), len(rows)))
    for a, first in enumerate(rows):
        for b, second in enumerate(rows[:a]):
            norm = np.log(max(1, len(first))) + np.log(max(1, len(second)))
            links[a, b] = links[b, a] = len(first & second) / norm if norm > 0 else 0.0
    return _for_all(_pagerank(links), questions)


def lexrank(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    """Erkan and Radev 2004: PageRank over TF-IDF cosines above a threshold."""
    table = WordIndex(talk.texts).tfidf()
    links = (table @ table.T > LEXRANK_THRESHOLD).astype(np.float64)
    np.fill_diagonal(links, 0)
    return _for_all(_pagerank(links), questions)


def tfidf(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    return signals.column("shared")


def bm25(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    index = WordIndex(talk.texts)
    return np.array([index.bm25(content_words(question.text)) for question in questions], np.float32)


def minilm(talk: Talk, questions: Sequence[Question], signals: Signals) -> Matrix:
    return signals.column("close")


BASELINES: dict[str, Baseline] = {
    "random": random,
    "lead": lead,
    "TextRank": textrank,
    "LexRank": lexrank,
    "TF-IDF": tfidf,
    "BM25": bm25,
    "MiniLM": minilm,
}


def _for_all(scores: Array, questions: Sequence[Question]) -> Matrix:
    return np.tile(scores.astype(np.float32), (len(questions), 1))


def _pagerank(links: Array, *, rounds: int = 60) -> Array:
    n = len(links)
    degree = links.sum(1, keepdims=True)
    flow = np.divide(links, degree, out=np.full_like(links, 1 / max(1, n)), where=degree > 0)
    rank = np.full(n, 1 / max(1, n))
    for _ in range(rounds):
        rank = (1 - DAMPING) / n + DAMPING * (rank @ flow)
    return rank
