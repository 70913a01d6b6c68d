"""What can be seen of each sentence, by itself and beside each question: the input of every ranker.

The same code serves training and use. Nothing here knows a particular question, topic or session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcriber.datatypes import Question
from transcriber.summary.encoder import Encoder
from transcriber.summary.lexical import WordIndex
from transcriber.summary.manner import Matrix, hints, manner
from transcriber.summary.talk import Talk, is_question
from transcriber.summary.words import content_words

# The columns of `Signals.asked`, in the order the trained weights expect.
ASKED: tuple[str, ...] = (
    *("close", "pair", "wide", "heard", "shared", "close2", "close5", "shared3", "pair8"),
    *("liked", "liked pair", "liked wide", "close margin", "pair margin", "wide margin", "heard margin"),
    *("close here", "pair here", "wide here", "close5 here", "shared here"),
    *("close5 share", "wide share", "pair8 share", "read aloud", "cues"),
)


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything measured once per session. N sentences, Q questions, D vector dimensions."""

    own: Matrix  # (N, F0): of the sentence alone
    hints: Matrix  # (N, F1): of speakers and phases, zeros where unknown
    asked: Matrix  # (Q, N, F2): of the sentence beside a question
    vectors: Matrix  # (N, D)
    questions: Matrix  # (Q, D)

    def column(self, name: str) -> Matrix:
        """One of the columns of `asked` by its name in ASKED, shape (Q, N)."""
        found: Matrix = self.asked[..., ASKED.index(name)]
        return found


def signals(talk: Talk, questions: Sequence[Question], *, encoder: Encoder) -> Signals:
    """Measure a session against its questions. Needs at least one sentence and one question."""
    vectors = encoder.encode(talk.texts)
    pairs = encoder.encode([" ".join(talk.texts[max(0, n - 1) : n + 1]) for n in range(len(talk))])
    asked = encoder.encode([question.text for question in questions])
    index = WordIndex(talk.texts)
    return Signals(
        own=manner(talk, vectors, index),
        hints=hints(talk),
        asked=_beside(talk, questions, index, (vectors, pairs, asked)),
        vectors=vectors,
        questions=asked,
    )


def _beside(
    talk: Talk, questions: Sequence[Question], index: WordIndex, encoded: tuple[Matrix, Matrix, Matrix]
) -> Matrix:
    vectors, pairs, asked = encoded
    views = {
        "close": asked @ vectors.T,
        "pair": asked @ pairs.T,
        "wide": asked @ _unit(_window(vectors, 6)).T,
        "heard": asked @ _last_asked(talk, pairs).T,
    }  # each (questions, sentences)
    replies = np.array([not is_question(text) for text in talk.texts])
    liked = _feedback(views["close"] + views["pair"], (vectors, pairs, _unit(_window(vectors, 6))), replies)
    table = index.tfidf()
    queries = [content_words(question.text) for question in questions]
    shared = np.array([table @ index.tfidf_query(query) for query in queries], np.float32)
    near, far = _smooth(views["close"], 5), _smooth(views["pair"], 8)
    columns = views | {
        "shared": shared,
        "close2": _smooth(views["close"], 2),
        "close5": near,
        "shared3": _smooth(shared, 3),
        "pair8": far,
        "liked": liked[0],
        "liked pair": liked[1],
        "liked wide": liked[2],
        **{f"{name} margin": _margin(view) for name, view in views.items()},
        **{f"{name} here": _standard(views[name]) for name in ("close", "pair", "wide")},
        "close5 here": _standard(near),
        "shared here": _standard(shared),
        "close5 share": _share(near),
        "wide share": _share(views["wide"]),
        "pair8 share": _share(far),
        "read aloud": np.array([index.recall(query) for query in queries], np.float32),
        "cues": _cues(index, questions),
    }
    return np.stack([columns[name] for name in ASKED], -1).astype(np.float32)


def _cues(index: WordIndex, questions: Sequence[Question]) -> Matrix:
    """How many of the organiser's own cue words a sentence and its neighbours hold."""
    found = np.zeros((len(questions), len(index)), np.float32)
    for row, question in enumerate(questions):
        cues = {word for cue in question.cues for word in content_words(cue)}
        found[row] = [min(2, len(cues.intersection(words))) for words in index.words]
    return np.asarray(np.maximum(found, 0.5 * _smooth(found, 1)), np.float32)


def _last_asked(talk: Talk, pairs: Matrix) -> Matrix:
    """For each sentence the vector of the latest question put aloud (with the sentence before it)."""
    heard, latest = np.empty_like(pairs), pairs[0]
    for n, text in enumerate(talk.texts):
        if is_question(text):
            latest = pairs[n]
        heard[n] = latest
    return heard


def _feedback(closeness: Matrix, views: tuple[Matrix, ...], replies: NDArray[np.bool_]) -> list[Matrix]:
    """Likeness to the middle of the eight closest sentences that ask nothing (pseudo relevance feedback)."""
    guess = np.where(replies, closeness, -9)
    best = np.argsort(-guess, axis=1, kind="stable")[:, :8]
    middle = views[0][best].mean(1)  # (Q, D)
    return [middle @ view.T for view in views]


def _margin(view: Matrix) -> Matrix:
    """How much closer than to the closest other question; zero when there is no other."""
    if len(view) == 1:
        return np.zeros_like(view)
    others = np.stack([np.delete(view, row, 0).max(0) for row in range(len(view))])
    return np.asarray(view - others, np.float32)


def _share(view: Matrix) -> Matrix:
    """A question's part in each sentence, as against the others (softmax); one half when there is no other."""
    if len(view) == 1:
        return np.full_like(view, 0.5)
    weights = np.exp(10 * (view - view.max(0, keepdims=True)))
    return np.asarray(weights / weights.sum(0, keepdims=True), np.float32)


def _standard(view: Matrix) -> Matrix:
    return np.asarray((view - view.mean(1, keepdims=True)) / (view.std(1, keepdims=True) + 1e-6), np.float32)


def _smooth(view: Matrix, reach: int) -> Matrix:
    """Means over `reach` sentences to each side, along the last axis; shorter at the ends."""
    return _window(view.T, reach).T


def _window(rows: Matrix, reach: int) -> Matrix:
    """Means of rows over `reach` neighbours to each side."""
    totals = np.concatenate([np.zeros((1, rows.shape[1]), np.float64), np.cumsum(rows, 0, dtype=np.float64)])
    places = np.arange(len(rows))
    low, high = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(rows))
    return np.asarray((totals[high] - totals[low]) / (high - low)[:, None], np.float32)


def _unit(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
