"""The one clock of a take: it never jumps, runs on while the machine sleeps (Linux), and all processes share it."""

from __future__ import annotations

import time
from pathlib import Path

_CLOCK_ID = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds since this machine was started."""
    return time.clock_gettime(_CLOCK_ID)


def boot_id() -> str | None:
    """Names the machine's present run: readings of `now` can be compared only within one. None if it is not known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
