"""The level of a running take, ten times a second, from the blocks that go to the disk."""

from __future__ import annotations

import threading
import time

import msgspec

from transcriber.capture.segments import PcmFormat
from transcriber.capture.status import Status

_STEP = 0.1


def follow(status: Status, form: PcmFormat) -> None:
    """Measure in a thread of its own; it may fall behind and miss blocks, the files do not."""
    threading.Thread(target=_follow, args=(status, form), name="meter", daemon=True).start()


def _follow(status: Status, form: PcmFormat) -> None:
    while not status.fresh_sound:
        time.sleep(_STEP)
    from transcriber.levels import Meter, decode  # numpy takes a tenth of a second: not before sound is coming in

    meter = Meter(rate_hz=form.rate_hz, channels=form.channels)
    while True:
        blocks = [status.fresh_sound.popleft() for _ in range(len(status.fresh_sound))]
        if blocks:
            sound = decode(b"".join(blocks), bits=form.bits, channels=form.channels)
            status.meter = [msgspec.to_builtins(state) for state in meter.update(sound)]
        time.sleep(_STEP)
