"""The sound inside the page, judged by reading it back."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from transcriber.documents import sound
from transcriber.errors import StorageError

RATE_HZ = 16_000
Samples = npt.NDArray[np.int16]


def clicks(seconds: int) -> Samples:
    """A short burst of a tone at each full second."""
    samples = np.zeros(seconds * RATE_HZ, np.int16)
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(800) / RATE_HZ)).astype(np.int16)
    for at in range(0, samples.size, RATE_HZ):
        samples[at : at + tone.size] = tone
    return samples


def in_blocks(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[at : at + size] for at in range(0, samples.size, size))


def decoded(data: bytes) -> Samples:
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return (np.concatenate(frames) * 32768).astype(np.int16)


def test_sound_comes_back_at_its_time() -> None:
    found = np.abs(decoded(sound.encode_aac(in_blocks(clicks(4), 1600))).astype(np.int32))
    starts = [int(np.argmax(found[at : at + RATE_HZ // 2] > 2000)) for at in range(RATE_HZ, 4 * RATE_HZ, RATE_HZ)]
    assert all(start < 0.02 * RATE_HZ for start in starts)
    assert abs(found.size - 4 * RATE_HZ) <= 2048


def test_bytes_depend_on_the_samples_alone() -> None:
    samples = clicks(3)
    assert len({sound.encode_aac(in_blocks(samples, size)) for size in (48_000, 1024, 999, 7)}) == 1


def test_players_find_the_index_in_front() -> None:
    data = sound.encode_aac([clicks(2)])
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")


def test_nothing_in_it_tells_when_or_with_what_it_was_made() -> None:
    data = sound.encode_aac([clicks(1)])
    assert b"Lav" not in data
    header = data.index(b"mvhd") + 4
    assert data[header : header + 12] == bytes(12)  # version, flags, created, modified


def test_no_samples_make_no_sound() -> None:
    assert sound.encode_aac([]) == b""
    assert sound.encode_aac([np.empty(0, np.int16)]) == b""


def test_blocks_are_read_as_they_come() -> None:
    """A block is asked for only when the one before is encoded, so an hour needs no hour of memory."""
    alive: list[int] = []

    def blocks() -> Iterable[Samples]:
        for number in itertools.count():
            alive.append(number)
            if number == 50:
                return
            yield np.zeros(RATE_HZ, np.int16)

    framed = sound._framed(blocks())
    next(iter(framed))
    assert len(alive) == 1


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(av, "open", fail)
    with pytest.raises(StorageError, match="disk is full"):
        sound.encode_aac([clicks(1)])
