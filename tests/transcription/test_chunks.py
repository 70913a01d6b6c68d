"""Laws of cutting: each voiced sample in exactly one chunk, at most 30 s, the same chunks however the sound is read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.datatypes import SAMPLE_RATE
from transcriber.transcription import chunks as cutting
from transcriber.transcription.chunks import Chunk, chunks
from transcriber.transcription.vad import WINDOW_SAMPLES, Window

# Talk as (seconds of speech, seconds of pause), pauses from a breath to a poll.
TALKS = st.lists(st.tuples(st.floats(0.1, 50.0), st.floats(0.05, 40.0)), min_size=1, max_size=8)


def windows(talk: list[tuple[float, float]], *, pause_db: float = -70.0, seed: int = 0) -> Iterator[Window]:
    """Windows of a talk; each sample's value tells its place, so that no two windows are alike."""
    rng = np.random.default_rng(seed)
    index = 0
    for speech, pause in talk:
        for is_speech, duration in ((True, speech), (False, pause)):
            for _ in range(round(duration * SAMPLE_RATE / WINDOW_SAMPLES)):
                samples = np.full(WINDOW_SAMPLES, index % 30_000, np.int16)
                level = -25.0 + rng.normal() if is_speech else pause_db
                yield Window(index, samples, 0.95 if is_speech else 0.02, level)
                index += 1


def sources(chunk: Chunk) -> list[int]:
    """The window of the session that each window of the chunk comes from, by its time map."""
    places = []
    for piece in chunk.time_map:
        assert piece.session_start % WINDOW_SAMPLES == piece.n_samples % WINDOW_SAMPLES == 0
        first = piece.session_start // WINDOW_SAMPLES
        places += range(first, first + piece.n_samples // WINDOW_SAMPLES)
    return places


@settings(deadline=None, max_examples=60)
@given(TALKS)
def test_every_voiced_window_is_in_exactly_one_chunk_and_in_order(talk: list[tuple[float, float]]) -> None:
    spoken = [window.index for window in windows(talk) if window.probability > 0.5]
    found = list(chunks(windows(talk)))
    used = [place for chunk in found for place in sources(chunk)]
    assert used == sorted(set(used))
    assert set(spoken) <= set(used)


@settings(deadline=None, max_examples=60)
@given(TALKS)
def test_chunks_fit_the_model_and_their_time_map_is_true(talk: list[tuple[float, float]]) -> None:
    for number, chunk in enumerate(chunks(windows(talk))):
        assert chunk.index == number
        assert 0 < len(chunk.samples) <= 30 * SAMPLE_RATE
        assert chunk.start_sample == chunk.time_map[0].session_start
        assert [piece.chunk_start for piece in chunk.time_map] == list(
            np.cumsum([0, *(piece.n_samples for piece in chunk.time_map)])[:-1]
        )
        written = chunk.samples.reshape(-1, WINDOW_SAMPLES)[:, 0]
        assert written.tolist() == [place % 30_000 for place in sources(chunk)]


def test_long_pauses_are_shortened_and_short_ones_kept() -> None:
    talk = [(5.0, 0.8), (5.0, 20.0), (5.0, 3.0)]
    (chunk,) = chunks(windows(talk))
    assert 15.8 + 0.4 <= len(chunk.samples) / SAMPLE_RATE <= 15.8 + 1.4
    before, after = (piece.session_start / SAMPLE_RATE for piece in chunk.time_map)
    assert before == 0.0
    assert abs(after - (10.8 + 20.0 - 0.45)) < 0.1  # half a second of the 20 s is left, half of it and the pad here


def test_silence_alone_gives_no_chunk() -> None:
    assert list(chunks(windows([(0.0, 60.0)]))) == []


def test_cut_falls_into_the_pause_between_20_and_30_seconds() -> None:
    first, _second = chunks(windows([(24.0, 0.5), (20.0, 0.5)]))
    assert 24.0 < len(first.samples) / SAMPLE_RATE < 24.6


def test_talk_without_a_pause_is_cut_at_its_quietest_place() -> None:
    quiet = round(23.0 * SAMPLE_RATE / WINDOW_SAMPLES)
    talk = [
        Window(w.index, w.samples, w.probability, -45.0 if abs(w.index - quiet) <= 1 else w.level_db)
        for w in windows([(40.0, 0.0)])
    ]
    first, second = chunks(iter(talk))
    assert abs(len(first.samples) // WINDOW_SAMPLES - quiet) <= 2
    assert len(first.samples) + len(second.samples) == len(talk) * WINDOW_SAMPLES


def test_loud_sound_that_the_detector_misses_is_not_left_out() -> None:
    loud = [
        Window(w.index, w.samples, 0.02, -26.0) if 8.0 < w.index * WINDOW_SAMPLES / SAMPLE_RATE < 13.0 else w
        for w in windows([(8.0, 5.0), (8.0, 1.0)])
    ]
    (chunk,) = chunks(iter(loud))
    assert len(chunk.time_map) == 1


def test_little_is_held_in_memory() -> None:
    """A chunk comes as soon as its 30 s and the second looked ahead are read."""
    read = 0

    def counted() -> Iterator[Window]:
        nonlocal read
        for window in windows([(20.0, 0.4)] * 20):
            read += 1
            yield window

    next(chunks(counted()))
    assert read <= cutting.MAX_CHUNK + cutting.REACH + cutting.MAX_PAUSE + 1


def test_missed_speech_that_looks_like_a_pause_is_cut_at_its_quietest_place() -> None:
    dip = round(22.0 * SAMPLE_RATE / WINDOW_SAMPLES)

    def missed(window: Window) -> Window:
        if not 18.0 < window.index * WINDOW_SAMPLES / SAMPLE_RATE < 33.0:
            return window
        return Window(window.index, window.samples, 0.02, -60.0 if abs(window.index - dip) <= 2 else -26.0)

    first, *_ = chunks(missed(window) for window in windows([(45.0, 0.5)]))
    assert abs(len(first.samples) // WINDOW_SAMPLES - dip) <= 3


def test_without_a_filter_every_window_is_in_a_chunk() -> None:
    talk = [(5.0, 20.0), (5.0, 3.0)]
    used = [place for chunk in chunks(windows(talk), keep_all=True) for place in sources(chunk)]
    assert used == [window.index for window in windows(talk)]
