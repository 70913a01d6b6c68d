"""A short look at an input's level, without recording it."""

from __future__ import annotations

import threading
from typing import Any

from transcriber.capture.devices import InputDevice
from transcriber.levels import Level, decode, measure

_STOP_LIMIT = 1.0


def listen(sounddevice: Any, device: InputDevice, *, duration: float = 0.3) -> tuple[Level, ...] | str:
    """Each channel's level over `duration` seconds, or why there is none (in use, no sound comes)."""
    heard: list[bytes] = []
    enough = threading.Event()
    wanted = round(duration * device.own_rate_hz) * device.own_channels * 2

    def collect(indata: Any, _: int, __: Any, ___: Any) -> None:
        heard.append(bytes(indata))
        if sum(map(len, heard)) >= wanted:
            enough.set()

    try:
        stream = sounddevice.RawInputStream(
            device=device.index,
            channels=device.own_channels,
            samplerate=device.own_rate_hz,
            dtype="int16",
            callback=collect,
        )
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        return "in use" if "busy" in str(error).lower() or "unavailable" in str(error).lower() else f"{error}"
    enough.wait(duration + 1.0)
    closing = threading.Thread(target=stream.abort, daemon=True)  # some drivers never return from it
    closing.start()
    closing.join(_STOP_LIMIT)
    if not heard:
        return "no sound comes"
    return measure(decode(b"".join(heard), bits=16, channels=device.own_channels))
