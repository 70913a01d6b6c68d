"""`transcriber devices`: the inputs and what they hear."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from transcriber.capture import devices as found_devices
from transcriber.capture.devices import InputDevice, Remembered, choose, inputs, portaudio, possible_rates
from transcriber.capture.listen import listen
from transcriber.levels import FLOOR_DB

EXAMPLES = {
    "devices": "\b\nExamples:\n"
    "  transcriber devices               what is there, and what it hears\n"
    "  transcriber devices --use USB     record from that one from now on"
}


def devices(
    use: Annotated[
        str | None, typer.Option(help="Remember this input for `record`: part of its name.", show_default=False)
    ] = None,
    *,
    level: Annotated[bool, typer.Option(help="Listen to each input for a moment.")] = True,
) -> None:
    """List the sound inputs: name, host API, channels, rates, and the level each of them hears now."""
    with found_devices.quiet():
        sounddevice = portaudio()
        found = inputs(sounddevice)
        if use is not None:
            chosen = choose(found, use)
            found_devices.remember(chosen.name, chosen.host_api)
        kept = found_devices.remembered()
        rows = [_row(sounddevice, device, kept=kept, level=level) for device in found]
    if not rows:
        print("No sound input found.", file=sys.stderr)
    for row in rows:
        print(row)


def _row(sounddevice: object, device: InputDevice, *, kept: Remembered | None, level: bool) -> str:
    """One input: "*" stands before the remembered one, or before the system's default if none is."""
    is_kept = kept is not None and (device.name, device.host_api) == (kept.name, kept.host_api)
    sign = "*" if is_kept or (kept is None and device.is_default) else " "
    rates = ", ".join(f"{rate_hz / 1000:g}" for rate_hz in possible_rates(sounddevice, device))
    heard = f"  {_heard(sounddevice, device)}" if level else ""
    channels = "any number of channels" if device.is_virtual else f"{device.channels} channel(s)"
    return f"{sign} {device.label}  {channels}  {rates or 'no usual rate'} kHz{heard}"


def _heard(sounddevice: object, device: InputDevice) -> str:
    levels = listen(sounddevice, device)
    if isinstance(levels, str):
        return levels
    if all(found.is_zero for found in levels):
        return "only zeros: muted, or no permission?"
    return " ".join(f"{found.peak_db:.0f}" for found in levels if found.peak_db >= FLOOR_DB) + " dBFS"
