"""Where somebody speaks: Silero's speech probability, window by window, over sound that streams past.

The network's state and the last samples are carried from block to block, so the result equals that of one call over
the whole recording, whatever the blocks' size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_SAMPLES = 512  # 32 ms at 16 kHz, what Silero v6 was trained on
_CONTEXT_SAMPLES = 64  # of the window before, which Silero is shown again
_STATE_SHAPE = (1, 1, 128)


@dataclass(frozen=True, slots=True)
class Window:
    """32 ms of sound: its place (in windows from the start), its samples, and how likely somebody speaks in it."""

    index: int
    samples: NDArray[np.int16]  # (WINDOW_SAMPLES,)
    probability: float  # of speech, 0 to 1
    level_db: float  # RMS relative to full scale


def windows(blocks: Iterable[NDArray[np.int16]]) -> Iterator[Window]:
    """The blocks' sound as windows; the last one is filled up with silence."""
    vad = _Silero()
    index = 0
    for group in _window_groups(blocks):
        probabilities = vad(group)
        levels = level_db(group)
        for row, probability, level in zip(group, probabilities, levels, strict=True):
            yield Window(index, row, float(probability), float(level))
            index += 1


def level_db(group: NDArray[np.int16]) -> NDArray[np.float64]:
    """RMS in dBFS of each row of (n, n_samples); -100 for digital silence."""
    power = np.mean(np.square(group.astype(np.float32)), axis=1) / 32768.0**2
    return np.asarray(10 * np.log10(power + 1e-10), np.float64)


def _window_groups(blocks: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
    """The blocks as arrays (n, WINDOW_SAMPLES); what is left of one goes into the next."""
    rest = np.zeros(0, np.int16)
    for block in blocks:
        joined = np.concatenate([rest, block]) if len(rest) else block
        whole = len(joined) - len(joined) % WINDOW_SAMPLES
        if whole:
            yield joined[:whole].reshape(-1, WINDOW_SAMPLES)
        rest = joined[whole:]
    if len(rest):
        yield np.pad(rest, (0, WINDOW_SAMPLES - len(rest))).reshape(1, WINDOW_SAMPLES)


class _Silero:
    """Silero v6 (the file that faster-whisper ships) with its state kept between calls."""

    def __init__(self) -> None:
        self._session = _session()
        self._h = np.zeros(_STATE_SHAPE, np.float32)
        self._c = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros((1, _CONTEXT_SAMPLES), np.float32)

    def __call__(self, group: NDArray[np.int16]) -> NDArray[np.float32]:
        """Probabilities (n,) of windows (n, WINDOW_SAMPLES) that follow those of the last call."""
        sound = group.astype(np.float32) / 32768.0
        context = np.concatenate([self._context, sound[:-1, -_CONTEXT_SAMPLES:]])
        self._context = sound[-1:, -_CONTEXT_SAMPLES:]
        feed = {"input": np.concatenate([context, sound], axis=1), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(None, feed)
        return np.asarray(probabilities, np.float32).ravel()


def _session() -> Any:
    import onnxruntime
    from faster_whisper.utils import get_assets_path

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    path = Path(get_assets_path()) / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
