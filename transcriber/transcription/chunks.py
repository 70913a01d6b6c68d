"""Cuts a recording into the chunks that the engine gets.

Three steps, each a generator over windows of 32 ms, none holding more than a chunk:

    keep_talk   which windows belong to talk (speech, what lies just around it, and loud sound that may be speech)
    shorten     pauses over a second become half a second; what is left out is remembered in the time map
    cut         chunks of at most 30 s, cut at the best pause between 20 and 30 s, else at the quietest place there

Everything depends on the samples before and shortly after alone, so the same sound gives the same chunks, however
it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from transcriber.datatypes import SAMPLE_RATE, TimePiece
from transcriber.transcription.vad import WINDOW_SAMPLES, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOWS_PER_S = SAMPLE_RATE / WINDOW_SAMPLES  # 31.25
MAX_CHUNK = int(30 * WINDOWS_PER_S)  # windows; Whisper sees 30 s at a time
MIN_CHUNK = int(20 * WINDOWS_PER_S)
MAX_PAUSE = int(1.0 * WINDOWS_PER_S)  # a longer pause is shortened ...
KEPT_OF_PAUSE = int(0.25 * WINDOWS_PER_S)  # ... to this much at either end
PAD = int(0.2 * WINDOWS_PER_S)  # talk begins this much before speech is sure, and ends this much after
ONSET, OFFSET = 0.5, 0.35  # speech begins at the one probability and goes on down to the other
LOUD_BELOW_SPEECH_DB = 15.0  # sound this close to the level of speech may be speech that the detector missed
LOUD_FLOOR_DB = -55.0
LOUD_PAUSE_DB = 15.0  # above the quietest place of a pause: no place to cut
LOUD_SHARE = 0.3  # of the windows around
FIRST_REFERENCE_DB = -30.0  # the level of speech before any was heard
REFERENCE_PACE = 0.01  # per window of speech: it follows the talk of the last few seconds
REACH = int(0.5 * WINDOWS_PER_S)  # how far around a window its neighbourhood goes

_Sound = tuple[Window, bool, bool]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What the engine gets: at most 30 s of sound, and where its samples lie in the session."""

    index: int
    start_sample: int
    samples: NDArray[np.int16]  # (n_samples,)
    time_map: tuple[TimePiece, ...]
    voiced: tuple[tuple[int, int], ...]  # first and last+1 sample, within the chunk, of each stretch of sure speech


@dataclass(frozen=True, slots=True)
class _Marked:
    window: Window
    is_speech: bool
    is_talk: bool


def chunks(windows: Iterable[Window], *, keep_all: bool = False) -> Iterator[Chunk]:
    """The chunks of a recording, in order; with `keep_all` nothing is left out, speech or not (`--no-vad-filter`)."""
    marked = _keep_talk(windows)
    return _cut(map(_as_talk, marked) if keep_all else _shorten(marked))


def _as_talk(mark: _Marked) -> _Marked:
    return replace(mark, is_talk=True)


def _keep_talk(windows: Iterable[Window]) -> Iterator[_Marked]:
    """Each window with its marks: is it sure speech, does it belong to talk. Looks half a second ahead."""
    for window, is_speech, near in _neighbourhoods(_mark_speech(windows)):
        beside = near[REACH - PAD : REACH + PAD + 1]
        is_talk = any(speech for _, speech, _ in beside) or sum(loud for _, _, loud in near) > LOUD_SHARE * len(near)
        yield _Marked(window, is_speech, is_talk)


def _mark_speech(windows: Iterable[Window]) -> Iterator[_Sound]:
    """Each window with: is it speech (one threshold to begin, a lower one to go on), is it about as loud as speech."""
    speaking, reference_db = False, FIRST_REFERENCE_DB
    for window in windows:
        speaking = window.probability >= (OFFSET if speaking else ONSET)
        if speaking:
            reference_db += (window.level_db - reference_db) * REFERENCE_PACE
        yield window, speaking, window.level_db > max(LOUD_FLOOR_DB, reference_db - LOUD_BELOW_SPEECH_DB)


def _neighbourhoods(sounds: Iterable[_Sound]) -> Iterator[tuple[Window, bool, list[_Sound]]]:
    """Each window with the REACH windows before and after it (silence beyond the ends)."""
    edge: _Sound = (Window(-1, np.zeros(WINDOW_SAMPLES, np.int16), 0.0, -100.0), False, False)
    near = deque([edge] * (2 * REACH + 1), maxlen=2 * REACH + 1)
    for sound in chain(sounds, [edge] * REACH):
        near.append(sound)
        window, is_speech, _ = near[REACH]
        if window.index >= 0:
            yield window, is_speech, list(near)


