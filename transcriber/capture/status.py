"""What the threads of a recorder tell each other; every field is set by one of them."""

from __future__ import annotations

from collections import deque
from typing import Any

from transcriber.errors import TranscriberError


class Status:
    """A take as far as it has come. `why` is set when all of it is on the disk."""

    def __init__(self) -> None:
        self.frames = 0
        self.synced = 0
        self.synced_at: float | None = None
        self.heard_until: float | None = None  # where a session that goes on had broken off, on the take's clock
        self.overflows = 0  # as the driver says; some say it always, some never
        self.gaps = 0
        self.lost = 0.0
        self.restarts = 0
        self.free: float | None = None
        self.ppm: float | None = None
        self.notices: dict[str, str] = {}
        self.failure: TranscriberError | None = None
        self.crash: str | None = None
        self.why: str | None = None  # set when all is on the disk
        self.fresh_sound: deque[bytes] = deque(maxlen=128)  # for the meter, which may miss some
        self.meter: list[dict[str, Any]] = []
