"""Append-only JSON lines that survive a crash: one implementation for recorder events and finished chunks.

A line is `crc32 json`, eight hexadecimal digits and a compact JSON object. Each checksum continues that of the line
before, so a line that was cut, flipped, repeated or moved ends the good prefix: everything before it is trusted,
nothing after it is.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from transcriber.workspace import make_folder, storage_error, sync_folder

_CRC_DIGITS = 8


class Journal:
    """A journal open for appending; opening it reads what is good and sets the rest aside.

    `records` holds what was there when it was opened, oldest first. Raises StorageError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        try:
            is_new = not path.exists()
            self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self.records, self._crc, self._size = _parse(path.read_bytes())
            self._set_tail_aside()
            if is_new:
                os.fsync(self._handle)
                sync_folder(path.parent)
        except OSError as error:
            raise storage_error(error, path) from error

    def append(self, record: dict[str, Any], *, sync: bool = True) -> None:
        """Add one record; with `sync` it is on the disk when this returns. A failed write changes nothing."""
        payload = msgspec.json.encode(record)
        crc = zlib.crc32(payload, self._crc)
        line = b"%08x %s\n" % (crc, payload)
        try:
            _write_all(self._handle, line)
            if sync:
                os.fdatasync(self._handle) if hasattr(os, "fdatasync") else os.fsync(self._handle)
        except OSError as error:
            with suppress(OSError):  # a disk that is gone cannot take its half line back either
                os.ftruncate(self._handle, self._size)
            raise storage_error(error, self.path) from error
        self._crc, self._size = crc, self._size + len(line)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_tail_aside(self) -> None:
        """Cut off what is not good; whole lines among it are added to a file beside the journal."""
        tail = self.path.read_bytes()[self._size :]
        if b"\n" in tail:
            with self.path.with_name(self.path.name + ".damaged").open("ab") as aside:
                aside.write(tail)
                aside.flush()
                os.fsync(aside.fileno())
        if tail:
            os.ftruncate(self._handle, self._size)


def read(path: Path) -> list[dict[str, Any]]:
    """The good records of a journal, oldest first, without changing it; none if it does not exist."""
    try:
        return _parse(path.read_bytes())[0]
    except FileNotFoundError:
        return []


def _parse(data: bytes) -> tuple[list[dict[str, Any]], int, int]:
    """The good prefix: its records, its last checksum and its length in bytes."""
    records: list[dict[str, Any]] = []
    crc = size = 0
    while (end := data.find(b"\n", size)) >= 0:
        payload = data[size + _CRC_DIGITS + 1 : end]
        next_crc = zlib.crc32(payload, crc)
        if data[size : size + _CRC_DIGITS + 1] != b"%08x " % next_crc:
            break
        try:
            record = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            break
        if not isinstance(record, dict):
            break
        records.append(record)
        crc, size = next_crc, end + 1
    return records, crc, size


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