def _shorten(marked: Iterable[_Marked]) -> Iterator[_Marked]:
    """Leave out the middle of pauses longer than MAX_PAUSE, and what lies before the first and after the last talk."""
    head: list[_Marked] = []
    tail: deque[_Marked] = deque(maxlen=KEPT_OF_PAUSE)
    n_pause, begun = 0, False
    for mark in marked:
        if not mark.is_talk:
            n_pause += 1
            if n_pause <= MAX_PAUSE:
                head.append(mark)
            tail.append(mark)
            continue
        if n_pause > MAX_PAUSE:
            head = [*head[: KEPT_OF_PAUSE if begun else 0], *tail]
        elif not begun:
            head = list(tail)
        yield from head
        head, n_pause, begun = [], 0, True
        tail.clear()
        yield mark
    if begun:
        yield from head[:KEPT_OF_PAUSE]


def _cut(marked: Iterable[_Marked]) -> Iterator[Chunk]:
    """Collect windows; whenever 30 s are full, give what lies before the best place to cut."""
    full: list[_Marked] = []
    index = 0
    for mark in marked:
        full.append(mark)
        if len(full) == MAX_CHUNK:
            at = _best_cut(full)
            yield _chunk(index, full[:at])
            index, full = index + 1, full[at:]
    if full:
        yield _chunk(index, full)


def _best_cut(full: list[_Marked]) -> int:
    """Where to cut: in the middle of the best pause after MIN_CHUNK, else at the quietest place there."""
    pauses = list(_pauses(full))
    if pauses:
        # A pause of over 0.6 s is as good as any longer one; then a fuller chunk is better.
        first, last = max(pauses, key=lambda p: min(_true_length(full, p) / WINDOWS_PER_S, 0.6) + p[1] / MAX_CHUNK / 10)
        middle = (first + last) // 2  # the best of a real pause: it leaves silence on both sides
        quietest = _quietest(full, max(first, MIN_CHUNK), last)
        is_loud = full[middle].window.level_db > full[quietest].window.level_db + LOUD_PAUSE_DB
        return quietest if is_loud else middle  # what looks like a pause may be speech that was missed
    return _quietest(full, MIN_CHUNK, MAX_CHUNK - 1)


def _quietest(full: list[_Marked], first: int, last: int) -> int:
    """The place in first .. last with the least sound around it; the middle one where several are alike."""
    levels = np.convolve([mark.window.level_db for mark in full], np.ones(3) / 3, "same")[first:last]
    alike = np.flatnonzero(levels <= levels.min() + 1.0)
    return first + int(alike[len(alike) // 2])


def _pauses(full: list[_Marked]) -> Iterator[tuple[int, int]]:
    """First and last+1 place of each run of windows without speech whose middle is after MIN_CHUNK."""
    first = None
    for at, mark in enumerate(full):
        if not mark.is_speech and first is None:
            first = at
        elif mark.is_speech and first is not None:
            if (first + at) // 2 >= MIN_CHUNK:
                yield first, at
            first = None
    if first is not None and (first + len(full)) // 2 >= MIN_CHUNK:
        yield first, len(full)


def _true_length(full: list[_Marked], pause: tuple[int, int]) -> int:
    """Windows from a pause's first to its last in the session: shortened pauses count as long as they were."""
    return full[pause[1] - 1].window.index - full[pause[0]].window.index + 1


def _chunk(index: int, full: list[_Marked]) -> Chunk:
    return Chunk(
        index=index,
        start_sample=full[0].window.index * WINDOW_SAMPLES,
        samples=np.concatenate([mark.window.samples for mark in full]),
        time_map=tuple(_time_map(full)),
        voiced=tuple(
            (first * WINDOW_SAMPLES, last * WINDOW_SAMPLES) for first, last in _runs([mark.is_speech for mark in full])
        ),
    )


def _time_map(full: list[_Marked]) -> Iterator[TimePiece]:
    """The chunk as pieces of the session."""
    steps = np.diff([mark.window.index for mark in full])
    starts = [0, *(np.flatnonzero(steps != 1) + 1).tolist()]
    for first, last in zip(starts, [*starts[1:], len(full)], strict=True):
        yield TimePiece(
            chunk_start=first * WINDOW_SAMPLES,
            session_start=full[first].window.index * WINDOW_SAMPLES,
            n_samples=(last - first) * WINDOW_SAMPLES,
        )


def _runs(marks: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last+1 index of each run of true values."""
    edges = np.flatnonzero(np.diff([False, *marks, False]))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
