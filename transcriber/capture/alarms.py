"""What the crew must know about a running take, worst first."""

from __future__ import annotations

from typing import Literal

import msgspec

from transcriber.capture.live import Live
from transcriber.levels import DEAD_DB, QUIET_DB, ChannelState
from transcriber.timecode import clock

Severity = Literal["red", "amber"]

ZERO_FOR = 1.0
QUIET_FOR = 20.0
WEAK_FOR = 60.0
CLIP_SHOWN = 10.0
UNSYNCED_FOR = 5.0
DISK_AMBER, DISK_RED = 30 * 60, 10 * 60
TELEPHONE_HZ = 16_000


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    severity: Severity
    text: str


def channels(live: Live) -> tuple[ChannelState, ...]:
    """The level of each channel; none before the first is measured."""
    return msgspec.json.decode(live.meter, type=tuple[ChannelState, ...])


def alarms(live: Live, *, moment: float) -> tuple[Alarm, ...]:
    """All that is wrong at this moment of the take's clock."""
    found = [*_device(live, moment), *_disk(live, moment), *_notices(live)]
    if live.state == "recording":
        found += _sound(channels(live), rate_hz=live.rate_hz)
    return tuple(sorted(found, key=lambda alarm: alarm.severity != "red"))


def _device(live: Live, moment: float) -> list[Alarm]:
    if live.state == "waiting":
        away = clock(moment - live.since)
        return [Alarm(severity="red", text=f"no microphone for {away}: waiting for {live.device} to come back")]
    if live.state == "recording" and live.heard is not None and moment - live.heard > 1.0:
        return [Alarm(severity="red", text=f"{live.device} has delivered nothing for {moment - live.heard:.0f} s")]
    return []


def _disk(live: Live, moment: float) -> list[Alarm]:
    found = []
    if live.free is not None and live.free < DISK_AMBER:
        severity: Severity = "red" if live.free < DISK_RED else "amber"
        found.append(Alarm(severity=severity, text=f"disk full in {clock(live.free)}"))
    if live.state == "recording" and live.synced_at is not None and moment - live.synced_at > UNSYNCED_FOR:
        waiting = f"the disk has not confirmed anything for {moment - live.synced_at:.0f} s"
        found.append(Alarm(severity="red", text=waiting))
    return found


def _notices(live: Live) -> list[Alarm]:
    return [Alarm(severity="red", text=notice) for notice in live.notices]


def _sound(states: tuple[ChannelState, ...], *, rate_hz: int) -> list[Alarm]:
    found: list[Alarm] = []
    if states and all(state.zero_for >= ZERO_FOR for state in states):
        text = "no signal: nothing but zeros; a muted input or a missing permission is likely"
        return [Alarm(severity="red", text=text)]
    for number, state in enumerate(states, start=1):
        name = f"channel {number}" if len(states) > 1 else "the input"
        if state.zero_for >= ZERO_FOR:
            found.append(Alarm(severity="red", text=f"{name} is dead: nothing but zeros"))
        elif state.weak_for >= WEAK_FOR:
            text = f"{name} is more than {DEAD_DB:.0f} dB weaker than the loudest"
            found.append(Alarm(severity="amber", text=text))
        if state.clipped_ago is not None and state.clipped_ago < CLIP_SHOWN:
            text = f"{name} clips, {state.clipped_ago:.0f} s ago: turn it down"
            found.append(Alarm(severity="amber", text=text))
    if states and all(state.quiet_for >= QUIET_FOR for state in states):
        found.append(Alarm(severity="amber", text=f"too quiet: under {QUIET_DB:.0f} dBFS"))
    if 0 < rate_hz <= TELEPHONE_HZ:
        text = f"the input gives {rate_hz} Hz only: a telephone headset?"
        found.append(Alarm(severity="amber", text=text))
    return found
