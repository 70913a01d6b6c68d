"""Smaller copies of sealed files; a copy counts only when it decodes to the very same samples."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from transcriber.errors import StorageError
from transcriber.recordings import HEADER_BYTES, WavFormat, segment_paths, wav_format
from transcriber.workspace import storage_error, sync_folder

_FRAMES = 1 << 14


def copy_session(folder: Path) -> list[Path]:
    """A FLAC file beside every sealed segment. The WAV files stay: they are the recording. Raises StorageError."""
    return [copy(path) for path in segment_paths(folder) if not wav_format(path).is_open]


def copy(path: Path) -> Path:
    """One segment as FLAC. Raises StorageError if it cannot be written, or decodes to anything else."""
    target = path.with_suffix(".flac")
    part = path.with_name(f".{target.name}.part")
    form = wav_format(path)
    try:
        written = _encode(path, part, form)
        if _decode(part, form) != written:
            raise StorageError(f"{target} did not decode to the samples of {path}.", hint="The WAV file is untouched.")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:  # PyAV's errors are OSErrors
        raise storage_error(error, target) from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return target


def _pcm(path: Path, form: WavFormat) -> Iterator[bytes]:
    left = form.n_frames * form.frame_bytes
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        while left and (data := file.read(min(left, _FRAMES * form.frame_bytes))):
            left -= len(data)
            yield data


def _encode(path: Path, part: Path, form: WavFormat) -> str:
    """Write the copy; gives the hash of the samples that went in."""
    import av
    import numpy as np

    digest = hashlib.sha256()
    layout = f"{form.channels}c" if form.channels > 2 else ("mono", "stereo")[form.channels - 1]
    with av.open(str(part), "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=form.rate_hz, layout=layout)
        stream.format = "s16" if form.bits == 16 else "s32"
        for data in _pcm(path, form):
            digest.update(data)
            samples = np.frombuffer(data, "<i2") if form.bits == 16 else _widened(data)
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=stream.format.name, layout=layout)
            frame.sample_rate = form.rate_hz
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return digest.hexdigest()


def _decode(part: Path, form: WavFormat) -> str:
    import av

    digest = hashlib.sha256()
    with av.open(str(part), format="flac") as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().reshape(-1)
            if form.bits == 16:
                digest.update(samples.astype("<i2").tobytes())
            else:
                digest.update(samples.astype("<i4").view("u1").reshape(-1, 4)[:, 1:].tobytes())
    return digest.hexdigest()


def _widened(data: bytes) -> Any:
    """24-bit samples in the upper bytes of 32."""
    import numpy as np

    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4").reshape(-1)
