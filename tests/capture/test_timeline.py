"""Lost sound is found by the clock: streams with known losses, delays and drift."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.capture.timeline import HOLD, SETTLE, Block, Piece, Silence, Timeline

RATE = 48_000
N = 960
PERIOD = 0.125

Spans = tuple[tuple[float, float], ...]


def stream(
    duration: float,
    *,
    losses: Spans = (),
    delays: Spans = (),
    ppm: float = 0.0,
    jitter: float = 0.0,
    begin: float = 100.0,
) -> list[Block]:
    """Blocks as a driver hands them over, in bursts. `losses` and `delays` are (at, length); a delay loses nothing."""
    dice = random.Random(1)
    blocks: list[Block] = []
    heard, end = 0.0, 0.0
    while end < duration:
        start, end = end, end + N / RATE / (1 + ppm * 1e-6)
        for at, length in losses:
            if start <= at < start + N / RATE:
                end += length
        heard = max(heard, math.ceil(end / PERIOD) * PERIOD + dice.random() * jitter)
        for at, length in delays:
            if at <= heard < at + length:
                heard = at + length
        blocks.append(Block(begin + heard, N, len(blocks).to_bytes(4, "little"), False))
    return blocks


def placed(timeline: Timeline, blocks: list[Block]) -> list[Piece]:
    return [piece for block in blocks for piece in timeline.feed(block)] + timeline.flush()


def frames(pieces: list[Piece]) -> int:
    return sum(piece.n_frames for piece in pieces)


def silences(pieces: list[Piece]) -> list[tuple[float, float]]:
    """(at, length) of each silence, in seconds of file time."""
    found, at = [], 0
    for piece in pieces:
        if isinstance(piece, Silence):
            found.append((at / RATE, piece.n_frames / RATE))
        at += piece.n_frames
    return found


SPAN = st.tuples(st.floats(1.0, 50.0), st.floats(0.0, 5.0))


@given(st.lists(SPAN, max_size=4), st.lists(SPAN, max_size=4), st.floats(0, 0.1), st.floats(-500, 500))
@settings(max_examples=60, deadline=None)
def test_every_block_comes_out_once_and_in_order(losses: list, delays: list, jitter: float, ppm: float) -> None:
    blocks = stream(20, losses=tuple(losses), delays=tuple(delays), jitter=jitter, ppm=ppm)
    timeline = Timeline(rate_hz=RATE, burst=PERIOD)
    pieces = placed(timeline, blocks)
    assert [piece for piece in pieces if isinstance(piece, Block)] == blocks
    assert timeline.position == frames(pieces)


@pytest.mark.parametrize("length", [0.03, 0.1, 0.3, 1.0, 3.0, 12.0])
def test_a_loss_becomes_silence_of_the_same_length(length: float) -> None:
    pieces = placed(Timeline(rate_hz=RATE, burst=PERIOD), stream(20, losses=((7.0, length),)))
    ((at, silence),) = silences(pieces)
    assert silence == pytest.approx(length, abs=0.001)
    if length > 1.5 * PERIOD:  # shorter ones are noticed a moment later
        assert at == pytest.approx(7.0, abs=2 * N / RATE)


@pytest.mark.parametrize("length", [0.1, 0.3, 0.45, 3.0, 12.0])
def test_a_delay_is_no_loss(length: float) -> None:
    assert silences(placed(Timeline(rate_hz=RATE, burst=PERIOD), stream(20, delays=((7.0, length),)))) == []


def test_many_losses_leave_the_end_where_the_wall_clock_says() -> None:
    losses = tuple((2.0 + 3 * n, 0.05 + 0.4 * (n % 4)) for n in range(15))
    blocks = stream(60, losses=losses, jitter=0.01)
    pieces = placed(Timeline(rate_hz=RATE, burst=PERIOD), blocks)
    assert frames(pieces) / RATE == pytest.approx(blocks[-1].heard - 100.0, abs=PERIOD + 0.02)
    assert sum(length for _, length in silences(pieces)) == pytest.approx(sum(length for _, length in losses), abs=0.03)


@pytest.mark.parametrize("ppm", [-500, -50, 50, 500])
def test_drift_of_the_device_is_no_loss_and_is_followed(ppm: float) -> None:
    timeline = Timeline(rate_hz=RATE, burst=PERIOD)
    blocks = stream(600, ppm=ppm, jitter=0.004)
    pieces = [piece for block in blocks for piece in timeline.feed(block)]
    assert silences(pieces) == []
    assert timeline.zero_at is not None
    drift = timeline.zero_at - 100.0  # what the device's clock is behind after 600 s
    assert drift == pytest.approx(-600 * ppm * 1e-6, abs=0.01)


def test_a_steady_trickle_of_small_losses_is_not_mistaken_for_drift() -> None:
    losses = tuple((1.0 + 0.5 * n, 0.01) for n in range(80))
    pieces = placed(Timeline(rate_hz=RATE, burst=PERIOD), stream(60, losses=losses))
    assert sum(length for _, length in silences(pieces)) == pytest.approx(0.8, abs=0.1)


def test_silence_put_in_for_a_mere_delay_is_taken_off_the_next_loss() -> None:
    """A driver that hands a backlog over slowly looks like a loss; the clock must not run ahead for ever."""
    blocks = stream(30, losses=((20.0, 2.0),))
    slow = [
        block._replace(heard=max(block.heard, block.heard + 0.6 if 104 <= block.heard < 107 else 0.0))
        for block in blocks
    ]
    pieces = placed(Timeline(rate_hz=RATE, burst=PERIOD), slow)
    assert len(silences(pieces)) == 2
    assert sum(length for _, length in silences(pieces)) == pytest.approx(2.0, abs=0.02)


def test_a_restart_puts_the_missing_time_before_its_first_block() -> None:
    timeline = Timeline(rate_hz=RATE, burst=PERIOD, position=5 * RATE, zero_at=100.0, cause="restart")
    blocks = stream(3, begin=107.0)
    first = timeline.feed(blocks[0])
    assert first == []
    pieces = placed(timeline, blocks[1:])
    assert silences(pieces) == [(0.0, pytest.approx(2.0, abs=0.006))]
    assert isinstance(pieces[0], Silence)
    assert pieces[0].cause == "restart"


def test_a_restart_whose_clock_was_read_wrong_loses_nothing() -> None:
    """After a power cut the wall clock stands in, and it may be off: then no silence, but every block."""
    timeline = Timeline(rate_hz=RATE, burst=PERIOD, position=50 * RATE, zero_at=100.0)
    blocks = stream(3, begin=107.0)
    assert placed(timeline, blocks) == blocks


def test_what_waits_in_memory_is_bounded() -> None:
    timeline = Timeline(rate_hz=RATE, burst=PERIOD)
    waiting = worst = 0
    for block in stream(20, losses=((5.0, 1.0), (9.0, 1.0)), jitter=0.05):
        waiting += block.n_frames - sum(piece.n_frames for piece in timeline.feed(block) if isinstance(piece, Block))
        worst = max(worst, waiting)
    assert worst / RATE <= HOLD + 2 * PERIOD
    assert SETTLE < HOLD
