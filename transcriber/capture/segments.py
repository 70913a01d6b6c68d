"""The sound files of a take: good at any moment, also after kill -9, and closed by filling in their sizes.

A WAV file whose size fields are 0xFFFFFFFF is read to its end by every reader, so nothing has to be rewritten
while it grows. Disk space is reserved one file ahead: others may fill the disk, the take goes on for that long.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from transcriber.recordings import HEADER, HEADER_BYTES, OPEN_SIZE, wav_format
from transcriber.workspace import storage_error, sync_folder

_RESERVE = ".reserve"
_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: the space is ours, the file's length stays true
_SLICE = 1 << 20


class PcmFormat(msgspec.Struct, frozen=True, kw_only=True):
    rate_hz: int
    channels: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def byte_rate(self) -> int:
        return self.rate_hz * self.frame_bytes

    def header(self, data_bytes: int | None = None) -> bytes:
        """The 44 bytes before the sound; of a file still open unless its length is given."""
        padded = 0 if data_bytes is None else data_bytes + data_bytes % 2
        return HEADER.pack(
            b"RIFF",
            OPEN_SIZE if data_bytes is None else HEADER_BYTES - 8 + padded,
            *(b"WAVE", b"fmt ", 16, 1, self.channels, self.rate_hz, self.byte_rate, self.frame_bytes, self.bits),
            b"data",
            OPEN_SIZE if data_bytes is None else data_bytes,
        )


class Segment:
    """One file being written. `at` is its first frame's place on the time line, `n_frames` what it accepted.

    Raises StorageError when the disk takes no more; whole frames that still went in are counted and kept.
    """

    def __init__(self, path: Path, form: PcmFormat, *, at: int, handle: int) -> None:
        self.path = path
        self.form = form
        self.at = at
        self.handle = handle
        self.n_frames = 0
        self._digest = hashlib.sha256()

    @property
    def end(self) -> int:
        return self.at + self.n_frames

    def write(self, pcm: bytes | memoryview) -> None:
        """Add whole frames."""
        view = memoryview(pcm)
        try:
            self._put(view, offset=self._size())
        except OSError as error:
            size = self._size()
            whole = min(max(0, os.fstat(self.handle).st_size - size), len(view)) // self.form.frame_bytes
            self._accept(view[: whole * self.form.frame_bytes], whole)
            with suppress(OSError):
                os.ftruncate(self.handle, self._size())
            raise storage_error(error, self.path) from error
        self._accept(view, len(view) // self.form.frame_bytes)

    def silence(self, n_frames: int) -> None:
        """Add frames of zero as a hole in the file: any length at once, and it takes no space on the disk."""
        left = n_frames * self.form.frame_bytes
        try:
            os.ftruncate(self.handle, self._size() + left)
        except OSError as error:
            raise storage_error(error, self.path) from error
        zeros = bytes(min(left, _SLICE))
        while left:
            part = min(left, len(zeros))
            self._digest.update(memoryview(zeros)[:part])
            left -= part
        self.n_frames += n_frames

    def sync(self) -> int:
        """Make what was accepted survive a power cut; gives the time line's frame up to which it does."""
        end = self.end
        sync_data(self.handle)
        return end

    def seal(self) -> bool:
        """Close the file for good and read it back from the disk; False if what comes back differs."""
        try:
            close_sizes(self.handle, self.form, n_frames=self.n_frames)
            if hasattr(os, "posix_fadvise"):  # so that the disk answers below, not the memory
                os.posix_fadvise(self.handle, 0, 0, os.POSIX_FADV_DONTNEED)
            return self._reads_back()
        except OSError as error:
            raise storage_error(error, self.path) from error
        finally:
            os.close(self.handle)
            self.handle = -1

    def _put(self, data: bytes | memoryview, *, offset: int) -> None:
        view = memoryview(data)
        while view:  # a disk that fills up first writes less than it was given
            n_written = os.pwrite(self.handle, view, offset)
            view, offset = view[n_written:], offset + n_written

    def _accept(self, pcm: memoryview, n_frames: int) -> None:
        self._digest.update(pcm)
        self.n_frames += n_frames

    def _size(self) -> int:
        return HEADER_BYTES + self.n_frames * self.form.frame_bytes

    def _reads_back(self) -> bool:
        digest, offset, end = hashlib.sha256(), HEADER_BYTES, self._size()
        while offset < end:
            data = os.pread(self.handle, min(_SLICE, end - offset), offset)
            if not data:
                return False
            digest.update(data)
            offset += len(data)
        return digest.digest() == self._digest.digest()

    @property
    def sha256(self) -> str:
        """Of the sound alone, without the header."""
        return self._digest.hexdigest()


