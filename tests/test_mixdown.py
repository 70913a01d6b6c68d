"""Mono out of many: a dead channel does not dilute, antiphase does not cancel, everything else is the mean."""

from __future__ import annotations

import numpy as np
import pytest

from transcriber.datatypes import SAMPLE_RATE
from transcriber.mixdown import Mixer

RNG = np.random.default_rng(5)
VOICE = (RNG.normal(size=SAMPLE_RATE * 10) * 3000).astype(np.int16)
OTHER = (RNG.normal(size=SAMPLE_RATE * 10) * 3000).astype(np.int16)


def mixed(*channels: np.ndarray, piece: int = 1000) -> tuple[np.ndarray, list[str]]:
    sound = np.stack(channels)
    mixer = Mixer()
    pieces = (sound[:, at : at + piece] for at in range(0, sound.shape[1], piece))
    out = np.concatenate(list(mixer(pieces)))
    return out, list(mixer.notices())


def test_one_channel_is_untouched() -> None:
    out, notices = mixed(VOICE)
    assert np.array_equal(out, VOICE)
    assert notices == []


def test_two_channels_become_their_mean() -> None:
    out, notices = mixed(VOICE, OTHER)
    assert np.allclose(out, (VOICE.astype(float) + OTHER) / 2, atol=0.51)
    assert notices == []


@pytest.mark.parametrize("place", [0, 1])
def test_a_dead_channel_costs_nothing_and_is_named(place: int) -> None:
    channels = [VOICE, np.zeros_like(VOICE)]
    out, notices = mixed(*(channels if place else channels[::-1]))
    assert np.array_equal(out, VOICE)
    (notice,) = notices
    assert f"Channel {place + 1} of 2 is silent" in notice


def test_antiphase_does_not_cancel_and_is_named() -> None:
    out, notices = mixed(VOICE, -VOICE)
    assert np.array_equal(out, VOICE)
    assert "wrong way round" in notices[0]


@pytest.mark.parametrize("piece", [160, 8000, 12_345])
def test_piece_sizes_do_not_matter(piece: int) -> None:
    assert np.array_equal(mixed(VOICE, -OTHER, piece=piece)[0], mixed(VOICE, -OTHER)[0])


def test_silence_is_silence() -> None:
    quiet = np.zeros(SAMPLE_RATE * 8, np.int16)
    out, notices = mixed(quiet, quiet)
    assert not out.any()
    assert len(out) == len(quiet)
    assert notices == []
