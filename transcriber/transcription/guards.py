"""Does a chunk's text look like what was said? Each rule is a pair of a name, which the reader sees, and a test."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable

import numpy as np

from transcriber.datatypes import SAMPLE_RATE, Word
from transcriber.transcription.chunks import Chunk
from transcriber.transcription.engine import Hypothesis
from transcriber.transcription.vad import WINDOW_SAMPLES

MIN_LOGPROB = -1.0  # per token; below it Whisper itself would try again
MAX_COMPRESSION = 2.4  # bytes of text per compressed byte, as in openai/whisper
MAX_WORDS_PER_S = 7.0
MAX_PERIOD = 12  # words in a phrase that may be caught in a loop
ECHO_WORDS = 6  # so many words of the prompt in a row are an echo
SURE_LOGPROB, SURE_NO_SPEECH = -0.5, 0.5  # what text needs where the detector finds no speech at all
SURE_PROBABILITY = 0.5  # what words need that lie outside all speech
_SENTENCE_ENDS = (".", "?", "!", "…", "。")
AWAY_S = 0.3  # from speech
MIN_UNHEARD_S = 1.5  # so much speech without a word means that words are missing
MAX_WORD_S = 0.8  # a longer word has been stretched over speech that was not written down
NEAR_WORD_S = 0.2
JOIN_S = 1.6  # alignment spreads a few words over what is missing: holes between them count as one


def faults(heard: Hypothesis, chunk: Chunk, *, prompt: str = "") -> tuple[str, ...]:
    """The names of the rules that the hypothesis breaks; empty if it looks sound."""
    words = normal(word.text for word in heard.words)
    return tuple(name for name, broken in _rules(heard, chunk, words, normal([prompt])) if broken)


def _rules(heard: Hypothesis, chunk: Chunk, words: list[str], prompt: list[str]) -> Iterable[tuple[str, bool]]:
    duration = len(chunk.samples) / SAMPLE_RATE
    return (
        ("cut short", heard.hit_cap),
        ("repetition", loops(words) or compression(words) > MAX_COMPRESSION),
        ("too many words", len(words) > MAX_WORDS_PER_S * max(duration, 1.0)),
        ("echo of the prompt", echoes(words, prompt)),
        ("missing words", unheard(heard.words, chunk) > 0),
        ("low confidence", bool(words) and heard.avg_logprob < MIN_LOGPROB),
        ("no speech", bool(words) and not chunk.voiced and not _sure(heard)),
    )


def _sure(heard: Hypothesis) -> bool:
    return heard.avg_logprob > SURE_LOGPROB and heard.no_speech_prob < SURE_NO_SPEECH


def unheard(words: Iterable[Word], chunk: Chunk) -> float:
    """Seconds of sure speech without a word, counting stretches of at least MIN_UNHEARD_S."""
    speech = np.zeros(len(chunk.samples) // WINDOW_SAMPLES + 1, bool)
    for first, last in chunk.voiced:
        speech[first // WINDOW_SAMPLES : last // WINDOW_SAMPLES] = True
    for word in words:
        end = min(word.end, word.start + MAX_WORD_S) + NEAR_WORD_S
        speech[_window(word.start - NEAR_WORD_S) : _window(end) + 1] = False
    places = np.flatnonzero(speech)
    stretches = np.split(places, np.flatnonzero(np.diff(places) > _window(JOIN_S)) + 1)
    lengths = [len(stretch) * WINDOW_SAMPLES / SAMPLE_RATE for stretch in stretches]
    return sum(length for length in lengths if length >= MIN_UNHEARD_S)


def _window(time: float) -> int:
    return max(0, int(time * SAMPLE_RATE / WINDOW_SAMPLES))


def normal(texts: Iterable[str]) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", " ".join(texts).lower())


def loops(words: list[str]) -> bool:
    """Is a phrase said over and over? One word six times in a row, two words five times, longer ones four or three."""
    for period in range(1, MAX_PERIOD + 1):
        times = {1: 6, 2: 5, 3: 4, 4: 4}.get(period, 3)
        run = 0
        for at in range(period, len(words)):
            run = run + 1 if words[at] == words[at - period] else 0
            if run >= period * (times - 1):
                return True
    return False


def compression(words: list[str]) -> float:
    """Bytes of text per compressed byte; short texts count as 1."""
    text = " ".join(words).encode()
    return len(text) / len(zlib.compress(text)) if len(text) > 80 else 1.0


def echoes(words: list[str], prompt: list[str]) -> bool:
    """Does the text hold ECHO_WORDS words of the prompt in its order?"""
    runs = {tuple(prompt[at : at + ECHO_WORDS]) for at in range(len(prompt) - ECHO_WORDS + 1)}
    return any(tuple(words[at : at + ECHO_WORDS]) in runs for at in range(len(words) - ECHO_WORDS + 1))


def split_unspoken(
    words: tuple[Word, ...], chunk: Chunk, *, is_sure: Callable[[list[Word]], bool] | None = None
) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """The words that were spoken, and the texts of sentences that lie away from all speech and are not sure either."""
    is_sure = is_sure or _mostly_probable
    spans = [(first / SAMPLE_RATE - AWAY_S, last / SAMPLE_RATE + AWAY_S) for first, last in chunk.voiced]
    kept: list[Word] = []
    left_out: list[str] = []
    for inside, run in _runs(words, lambda word: any(word.start < end and word.end > start for start, end in spans)):
        begins = not kept or kept[-1].text.rstrip().endswith(_SENTENCE_ENDS)
        ends = run[-1] is words[-1] or run[-1].text.rstrip().endswith(_SENTENCE_ENDS)
        if inside or is_sure(run) or not (begins and ends):  # part of a sentence that was spoken
            kept += run
        else:
            left_out.append("".join(word.text for word in run).strip())
    return tuple(kept), tuple(left_out)


def _mostly_probable(run: list[Word]) -> bool:
    return sum(word.probability for word in run) / len(run) >= SURE_PROBABILITY


def _runs(words: Iterable[Word], test: Callable[[Word], bool]) -> list[tuple[bool, list[Word]]]:
    runs: list[tuple[bool, list[Word]]] = []
    for word in words:
        passed = test(word)
        if runs and runs[-1][0] == passed:
            runs[-1][1].append(word)
        else:
            runs.append((passed, [word]))
    return runs
