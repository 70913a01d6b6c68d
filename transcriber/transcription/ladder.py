"""What is done with a chunk whose text looks wrong: try again in fixed steps, keep the best, say so.

    as asked -> with the other search (beam or greedy) -> in halves -> without the prompt -> with a penalty

No step samples, so the same chunk always ends the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from transcriber.datatypes import SAMPLE_RATE, Word
from transcriber.transcription import guards
from transcriber.transcription.chunks import Chunk
from transcriber.transcription.engine import Hypothesis, Request
from transcriber.transcription.vad import WINDOW_SAMPLES, level_db

if TYPE_CHECKING:
    from numpy.typing import NDArray

PENALTY = 1.15
OTHER_BEAM_SIZE = 5
MIN_HALF_S = 4.0


class Decoder(Protocol):
    """What the loop needs of an engine."""

    def decode(self, sounds: Sequence[NDArray[np.int16]], request: Request) -> tuple[Hypothesis, ...]: ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk's final words (seconds in the chunk), how they were come by, and what was left out of them."""

    words: tuple[Word, ...]
    language: str
    language_probability: float
    attempts: tuple[str, ...] = ()  # the faults that made each retry necessary
    flags: tuple[str, ...] = ()  # the faults that remain
    left_out: tuple[str, ...] = ()


def decode_chunks(decoder: Decoder, chunks: Sequence[Chunk], request: Request) -> tuple[Outcome, ...]:
    """The outcome of each chunk: one batch for all, then retries for those that need them."""
    heard = decoder.decode([chunk.samples for chunk in chunks], request)
    return tuple(_settle(decoder, chunk, first, request) for chunk, first in zip(chunks, heard, strict=True))


def _settle(decoder: Decoder, chunk: Chunk, first: Hypothesis, request: Request) -> Outcome:
    if request.prompt and request.prompt_language not in (None, first.language):
        request = msgspec.structs.replace(request, prompt=request.prompt_elsewhere)
        (first,) = decoder.decode([chunk.samples], request)
    tried = [(first, guards.faults(first, chunk, prompt=request.prompt))]
    for step in _steps(request):
        if not _worth_retrying(tried[-1][1]):
            break
        again = step(decoder, chunk)
        if again is not None:
            tried.append((again, guards.faults(again, chunk, prompt=request.prompt)))
    best, flags = min(tried, key=lambda attempt: _badness(attempt[0], attempt[1], chunk))
    attempts = tuple(", ".join(found) for _, found in tried[:-1])
    return _outcome(best, chunk, attempts, flags)


def _badness(heard: Hypothesis, found: tuple[str, ...], chunk: Chunk) -> tuple[int, float, float]:
    return len(found), round(guards.unheard(heard.words, chunk)), -heard.avg_logprob


def _worth_retrying(found: tuple[str, ...]) -> bool:
    """Text where nobody speaks does not get truer by trying again."""
    return bool(found) and "no speech" not in found


def _outcome(best: Hypothesis, chunk: Chunk, attempts: tuple[str, ...], flags: tuple[str, ...]) -> Outcome:
    words, left_out = best.words, tuple[str, ...]()
    if "no speech" in flags:
        words, left_out = (), ("".join(word.text for word in best.words).strip(),)
    elif chunk.voiced:
        words, left_out = guards.split_unspoken(words, chunk)
    return Outcome(
        words=words,
        language=best.language,
        language_probability=best.language_probability,
        attempts=attempts,
        flags=() if "no speech" in flags else flags,
        left_out=left_out,
    )


_Step = Callable[[Decoder, Chunk], Hypothesis | None]


def _steps(request: Request) -> list[_Step]:
    other = msgspec.structs.replace(request, beam_size=1 if request.beam_size > 1 else OTHER_BEAM_SIZE)
    plain = msgspec.structs.replace(request, prompt="")
    careful = msgspec.structs.replace(plain, repetition_penalty=PENALTY)
    unprompted = [_whole(plain), _halved(plain)] if request.prompt else []
    return [_whole(other), _halved(request), *unprompted, _whole(careful)]


def _whole(request: Request) -> _Step:
    return lambda decoder, chunk: decoder.decode([chunk.samples], request)[0]


def _halved(request: Request) -> _Step:
    return lambda decoder, chunk: _in_halves(decoder, chunk, request)


def _in_halves(decoder: Decoder, chunk: Chunk, request: Request) -> Hypothesis | None:
    """Both halves decoded on their own and put together; None if the chunk is too short for that."""
    at = _middle_pause(chunk.samples)
    if min(at, len(chunk.samples) - at) < MIN_HALF_S * SAMPLE_RATE:
        return None
    left, right = decoder.decode([chunk.samples[:at], chunk.samples[at:]], request)
    shift = at / SAMPLE_RATE
    moved = tuple(msgspec.structs.replace(w, start=w.start + shift, end=w.end + shift) for w in right.words)
    n = max(1, left.n_tokens + right.n_tokens)
    longer = left if left.n_tokens >= right.n_tokens else right
    return Hypothesis(
        words=(*left.words, *moved),
        language=longer.language,
        language_probability=longer.language_probability,
        avg_logprob=(left.avg_logprob * left.n_tokens + right.avg_logprob * right.n_tokens) / n,
        no_speech_prob=max(left.no_speech_prob, right.no_speech_prob),
        n_tokens=n,
        hit_cap=left.hit_cap or right.hit_cap,
    )


def _middle_pause(sound: NDArray[np.int16]) -> int:
    """The quietest place (over about 0.3 s) in the middle third."""
    n = len(sound) // WINDOW_SAMPLES
    levels = np.convolve(level_db(sound[: n * WINDOW_SAMPLES].reshape(n, WINDOW_SAMPLES)), np.ones(9) / 9, "same")
    first, last = n // 3, max(n // 3 + 1, n - n // 3)
    return (first + int(np.argmin(levels[first:last]))) * WINDOW_SAMPLES
