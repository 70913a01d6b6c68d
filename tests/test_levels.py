"""Levels against signals whose right answer is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.levels import CLIP_RUN, FLOOR_DB, FULL_SCALE, Meter, _clip_runs, decode, measure

RATE = 48_000


def sine(amplitude: float, *, duration: float = 0.1) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 480 * np.arange(int(RATE * duration)) / RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("amplitude", "peak_db", "rms_db"), [(1.0, 0.0, -3.01), (0.5, -6.02, -9.03), (0.01, -40.0, -43.01)]
)
def test_a_sine_has_the_textbook_level(amplitude: float, peak_db: float, rms_db: float) -> None:
    (level,) = measure(sine(amplitude))
    assert level.peak_db == pytest.approx(peak_db, abs=0.02)
    assert level.rms_db == pytest.approx(rms_db, abs=0.02)


def test_exact_zeros_are_told_from_very_quiet_sound() -> None:
    silence, whisper = np.zeros(100, np.float32), np.full(100, 1 / 32768, np.float32)
    assert measure(silence)[0].is_zero
    assert measure(silence)[0].peak_db == FLOOR_DB
    assert not measure(whisper)[0].is_zero
    assert measure(np.zeros((0, 2), np.float32))[0].is_zero


@given(st.lists(st.booleans(), max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_clip_runs_do_not_depend_on_where_blocks_are_cut(full: list[bool], cuts: list[int]) -> None:
    runs = "".join("x" if flag else "." for flag in full).split(".")
    expected = sum(len(run) >= CLIP_RUN for run in runs)
    borders = sorted({0, len(full), *(cut for cut in cuts if cut <= len(full))})
    total = carried = 0
    for start, stop in itertools.pairwise(borders):
        count, carried = _clip_runs(np.array(full[start:stop], np.bool_), carried)
        total += count
    assert total == expected


def test_two_full_scale_samples_are_no_clip_three_are() -> None:
    sound = np.zeros(10, np.float32)
    sound[:2] = FULL_SCALE
    assert measure(sound)[0].clips == 0
    sound[2] = -1.0
    assert measure(sound)[0].clips == 1


@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=2, max_size=40).filter(lambda values: len(values) % 2 == 0))
def test_24_bits_are_decoded_exactly(values: list[int]) -> None:
    pcm = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    assert (decode(pcm, bits=24, channels=2).ravel() * 2**23).tolist() == values


def test_16_bits_are_decoded_exactly_and_split_into_channels() -> None:
    pcm = np.array([-32768, 32767, 0, 1], "<i2").tobytes()
    assert (decode(pcm, bits=16, channels=2) * 32768).tolist() == [[-32768, 32767], [0, 1]]


def feed(meter: Meter, *columns: np.ndarray, times: int = 1) -> None:
    for _ in range(times):
        meter.update(np.stack(columns, axis=1))


def test_the_meter_says_how_long_a_channel_has_been_zero_quiet_or_dead() -> None:
    meter = Meter(rate_hz=RATE, channels=2)
    feed(meter, sine(0.3), np.zeros_like(sine(0.3)), times=20)
    talking, dead = meter.channels
    assert (talking.zero_for, talking.quiet_for, talking.weak_for) == (0.0, 0.0, 0.0)
    assert dead.zero_for == dead.quiet_for == dead.weak_for == pytest.approx(2.0)
    feed(meter, sine(0.3), sine(0.2))
    assert meter.channels[1].zero_for == meter.channels[1].weak_for == 0.0


def test_a_pause_in_the_talk_does_not_clear_the_suspicion_of_a_dead_channel() -> None:
    meter = Meter(rate_hz=RATE, channels=2)
    feed(meter, sine(0.3), sine(0.001), times=5)
    feed(meter, sine(0.0005), sine(0.0005), times=5)
    assert meter.channels[1].weak_for == pytest.approx(0.5)


def test_the_last_clip_is_latched_with_its_age() -> None:
    meter = Meter(rate_hz=RATE, channels=1)
    feed(meter, sine(0.3))
    assert meter.channels[0].clipped_ago is None
    feed(meter, np.ones(4800, np.float32))
    feed(meter, sine(0.3), times=3)
    assert meter.channels[0].clips == 1
    assert meter.channels[0].clipped_ago == pytest.approx(0.3)
