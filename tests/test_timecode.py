"""Samples, seconds and written times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber import timecode
from transcriber.errors import UsageError

DAY_S = 24 * 3600
START = datetime(2026, 6, 24, 17, 25, tzinfo=UTC)


@given(st.integers(0, 10 * DAY_S * 48_000), st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000]))
def test_samples_survive_the_way_through_seconds(n: int, rate_hz: int) -> None:
    assert timecode.samples(timecode.seconds(n, rate_hz=rate_hz), rate_hz=rate_hz) == n


@given(st.floats(0, 99 * 3600))
def test_a_stamp_is_read_back_to_the_millisecond(time: float) -> None:
    for decimal in (".", ","):
        assert timecode.parse_offset(timecode.stamp(time, decimal=decimal)) == pytest.approx(time, abs=0.000501)


@given(st.floats(0, 99 * 3600), st.floats(0, 99 * 3600))
def test_later_times_never_have_earlier_stamps(one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert timecode.stamp(early) <= timecode.stamp(late)
    assert timecode.milliseconds(early) <= timecode.milliseconds(late)


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (0, "00:00:00.000"),
        (-0.2, "00:00:00.000"),
        (0.0004, "00:00:00.000"),
        (59.9996, "00:01:00.000"),  # never a second 60
        (3599.9999, "01:00:00.000"),
        (3661.5, "01:01:01.500"),
        (100 * 3600, "100:00:00.000"),
    ],
)
def test_stamps(time: float, written: str) -> None:
    assert timecode.stamp(time) == written


@pytest.mark.parametrize(
    ("time", "written"), [(0, "0:00"), (62.9, "1:02"), (599.9999, "10:00"), (3600, "1:00:00"), (36061, "10:01:01")]
)
def test_times_for_people(time: float, written: str) -> None:
    assert timecode.clock(time) == written


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("62.5", 62.5),
        ("62,5", 62.5),
        ("1:02", 62),
        ("90:00", 5400),
        ("1:02:03", 3723),
        ("01:02:03.25", 3723.25),
        (" 5 ", 5),
    ],
)
def test_offsets(text: str, offset: float) -> None:
    assert timecode.parse_offset(text) == offset


@pytest.mark.parametrize(
    "text", ["", "x", "1:60", "1:2:3:4", "-5", "1:-2", "1e3", "inf", "nan", "1::2", "@", "@25", "@1730", "17h"]
)
def test_what_is_no_time_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        timecode.parse_offset(text, started_at=START)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "offset"), [("@17:25", 0), ("@17:30", 300), ("@17:30:15", 315), ("@17:30:15.5", 315.5), ("@01:25", 28800)]
)
def test_clock_times(text: str, offset: float) -> None:
    assert timecode.parse_offset(text, started_at=START) == offset


@pytest.mark.parametrize("text", ["@17:24", "@24:00", "@17:60", "@17:30:60"])
def test_impossible_clock_times(text: str) -> None:
    with pytest.raises(UsageError):
        timecode.parse_offset(text, started_at=START)


def test_clock_time_needs_a_known_start() -> None:
    with pytest.raises(UsageError, match="not known"):
        timecode.parse_offset("@17:30")


def test_clock_time_of_a_recording_with_a_second_of_its_own() -> None:
    started_at = START.replace(second=30, microsecond=250_000)
    assert timecode.parse_offset("@17:26", started_at=started_at) == 29.75
