"""How loud sound is: one measure for the crew's meter, the doctor and the transcript's flags.

Sound is float32 in -1..1, shape (n,) or (n, channels). Levels are dBFS: a full-scale square wave is 0.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

FLOOR_DB = -120.0  # shown for digital silence: below what 16 bits can hold (-96) and most converters reach
FULL_SCALE = 32767 / 32768
CLIP_RUN = 3  # one full-scale sample happens in clean speech, three in a row are a flattened wave

QUIET_DB = -60.0
SPEECH_DB = -50.0  # above it somebody talks: only then can two channels be compared
DEAD_DB = 20.0

Sound = NDArray[np.float32]


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One channel over one stretch of sound; `clips` counts runs of full-scale samples."""

    peak_db: float
    rms_db: float
    clips: int
    is_zero: bool


def decibel(amplitude: float) -> float:
    """dBFS of an amplitude from 0 to 1, never below FLOOR_DB.

    >>> decibel(0.5)
    -6.02
    """
    return max(FLOOR_DB, round(20 * math.log10(amplitude), 2)) if amplitude > 0 else FLOOR_DB


def decode(pcm: bytes, *, bits: int, channels: int) -> Sound:
    """Little-endian integer PCM (16 or 24 bits, interleaved) as float32, shape (n, channels)."""
    if bits == 16:
        return (np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(2.0**-15)).reshape(-1, channels)
    padded = np.zeros((len(pcm) // 3, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
    return (padded.view("<i4")[:, 0].astype(np.float32) * np.float32(2.0**-31)).reshape(-1, channels)


def measure(sound: Sound) -> tuple[Level, ...]:
    """The level of each channel; of no sound at all, digital silence."""
    columns = sound.reshape(len(sound), -1) if sound.size else np.zeros((0, 1), np.float32)
    return tuple(_level(column) for column in columns.T)


def _level(column: Sound) -> Level:
    magnitude = np.abs(column)
    peak = float(magnitude.max(initial=0.0))
    rms = math.sqrt(float(np.mean(np.square(magnitude, dtype=np.float64)))) if len(column) else 0.0
    return Level(
        peak_db=decibel(peak), rms_db=decibel(rms), clips=_clip_runs(magnitude >= FULL_SCALE)[0], is_zero=peak == 0.0
    )


def _clip_runs(full: NDArray[np.bool_], carried: int = 0) -> tuple[int, int]:
    """How many runs reach CLIP_RUN here, and the length of the run still open at the end (at most CLIP_RUN).

    `carried` is that length from the block before: a run over a border is counted once, where it becomes long enough.
    """
    padded = np.concatenate(([False], np.ones(carried, np.bool_), full, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    lengths = edges[1::2] - edges[::2]
    n_runs = int(np.count_nonzero(lengths >= CLIP_RUN))
    if carried >= CLIP_RUN:
        n_runs -= 1  # it was counted in the block before
    is_open = len(lengths) > 0 and edges[-1] == carried + len(full)
    return n_runs, min(int(lengths[-1]), CLIP_RUN) if is_open else 0


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of a running meter.

    `zero_for`, `quiet_for` and `weak_for` are seconds up to now: of exact zeros, of RMS under QUIET_DB, and of talk
    during which this channel stayed DEAD_DB under the loudest. `clipped_ago` is None if it never clipped.
    """

    peak_db: float = FLOOR_DB
    rms_db: float = FLOOR_DB
    clips: int = 0
    clipped_ago: float | None = None
    zero_for: float = 0.0
    quiet_for: float = 0.0
    weak_for: float = 0.0


class Meter:
    """Follows sound block by block; a block is the meter's step, 0.05 to 0.5 s are sensible."""

    def __init__(self, *, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._carried = [0] * channels
        self.channels = tuple(ChannelState() for _ in range(channels))

    def update(self, sound: Sound) -> tuple[ChannelState, ...]:
        """Take in a block of shape (n, channels) and give the state after it."""
        duration = len(sound) / self._rate_hz
        levels = measure(sound)
        loudest = max(level.rms_db for level in levels)
        self.channels = tuple(
            self._next(index, sound[:, index], level=level, duration=duration, loudest_db=loudest)
            for index, level in enumerate(levels)
        )
        return self.channels

    def _next(self, index: int, column: Sound, *, level: Level, duration: float, loudest_db: float) -> ChannelState:
        before = self.channels[index]
        clips, self._carried[index] = _clip_runs(np.abs(column) >= FULL_SCALE, self._carried[index])
        ago = None if before.clipped_ago is None else before.clipped_ago + duration
        weak_for = before.weak_for
        if loudest_db > SPEECH_DB:
            weak_for = weak_for + duration if level.rms_db < loudest_db - DEAD_DB else 0.0
        return ChannelState(
            peak_db=level.peak_db,
            rms_db=level.rms_db,
            clips=before.clips + clips,
            clipped_ago=0.0 if clips else ago,
            zero_for=before.zero_for + duration if level.is_zero else 0.0,
            quiet_for=before.quiet_for + duration if level.rms_db < QUIET_DB else 0.0,
            weak_for=weak_for,
        )
