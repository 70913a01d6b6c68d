"""Several channels into one, without what spoils their mean: a dead channel, or a second one in antiphase.

Decided anew for every half second, on the samples of that half second alone. One channel passes through unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from transcriber.datatypes import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sound = NDArray[np.int16]  # (n_channels, n_samples)

FRAME_SAMPLES = SAMPLE_RATE // 2
DEAD_DB = 30.0  # so far below the loudest channel a channel only dilutes it
HEARD_RMS = 30.0  # of 32768: below it nothing is decided (-61 dBFS)
ANTIPHASE = -0.7  # correlation of two channels below which their mean cancels out
NOTICE_S = 5.0


class Mixer:
    """Mixes a stream of multi-channel pieces down to mono; afterwards `notices` says what was found."""

    def __init__(self) -> None:
        self._n_heard = 0
        self._n_antiphase = 0
        self._n_dead: NDArray[np.int64] = np.zeros(0, np.int64)

    def __call__(self, pieces: Iterable[Sound]) -> Iterator[NDArray[np.int16]]:
        """Mono pieces (n_samples,), as many samples as came in."""
        pending: list[Sound] = []
        n = 0
        for piece in pieces:
            if pending and len(piece) != len(pending[0]):  # the file changes its channels half-way
                if n:
                    yield self._mix(np.concatenate(pending, axis=1))
                pending, n = [], 0
            if len(piece) == 1:
                yield piece[0]
                continue
            pending.append(piece)
            n += piece.shape[1]
            if n >= FRAME_SAMPLES:
                joined = np.concatenate(pending, axis=1)
                whole = n - n % FRAME_SAMPLES
                for at in range(0, whole, FRAME_SAMPLES):
                    yield self._mix(joined[:, at : at + FRAME_SAMPLES])
                pending, n = [joined[:, whole:]], n - whole
        if n:
            yield self._mix(np.concatenate(pending, axis=1))

    def _mix(self, frame: Sound) -> NDArray[np.int16]:
        sound = frame.astype(np.float32)
        rms = np.sqrt(np.mean(sound**2, axis=1))
        live = rms >= max(float(rms.max()) * 10 ** (-DEAD_DB / 20), 1e-9)
        if rms.max() >= HEARD_RMS:
            self._count(live)
            if len(sound) == 2 and live.all() and self._cancels(sound, rms):
                sound[1] = -sound[1]
        mono: NDArray[np.float32] = sound[live].mean(axis=0) if live.any() else sound[0]
        return np.rint(mono).astype(np.int16)

    def _count(self, live: NDArray[np.bool_]) -> None:
        if len(self._n_dead) != len(live):
            self._n_dead = np.zeros(len(live), np.int64)
        self._n_heard += 1
        self._n_dead += ~live

    def _cancels(self, sound: NDArray[np.float32], rms: NDArray[np.float32]) -> bool:
        correlation = float(np.mean(sound[0] * sound[1]) / (rms[0] * rms[1]))
        self._n_antiphase += correlation < ANTIPHASE
        return correlation < ANTIPHASE

    def notices(self) -> Iterator[str]:
        """A sentence for each thing that the crew should know."""
        seconds = FRAME_SAMPLES / SAMPLE_RATE
        for number, n_dead in enumerate(self._n_dead, start=1):
            if n_dead >= 0.95 * self._n_heard and self._n_heard * seconds >= NOTICE_S:
                yield f"Channel {number} of {len(self._n_dead)} is silent; the others were used."
        if self._n_antiphase * seconds >= NOTICE_S:
            duration = f"{self._n_antiphase * seconds:.0f} s"
            yield f"The two channels cancel each other for {duration} (one is wired the wrong way round); mended."
