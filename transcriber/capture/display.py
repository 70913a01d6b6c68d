"""A running take in words: one plain line for logs, one compact line for a terminal."""

from __future__ import annotations

from transcriber.capture.alarms import Alarm, channels
from transcriber.capture.live import Live
from transcriber.datatypes import Recording
from transcriber.levels import ChannelState
from transcriber.timecode import clock

_BAR = "▁▂▃▄▅▆▇█"
_BAR_FLOOR_DB = -60.0


def plain(live: Live, *, moment: float) -> str:
    """Elapsed, level per channel (peak/RMS in dBFS), clips, gaps, disk time left, age of the last sync."""
    states = channels(live)
    levels = " ".join(
        f"ch{number} {state.peak_db:.0f}/{state.rms_db:.0f}" for number, state in enumerate(states, start=1)
    )
    parts = [
        f"{clock(live.elapsed)} {live.state}",
        f"{levels or 'no level yet'} dBFS",
        f"clips {sum(state.clips for state in states)}",
        f"gaps {live.gaps} ({live.lost:.1f} s)",
        f"disk {clock(live.free) if live.free is not None else '?'} left",
        on_disk(live, moment=moment),
    ]
    return "  ".join(parts)


def compact(live: Live, *, moment: float) -> str:
    """The same for one terminal line, with a bar per channel."""
    states = channels(live)
    bars = " ".join(f"{bar(state)}{state.peak_db:4.0f}" for state in states)
    sign = "●" if live.state == "recording" else "○"
    clips = sum(state.clips for state in states)
    left = clock(live.free) if live.free is not None else "?"
    return (
        f"{sign} {clock(live.elapsed)} │ {bars} │ clips {clips} │ gaps {live.gaps} │ "
        f"{on_disk(live, moment=moment)} │ disk {left}"
    )


def on_disk(live: Live, *, moment: float) -> str:
    """What survives a power cut now."""
    if live.synced_at is None or not live.rate_hz:
        return "nothing on disk yet"
    age = max(0.0, moment - live.synced_at)
    return f"on disk {clock(live.synced / live.rate_hz)}, synced {age:.1f} s ago"


def bar(state: ChannelState) -> str:
    """A channel's peak as one of eight heights."""
    share = 1 - max(_BAR_FLOOR_DB, state.peak_db) / _BAR_FLOOR_DB
    return _BAR[min(len(_BAR) - 1, int(share * len(_BAR)))]


def announce(alarm: Alarm) -> str:
    return f"{'ALARM' if alarm.severity == 'red' else 'warning'}: {alarm.text}"


def outcome(recording: Recording) -> str:
    """What a take that has ended left behind."""
    missing = sum(gap.end - gap.start for gap in recording.gaps)
    lost = f"{len(recording.gaps)} gap(s) of {missing:.1f} s in all" if recording.gaps else "no gaps"
    length = clock((recording.n_samples or 0) / recording.sample_rate)
    return f"{length} recorded from {recording.device} in {len(recording.segments)} file(s), {lost}"
