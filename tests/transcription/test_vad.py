"""Streaming speech detection equals one call over the whole sound, whatever the blocks' size."""

from __future__ import annotations

import numpy as np
import pytest

from transcriber.transcription.vad import WINDOW_SAMPLES, level_db, windows


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Ten seconds of noise whose loudness comes and goes: the network's state matters, speech or not."""
    rng = np.random.default_rng(7)
    envelope = np.abs(np.sin(np.linspace(0, 40, 160_000))) * 3000
    return (rng.normal(size=160_000) * envelope).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("size", [1000, WINDOW_SAMPLES, 32_768, 50_001])
def test_block_size_does_not_matter(sound: np.ndarray, size: int) -> None:
    whole = list(windows([sound]))
    blocks = list(windows(sound[at : at + size] for at in range(0, len(sound), size)))
    assert [w.probability for w in whole] == [w.probability for w in blocks]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(whole, blocks, strict=True))


def test_every_sample_is_in_a_window(sound: np.ndarray) -> None:
    found = list(windows([sound[:-100]]))
    joined = np.concatenate([window.samples for window in found])
    assert [window.index for window in found] == list(range(len(found)))
    assert np.array_equal(joined[: len(sound) - 100], sound[:-100])
    assert not joined[len(sound) - 100 :].any()


def test_levels_are_dbfs() -> None:
    square = np.tile(np.array([16384, -16384], np.int16), WINDOW_SAMPLES // 2)
    assert level_db(square.reshape(1, -1))[0] == pytest.approx(-6.02, abs=0.01)
    assert level_db(np.zeros((1, WINDOW_SAMPLES), np.int16))[0] == pytest.approx(-100.0)
