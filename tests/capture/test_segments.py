"""A take's files: what was accepted is readable at any moment, by any reader, and exactly."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber import recordings
from transcriber.capture import segments
from transcriber.capture.repair import repair, repair_left
from transcriber.capture.segments import PcmFormat, Reserve, Segment, seal_left
from transcriber.errors import BusyError, InputError, StorageError
from transcriber.journal import Journal, read
from transcriber.workspace import session_lock

MONO = PcmFormat(rate_hz=48_000, channels=1, bits=16)
FORMATS = [MONO, PcmFormat(rate_hz=44_100, channels=2, bits=24), PcmFormat(rate_hz=48_000, channels=1, bits=24)]


def opened(folder: Path, form: PcmFormat = MONO, *, name: str = "0001.wav", n_bytes: int = 1 << 16) -> Segment:
    reserve = Reserve(folder, n_bytes=n_bytes)
    reserve.prepare()
    path = folder / name
    return Segment(path, form, at=0, handle=reserve.take(path, form.header()))


def noise(form: PcmFormat, n_frames: int, *, seed: int = 0) -> bytes:
    block = bytes((seed + n * n) % 251 for n in range(form.frame_bytes * 7))
    return (block * (n_frames // 7 + 1))[: n_frames * form.frame_bytes]


def by_wave(path: Path) -> bytes:
    with wave.open(str(path)) as reader:
        return reader.readframes(10**9)


def by_av(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_being_written_is_read_in_full_by_every_reader(tmp_path: Path, form: PcmFormat) -> None:
    segment = opened(tmp_path, form)
    sound = noise(form, 5001)
    segment.write(sound[: 1000 * form.frame_bytes])
    segment.write(sound[1000 * form.frame_bytes :])
    assert by_wave(segment.path) == sound
    assert by_av(segment.path) == 5001
    assert recordings.wav_format(segment.path).is_open


@pytest.mark.parametrize("form", FORMATS)
def test_sealing_checks_what_is_on_the_disk_and_gives_the_reserve_back(tmp_path: Path, form: PcmFormat) -> None:
    segment = opened(tmp_path, form, n_bytes=1 << 20)
    sound = noise(form, 5001)
    segment.write(sound)
    segment.silence(999)
    segment.write(sound[: form.frame_bytes])
    assert segment.seal()
    assert by_wave(segment.path) == sound + bytes(999 * form.frame_bytes) + sound[: form.frame_bytes]
    found = recordings.wav_format(segment.path)
    assert (found.n_frames, found.is_open) == (6001, False)
    assert segment.path.stat().st_size % 2 == 0
    assert segment.path.stat().st_blocks * 512 < 200_000


def test_sealing_notices_when_the_disk_gives_back_something_else(tmp_path: Path) -> None:
    segment = opened(tmp_path)
    segment.write(noise(MONO, 1000))
    with segment.path.open("r+b") as file:
        file.seek(500)
        file.write(b"\xff\xff")
    assert not segment.seal()


@given(st.integers(0, 4000), st.sampled_from(FORMATS))
@settings(max_examples=40, deadline=None)
def test_after_a_crash_at_any_byte_the_whole_frames_are_kept(tmp_path_factory, cut: int, form: PcmFormat) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("crash")
    segment = opened(folder, form)
    sound = noise(form, 700)
    segment.write(sound)
    os.ftruncate(segment.handle, 44 + cut)
    os.close(segment.handle)
    whole = sound[:cut] + bytes(max(0, cut - len(sound)))
    whole = whole[: len(whole) // form.frame_bytes * form.frame_bytes]
    assert seal_left(segment.path) == len(whole) // form.frame_bytes
    assert by_wave(segment.path) == whole
    once = segment.path.read_bytes()
    assert seal_left(segment.path) is None
    assert segment.path.read_bytes() == once


def test_a_full_disk_costs_nothing_that_was_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up takes part of a write before it refuses: whole frames of that part are kept."""
    segment = opened(tmp_path)
    sound = noise(MONO, 2000)
    segment.write(sound[:2000])
    real = os.pwrite

    def full(handle: int, data: bytes, offset: int) -> int:
        room = 44 + 2501 - offset
        if room <= 0:
            raise OSError(28, "No space left on device")
        return real(handle, bytes(data)[:room], offset)

    monkeypatch.setattr(segments.os, "pwrite", full)
    with pytest.raises(StorageError, match="disk is full"):
        segment.write(sound[2000:])
    monkeypatch.undo()
    assert segment.n_frames == 1250
    assert segment.seal()
    assert by_wave(segment.path) == sound[:2500]


def test_a_reserve_is_taken_over_with_its_space_and_never_over_an_existing_file(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, n_bytes=1 << 20)
    reserve.prepare()
    handle = reserve.take(tmp_path / "0001.wav", MONO.header())
    assert os.fstat(handle).st_size == 44
    if segments.reserve_space(handle, 1):  # this disk can reserve
        assert os.fstat(handle).st_blocks * 512 >= 1 << 20
    os.close(handle)
    with pytest.raises(StorageError, match="exists already"):
        reserve.take(tmp_path / "0001.wav", MONO.header())
    assert not reserve.drop()


def session(folder: Path) -> None:
    with Journal(folder / recordings.EVENTS) as notes:
        notes.append({"event": "start", "device": "Desk", "at": 0})
    for number in (1, 2):
        segment = opened(folder, name=f"000{number}.wav")
        segment.write(noise(MONO, 500, seed=number))
        os.close(segment.handle)


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"}


def test_repair_closes_what_a_crash_left_and_a_second_repair_changes_nothing(tmp_path: Path) -> None:
    session(tmp_path)
    Reserve(tmp_path, n_bytes=1000).prepare()
    (tmp_path / "notes.txt").write_text("mine")
    before = recordings.load(tmp_path)
    repaired = repair(tmp_path)
    assert repaired.sealed == (("0001.wav", 500), ("0002.wav", 500))
    assert recordings.load(tmp_path) == before
    assert [record["event"] for record in read(tmp_path / recordings.EVENTS)] == ["start", "sealed", "sealed", "stop"]
    once = state(tmp_path)
    assert set(once) == {"0001.wav", "0002.wav", "events.jsonl", "notes.txt"}
    assert repair(tmp_path).sealed == ()
    assert state(tmp_path) == once


def test_repair_leaves_files_of_others_alone(tmp_path: Path) -> None:
    session(tmp_path)
    theirs = b"RIFF\xff\xff\xff\xffWAVELIST" + bytes(100)
    (tmp_path / "0003.wav").write_bytes(theirs)
    assert repair(tmp_path).foreign == ("0003.wav",)
    assert (tmp_path / "0003.wav").read_bytes() == theirs


def test_what_crashes_left_is_repaired_at_the_next_start_but_never_a_running_take(tmp_path: Path) -> None:
    for name in ("broken", "closed", "running"):
        (tmp_path / name).mkdir()
        session(tmp_path / name)
    repair(tmp_path / "closed")
    with session_lock(tmp_path / "running", doing="record"):
        assert repair_left(tmp_path) == [tmp_path / "broken"]
    assert repair_left(tmp_path) == [tmp_path / "running"]


def test_repair_refuses_a_running_session_and_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        repair(tmp_path)
    session(tmp_path)
    with session_lock(tmp_path, doing="record"), pytest.raises(BusyError, match="is being recorded"):
        repair(tmp_path)
