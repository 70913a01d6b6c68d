"""What a take is, what can be asked of it, and what its journal tells the next recorder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from transcriber.capture.clock import boot_id, now
from transcriber.capture.segments import PcmFormat

_PPM_AFTER = 600.0  # a reading of the clock is some ms off: less than this says nothing


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded, and how. `n_frames` ends it by itself."""

    folder: Path
    form: PcmFormat
    device: str
    host_api: str
    segment_frames: int
    n_frames: int | None
    burst: float


class Command(msgspec.Struct, kw_only=True):
    """An event from outside for the journal, at a reading of the take's clock; `reply` is told where it stands."""

    event: dict[str, Any]
    at: float
    reply: Callable[[dict[str, Any]], None]


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """End the files here. `at` is the moment of the wish, None if no more sound can come.

    After "lost" another recorder goes on.
    """

    event: Literal["stop", "lost"]
    why: str
    at: float | None


class Drift:
    """How fast a device's clock runs against the machine's."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def ppm(self, moment: float, zero_at: float) -> float | None:
        """Parts per million since the first call; positive is too fast, None while the stretch is too short to say."""
        self._first = self._first or (moment, zero_at)
        since, zero = self._first
        return round((zero - zero_at) / (moment - since) * 1e6, 1) if moment - since >= _PPM_AFTER else None


def zero_reading(records: list[dict[str, Any]]) -> float:
    """When frame 0 was heard, as a reading of the clock now: by that clock, or after a reboot by the wall's."""
    boot = next((record["boot"] for record in reversed(records) if record.get("boot")), None)
    by_clock = next((record["zero"] for record in reversed(records) if isinstance(record.get("zero"), float)), None)
    if by_clock is not None and boot is not None and boot == boot_id():
        return float(by_clock)
    by_wall = next((r["zero_wall"] for r in reversed(records) if isinstance(r.get("zero_wall"), float)), None)
    return now() if by_wall is None else now() - (time.time() - float(by_wall))


def cause_of_end(records: list[dict[str, Any]]) -> str:
    """Why the last recorder ended, if it lived to say so."""
    for record in reversed(records):
        if record.get("event") in ("lost", "stop"):
            return str(record.get("why"))
        if record.get("event") in ("level", "segment", "start"):
            break
    return "the recorder was restarted"
