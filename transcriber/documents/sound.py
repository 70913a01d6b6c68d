"""The session's sound as AAC in MP4, small enough to travel inside the report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transcriber.datatypes import SAMPLE_RATE
from transcriber.errors import TranscriberError
from transcriber.workspace import storage_error

if TYPE_CHECKING:
    import numpy.typing as npt

BIT_RATE = 24_000  # bits per second: clear speech, 11 MB an hour
_FRAME_SAMPLES = 1024  # of AAC


def encode_aac(blocks: Iterable[npt.NDArray[np.int16]], *, bit_rate: int = BIT_RATE) -> bytes:
    """An .m4a file of blocks of mono 16 kHz samples, of any lengths; b"" where there are none.

    The index stands in front, so players seek at once. The bytes depend on the samples and the bit rate alone.
    Memory holds one block and the result. Raises StorageError when the temporary file cannot be written.
    """
    import av

    with tempfile.TemporaryDirectory(prefix="transcriber-") as folder:
        path = Path(folder) / "sound.m4a"
        try:
            n_samples = _encode(path, blocks, bit_rate)
            return path.read_bytes() if n_samples else b""
        except (av.FFmpegError, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise storage_error(error, path) from error
            raise TranscriberError(
                f"The sound for the report could not be encoded: {error}.", hint="Leave `html` out of --output-format."
            ) from error


def _encode(path: Path, blocks: Iterable[npt.NDArray[np.int16]], bit_rate: int) -> int:
    import av

    # "bitexact" keeps the encoder's version and all dates out of the file
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    n_samples = 0
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono", bit_rate=bit_rate)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for frame_samples in _framed(blocks):
            frame = av.AudioFrame.from_ndarray(frame_samples.reshape(1, -1), format="fltp", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = n_samples
            n_samples += frame_samples.size
            container.mux(stream.encode(frame))
        if n_samples:
            container.mux(stream.encode(None))
    return n_samples


def _framed(blocks: Iterable[npt.NDArray[np.int16]]) -> Iterable[npt.NDArray[np.float32]]:
    """Blocks of any length as the encoder's frames, so that block lengths leave no trace in the result."""
    rest = np.empty(0, np.int16)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = rest.size - rest.size % _FRAME_SAMPLES
        for at in range(0, whole, _FRAME_SAMPLES):
            yield rest[at : at + _FRAME_SAMPLES].astype(np.float32) / np.float32(32768)
        rest = rest[whole:]
    if rest.size:
        yield rest.astype(np.float32) / np.float32(32768)
