"""What a CTranslate2 `model.bin` says about itself, read from its headers alone: is it whole, and is it Whisper?

The layout (little-endian): u32 version; the specification's name and u32 revision; u32 number of
variables, each with a name, u8 rank, u32 dimensions, u8 type, u32 length in bytes and its data; u32 number of
aliases, each two names. A name is u16 length and bytes with a closing zero. Data is skipped, so a file of 3 GB is
checked in milliseconds.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

WHISPER = "WhisperSpec"
READABLE_VERSIONS = (4, 5, 6)  # one layout


class NotWhole(ValueError):
    """The file breaks off, or is no CTranslate2 model; says which."""


def check(path: Path) -> str:
    """The name of the model's specification. Raises NotWhole unless the file is exactly as long as it says."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        (version,) = _numbers(file, "<I")
        if version not in READABLE_VERSIONS:
            raise NotWhole(f"is no CTranslate2 model of version {' or '.join(map(str, READABLE_VERSIONS))}")
        name = _name(file)
        _, n_variables = _numbers(file, "<II")
        for _ in range(n_variables):
            _skip_variable(file)
        (n_aliases,) = _numbers(file, "<I")
        for _ in range(2 * n_aliases):
            _name(file)
        if file.tell() != size:
            raise NotWhole(f"has {size - file.tell()} bytes too many")
    return name


def _skip_variable(file: BinaryIO) -> None:
    _name(file)
    (rank,) = _numbers(file, "<B")
    *_, n_bytes = _numbers(file, f"<{rank}IBI")
    file.seek(n_bytes, os.SEEK_CUR)  # beyond the end of a file that breaks off: the next read tells


def _numbers(file: BinaryIO, form: str) -> tuple[int, ...]:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise NotWhole("breaks off")
    return struct.unpack(form, data)


def _name(file: BinaryIO) -> str:
    (length,) = _numbers(file, "<H")
    data = file.read(length)
    if len(data) < length or not data.endswith(b"\0"):
        raise NotWhole("breaks off")
    return data[:-1].decode("utf-8", "replace")
