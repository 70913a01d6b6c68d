"""An engine that knows what is said: sound whose samples carry word numbers, and a decoder that reads them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from transcriber.datatypes import SAMPLE_RATE, Word
from transcriber.transcription.engine import Hypothesis, Request
from transcriber.transcription.vad import WINDOW_SAMPLES, Window

WORD_WINDOWS = 8  # 0.256 s
GAP_WINDOWS = 2


@dataclass(frozen=True)
class Talk:
    """`words` are (start window, number); each word's samples hold its number (from 1), silence is 0."""

    words: tuple[tuple[int, int], ...]
    n_windows: int

    def windows(self) -> Iterator[Window]:
        sound = self.samples().reshape(-1, WINDOW_SAMPLES)
        for index, row in enumerate(sound):
            spoken = bool(row[0])
            yield Window(index, row, 0.95 if spoken else 0.45, -25.0 if spoken else -60.0)

    def samples(self) -> np.ndarray:
        sound = np.zeros((self.n_windows, WINDOW_SAMPLES), np.int16)
        for start, number in self.words:
            sound[start : start + WORD_WINDOWS] = number
        return sound.reshape(-1)


def talk(pauses_s: Sequence[float]) -> Talk:
    """A talk of single words, each followed by a pause."""
    at, words = 0, []
    for number, pause in enumerate(pauses_s, start=1):
        words.append((at, number))
        at += WORD_WINDOWS + GAP_WINDOWS + round(pause * SAMPLE_RATE / WINDOW_SAMPLES)
    return Talk(tuple(words), at)


@dataclass
class Oracle:
    """Decodes the numbers in the sound; a word that is cut comes out garbled. `spoil` may change a hypothesis."""

    spoil: Callable[[Hypothesis, Request], Hypothesis] | None = None
    n_decoded: int = 0
    requests: list[Request] = field(default_factory=list)

    def decode(self, sounds: Sequence[np.ndarray], request: Request) -> tuple[Hypothesis, ...]:
        self.n_decoded += len(sounds)
        self.requests.append(request)
        heard = [_read(sound) for sound in sounds]
        return tuple(self.spoil(one, request) if self.spoil else one for one in heard)


def name(number: int) -> str:
    """The word of a number: no two alike, and nothing that looks like a loop."""
    digits = number * 7919 % 65_521 + 65_536
    return "".join("bdfgklmnprstvwxz"[digits >> shift & 15] + "aeiou"[digits >> shift & 3] for shift in (0, 4, 8, 12))


def _read(sound: np.ndarray) -> Hypothesis:
    numbers = sound[::WINDOW_SAMPLES]
    edges = np.flatnonzero(np.diff(numbers)) + 1
    starts = [0, *edges.tolist()]
    words = []
    for first, last in zip(starts, [*starts[1:], len(numbers)], strict=True):
        if numbers[first]:
            whole = last - first == WORD_WINDOWS
            text = f" {name(int(numbers[first]))}" if whole else " garbled"
            start, end = (n * WINDOW_SAMPLES / SAMPLE_RATE for n in (first, last))
            words.append(Word(start=start, end=end, text=text, probability=0.9))
    return hypothesis(tuple(words))


def hypothesis(words: tuple[Word, ...], **changes: object) -> Hypothesis:
    fields: dict[str, object] = {
        "words": words,
        "language": "en",
        "language_probability": 1.0,
        "avg_logprob": -0.2,
        "no_speech_prob": 0.05,
        "n_tokens": len(words),
        "hit_cap": False,
    }
    return Hypothesis(**(fields | changes))  # type: ignore[arg-type]
