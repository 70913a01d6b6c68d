"""Transcripts written by hand for the tests: words spread evenly in time, pauses and speakers where said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from transcriber.datatypes import Gap, Plan, Question, Segment, Settings, Source, Transcript, Word
from transcriber.summary.encoder import DIMENSIONS, Vectors
from transcriber.summary.words import content_words

PACE = 0.35  # seconds per word


def transcript(
    *lines: str | tuple[str, str], pause: float = 0.4, language: str = "en", gaps: tuple[Gap, ...] = ()
) -> Transcript:
    """One segment per line; a line may be (speaker, text)."""
    segments, time = [], 0.0
    for number, line in enumerate(lines):
        speaker, text = line if isinstance(line, tuple) else (None, line)
        words = []
        for word in text.split():
            words.append(Word(start=time, end=time + PACE - 0.05, text=f" {word}", probability=0.9))
            time += PACE
        joined = "".join(word.text for word in words)
        start, end = (words[0].start, words[-1].end) if words else (time, time)
        segments.append(Segment(id=number, start=start, end=end, text=joined, words=tuple(words), speaker=speaker))
        time += pause
    return Transcript(
        session="test",
        recording=Source(file="test.wav", sha256="0" * 64, duration=time),
        model="none",
        settings=Settings(),
        language=language,
        segments=tuple(segments),
        gaps=gaps,
    )


def plan(*questions: str) -> Plan:
    return Plan(
        title="Test",
        questions=tuple(Question(id=f"q{n}", text=text) for n, text in enumerate(questions, 1)),
    )


class WordEncoder:
    """Vectors from content words alone: texts that share words are close. Needs no model."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), DIMENSIONS), 1e-3, np.float32)
        for n, text in enumerate(texts):
            for word in content_words(text):
                seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big")
                rows[n] += np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