def close_sizes(handle: int, form: PcmFormat, *, n_frames: int) -> None:
    """Cut the file to whole frames, fill in its size fields in one write, and sync. Raises OSError."""
    n_bytes = n_frames * form.frame_bytes
    os.ftruncate(handle, HEADER_BYTES + n_bytes)  # gives back what is reserved beyond; growing a file does not
    os.ftruncate(handle, HEADER_BYTES + n_bytes + n_bytes % 2)
    os.pwrite(handle, form.header(n_bytes), 0)
    os.fsync(handle)


def seal_left(path: Path) -> int | None:
    """Close a file that a crash left open; gives its frames, None if it needed nothing. Raises InputError.

    Only a file with the recorder's own open header is touched, so doing it again changes nothing.
    """
    found = wav_format(path)
    if not found.is_open:
        return None
    form = PcmFormat(rate_hz=found.rate_hz, channels=found.channels, bits=found.bits)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            close_sizes(handle, form, n_frames=found.n_frames)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(error, path) from error
    return found.n_frames


class Reserve:
    """Space for the next file, held on the disk under a hidden name. Where a disk cannot do that, there is none."""

    def __init__(self, folder: Path, *, n_bytes: int) -> None:
        self._path = folder / _RESERVE
        self._n_bytes = n_bytes + HEADER_BYTES

    def prepare(self) -> None:
        """Have the reserve; at most half of what is free, so that a small disk is not filled by it."""
        part = self._path.with_name(f"{_RESERVE}.part")
        with suppress(OSError):
            if self._path.exists():
                return
            usable = os.statvfs(part.parent)
            n_bytes = min(self._n_bytes, usable.f_bavail * usable.f_frsize // 2)
            handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                reserve_space(handle, n_bytes)
            finally:
                os.close(handle)
            part.rename(self._path)

    def take(self, path: Path, header: bytes) -> int:
        """A handle of a new file at `path` that holds `header` and the reserved space. Raises StorageError.

        The file gets its name only when its header is on the disk: under its name it is never less than readable.
        """
        try:
            if path.exists():
                raise FileExistsError(errno.EEXIST, "it exists already", str(path))
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(handle, header, 0)
                os.fsync(handle)
                self._path.rename(path)
                sync_folder(path.parent)
            except OSError:
                os.close(handle)
                raise
        except OSError as error:
            raise storage_error(error, path) from error
        return handle

    def held_bytes(self) -> int:
        try:
            return self._path.stat().st_blocks * 512
        except OSError:
            return 0

    def drop(self) -> bool:
        """Give the space back to the disk; False if there was none."""
        with suppress(OSError):
            self._path.with_name(f"{_RESERVE}.part").unlink(missing_ok=True)
            self._path.unlink()
            return True
        return False


def reserve_space(handle: int, n_bytes: int) -> bool:
    """Reserve disk space for the file's first `n_bytes` without changing its length; False where that cannot be."""
    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (AttributeError, OSError):
        return False
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return n_bytes > 0 and int(fallocate(handle, _KEEP_SIZE, 0, n_bytes)) == 0


def sync_data(handle: int) -> None:
    """Like fsync, without waiting for what only concerns the file's times; macOS lacks it."""
    os.fdatasync(handle) if hasattr(os, "fdatasync") else os.fsync(handle)
