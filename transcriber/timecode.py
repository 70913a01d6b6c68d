"""Samples, seconds and written times: the only place that rounds."""

from __future__ import annotations

import re
from datetime import datetime

from transcriber.datatypes import SAMPLE_RATE
from transcriber.errors import UsageError

_OFFSET = re.compile(r"^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:[.,]\d+)?)s?$")
_CLOCK = re.compile(r"^@(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$")


def seconds(n_samples: int, *, rate_hz: int = SAMPLE_RATE) -> float:
    """The time of a sample, to the microsecond."""
    return round(n_samples / rate_hz, 6)


def samples(time: float, *, rate_hz: int = SAMPLE_RATE) -> int:
    """The sample at a time."""
    return round(time * rate_hz)


def milliseconds(time: float) -> int:
    """Whole milliseconds, never negative."""
    return max(0, round(time * 1000))


def stamp(time: float, *, decimal: str = ".") -> str:
    """Subtitle time: 3661.5 -> "01:01:01.500" (WebVTT) or, with decimal=",", "01:01:01,500" (SubRip).

    >>> stamp(3661.5)
    '01:01:01.500'
    """
    whole, ms = divmod(milliseconds(time), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{decimal}{ms:03}"


def clock(time: float) -> str:
    """Time for people: 62 -> "1:02", 3661 -> "1:01:01" (cut to the whole second, as players show it).

    >>> clock(62.9)
    '1:02'
    """
    whole = milliseconds(time) // 1000
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def parse_offset(text: str, *, started_at: datetime | None = None) -> float:
    """Seconds from "1:02:03", "62.5", "90s", or clock time "@17:30" of a recording whose start is known.

    Raises UsageError for anything else, and for clock time before the start or with an unknown start.
    """
    text = text.strip()
    if match := _OFFSET.match(text):
        hours, minutes, rest = match.groups()
        if minutes is not None and float(rest.replace(",", ".")) >= 60:
            raise UsageError(f"{text!r} is no time: its seconds are over 59.", hint="Write it as 1:02:03.")
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest.replace(",", "."))
    if match := _CLOCK.match(text):
        return _since_start(text, match, started_at)
    raise UsageError(f"{text!r} is no time.", hint="Write an offset as 1:02:03 or 95.5, or clock time as @17:30.")


def _since_start(text: str, match: re.Match[str], started_at: datetime | None) -> float:
    if started_at is None:
        raise UsageError(
            f"{text} is clock time, but when this recording started is not known.",
            hint="Say it with --started-at 2026-06-24T17:25:00, or give an offset like 0:05:00.",
        )
    hour, minute, second = int(match[1]), int(match[2]), float(match[3] or 0)
    if hour > 23 or minute > 59 or second >= 60:
        raise UsageError(f"{text} is no clock time.", hint="Write it as @17:30 or @17:30:15.")
    moment = started_at.replace(hour=hour, minute=minute, second=int(second), microsecond=int(second % 1 * 1e6))
    offset = (moment - started_at).total_seconds()
    if offset < -12 * 3600:  # a recording that runs past midnight
        offset += 24 * 3600
    if offset < 0:
        raise UsageError(
            f"{text} is before the recording's start ({started_at:%H:%M:%S}).",
            hint="Give a later time, or correct --started-at.",
        )
    return offset
