"""Word overlap between sentences and questions: BM25 and TF-IDF over one session's sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transcriber.summary.words import content_words

Array = NDArray[np.float64]

K1 = 1.2  # BM25: how soon repetition stops counting
B = 0.75  # BM25: how much long sentences are held back


class WordIndex:
    """Content words of a list of sentences, counted once for every measure."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.words = [content_words(text) for text in texts]
        self._vocabulary = {word: n for n, word in enumerate(sorted({word for row in self.words for word in row}))}
        self._rows = [Counter(self._vocabulary[word] for word in row) for row in self.words]
        spread = Counter(word for row in self._rows for word in row)
        self._frequency = np.array([spread[n] for n in range(len(self._vocabulary))], np.float64)
        self._lengths = np.array([len(row) for row in self.words], np.float64)

    def __len__(self) -> int:
        return len(self.words)

    def rarity(self, word: str) -> float:
        """Inverse document frequency, never negative; a word not heard here counts as the rarest."""
        place = self._vocabulary.get(word)
        frequency = 0.0 if place is None else float(self._frequency[place])
        return math.log(1 + (len(self) - frequency + 0.5) / (frequency + 0.5))

    def bm25(self, query: Sequence[str]) -> Array:
        """Robertson's BM25 of each sentence for stemmed query words."""
        wanted = Counter(self._vocabulary[word] for word in query if word in self._vocabulary)
        scores = np.zeros(len(self))
        if not wanted:
            return scores
        idf = np.log(1 + (len(self) - self._frequency + 0.5) / (self._frequency + 0.5))
        norm = K1 * (1 - B + B * self._lengths / max(1e-9, self._lengths.mean()))
        for n, row in enumerate(self._rows):
            for place in row.keys() & wanted.keys():
                scores[n] += wanted[place] * idf[place] * row[place] * (K1 + 1) / (row[place] + norm[n])
        return scores

    def tfidf(self) -> Array:
        """Unit TF-IDF rows, shape (sentences, vocabulary): log term counts, smoothed idf."""
        matrix = np.zeros((len(self), max(1, len(self._vocabulary))))
        for n, row in enumerate(self._rows):
            for place, times in row.items():
                matrix[n, place] = (1 + math.log(times)) * self._idf(place)
        return _unit(matrix)

    def tfidf_query(self, query: Sequence[str]) -> Array:
        """A unit TF-IDF vector of stemmed query words in the same space; zeros when none was spoken."""
        vector = np.zeros((1, max(1, len(self._vocabulary))))
        for word, times in Counter(query).items():
            if word in self._vocabulary:
                place = self._vocabulary[word]
                vector[0, place] = (1 + math.log(times)) * self._idf(place)
        row: Array = _unit(vector)[0]
        return row

    def _idf(self, place: int) -> float:
        return math.log((1 + len(self)) / (1 + float(self._frequency[place]))) + 1

    def recall(self, query: Sequence[str]) -> Array:
        """The share of the query's distinct words that each sentence holds: near 1 where a question is read aloud."""
        wanted = set(query)
        return np.array([len(wanted.intersection(row)) / max(1, len(wanted)) for row in self.words])


def _unit(matrix: Array) -> Array:
    return np.asarray(matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12))
