"""Word times: from the chunk to the session, kept to where somebody speaks, and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from transcriber.datatypes import SAMPLE_RATE, TimePiece, Word
from transcriber.transcription.chunks import Chunk

JOIN_S = 0.3  # shorter holes in speech are part of it
SLACK_S = 0.1  # words may reach this far beyond sure speech: soft beginnings and ends


def place(words: Iterable[Word], chunk: Chunk, *, offset_samples: int = 0) -> tuple[Word, ...]:
    """The words with times in the session, which begins `offset_samples` before the chunks' time line."""
    spans = list(_joined(chunk.voiced))
    kept = [_keep_to_piece(_keep_to_speech(word, spans), chunk.time_map) for word in words]
    placed = [
        Word(
            start=_session_time(word.start, chunk.time_map, offset_samples),
            end=_session_time(word.end, chunk.time_map, offset_samples, is_end=True),
            text=word.text,
            probability=word.probability,
        )
        for word in kept
    ]
    return tuple(_in_order(placed))


def _joined(voiced: Iterable[tuple[int, int]]) -> Iterator[tuple[float, float]]:
    """Stretches of speech in seconds of the chunk, small holes closed, a little wider at both ends."""
    spans = [(first / SAMPLE_RATE, last / SAMPLE_RATE) for first, last in voiced]
    if not spans:
        return
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start - end > JOIN_S:
            yield start - SLACK_S, end + SLACK_S
            start = next_start
        end = next_end
    yield start - SLACK_S, end + SLACK_S


def _keep_to_speech(word: Word, spans: list[tuple[float, float]]) -> Word:
    """The word cut to the stretch of speech it shares most time with; alignment likes to stretch words over pauses."""
    shared = [(min(word.end, end) - max(word.start, start), start, end) for start, end in spans]
    best, start, end = max(shared, default=(0.0, 0.0, 0.0))
    if best <= 0:
        return word
    return Word(start=max(word.start, start), end=min(word.end, end), text=word.text, probability=word.probability)


def _keep_to_piece(word: Word, time_map: tuple[TimePiece, ...]) -> Word:
    """The word cut to the piece of the session it shares most time with: none lasts as long as a shortened pause."""
    pieces = [(p.chunk_start / SAMPLE_RATE, (p.chunk_start + p.n_samples) / SAMPLE_RATE) for p in time_map]
    _, start, end = max((min(word.end, end) - max(word.start, start), start, end) for start, end in pieces)
    if start <= word.start and word.end <= end:
        return word
    begin = min(max(word.start, start), end)
    return Word(start=begin, end=max(begin, min(word.end, end)), text=word.text, probability=word.probability)


def _session_time(time: float, time_map: tuple[TimePiece, ...], offset_samples: int, *, is_end: bool = False) -> float:
    """The session's time of a time in the chunk. At a joint, an end belongs to the piece before it."""
    sample = round(max(0.0, time) * SAMPLE_RATE)
    piece = time_map[0]
    for candidate in time_map[1:]:
        if sample < candidate.chunk_start or (is_end and sample == candidate.chunk_start):
            break
        piece = candidate
    inside = min(max(0, sample - piece.chunk_start), piece.n_samples)
    return round((piece.session_start + inside + offset_samples) / SAMPLE_RATE, 3)


def _in_order(words: list[Word]) -> Iterator[Word]:
    """Starts never go back, no word ends before it starts or after the next one starts."""
    latest = 0.0
    starts = []
    for word in words:
        latest = max(latest, word.start)
        starts.append(latest)
    for word, (start, following) in zip(words, pairwise([*starts, float("inf")]), strict=True):
        end = max(start, min(word.end, following))
        yield Word(start=start, end=end, text=word.text, probability=word.probability)
