"""A session folder as one time line: what holds while it grows, after a crash, and when files are missing."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import pytest

from transcriber import recordings
from transcriber.errors import InputError
from transcriber.journal import Journal
from transcriber.recordings import HEADER, OPEN_SIZE


def segment(
    folder: Path, name: str, *, n_frames: int, rate_hz: int = 100, is_open: bool = False, extra: bytes = b""
) -> Path:
    size = n_frames * 2
    sizes = (OPEN_SIZE, OPEN_SIZE) if is_open else (36 + size, size)
    head = HEADER.pack(b"RIFF", sizes[0], b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16, b"data", sizes[1])
    path = folder / name
    path.write_bytes(head + b"\x01\x00" * n_frames + extra)
    return path


def journalled(folder: Path, *events: dict[str, object]) -> None:
    with Journal(folder / recordings.EVENTS) as journal:
        for event in events:
            journal.append(event)


START = {"event": "start", "device": "Desk mic", "host_api": "ALSA", "started_at": "2026-06-24T17:30:00+02:00"}


def test_files_one_after_the_other_are_the_time_line(tmp_path: Path) -> None:
    segment(tmp_path, "0002.wav", n_frames=50)
    segment(tmp_path, "0001.wav", n_frames=100)
    journalled(
        tmp_path,
        START,
        {"event": "segment", "file": "0001.wav", "at": 0},
        {"event": "segment", "file": "0002.wav", "at": 100},
    )
    recording = recordings.load(tmp_path)
    assert [(Path(part.path).name, part.start_sample, part.n_samples) for part in recording.segments] == [
        ("0001.wav", 0, 100),
        ("0002.wav", 100, 50),
    ]
    assert (recording.n_samples, recording.sample_rate) == (150, 100)
    assert (recording.device, recording.started_at) == ("Desk mic (ALSA)", "2026-06-24T17:30:00.000+02:00")
    assert recording.gaps == ()


def test_an_open_file_counts_up_to_its_last_whole_frame_and_every_reader_agrees(tmp_path: Path) -> None:
    path = segment(tmp_path, "0001.wav", n_frames=70, is_open=True, extra=b"\x07")
    assert recordings.load(tmp_path).n_samples == 70
    assert recordings.wav_format(path).is_open
    with wave.open(str(path)) as reader:
        assert len(reader.readframes(1000)) // 2 == 70


def test_without_a_journal_the_sound_is_still_there(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=70)
    assert recordings.is_session(tmp_path)
    recording = recordings.load(tmp_path)
    assert (recording.n_samples, recording.started_at, recording.device) == (70, None, None)


def test_what_a_crash_made_the_recorder_note_twice_is_one_gap(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=1000)
    gap = {"event": "gap", "at": 200, "frames": 100, "cause": "overflow"}
    journalled(tmp_path, START, gap, {**gap, "frames": 120, "cause": "restart"}, {**gap, "at": 400})
    gaps = recordings.load(tmp_path).gaps
    assert [(gap.start, gap.end, gap.cause) for gap in gaps] == [(2.0, 3.2, "overflow"), (4.0, 5.0, "overflow")]


def test_a_missing_file_is_a_gap_and_the_rest_keeps_its_place(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=100)
    segment(tmp_path, "0003.wav", n_frames=100)
    journalled(tmp_path, START, *({"event": "segment", "file": f"000{n + 1}.wav", "at": 100 * n} for n in range(3)))
    recording = recordings.load(tmp_path)
    assert [part.start_sample for part in recording.segments] == [0, 200]
    assert [(gap.start, gap.end) for gap in recording.gaps] == [(1.0, 2.0)]


def test_markers_and_phases_stand_at_their_time(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=1000)
    journalled(
        tmp_path,
        START,
        {"event": "phase", "at": 0, "kind": "talk", "title": "Welcome"},
        {"event": "marker", "at": 250, "label": "good point"},
        {"event": "phase", "at": 600, "kind": "no such kind", "id": "x"},
    )
    recording = recordings.load(tmp_path)
    assert [(marker.at, marker.label) for marker in recording.markers] == [(2.5, "good point")]
    assert [(phase.id, phase.kind, phase.start, phase.end) for phase in recording.phases] == [
        ("p1", "talk", 0.0, 6.0),
        ("x", "other", 6.0, None),
    ]


def test_a_folder_that_is_no_session_is_refused_with_a_reason(tmp_path: Path) -> None:
    assert not recordings.is_session(tmp_path)
    with pytest.raises(InputError, match="no recorded sound"):
        recordings.load(tmp_path)
    (tmp_path / "0001.wav").write_bytes(b"RIFFnothing of ours" * 9)
    with pytest.raises(InputError, match="not a file that `record` wrote"):
        recordings.load(tmp_path)


def test_files_of_different_rates_are_refused(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=10)
    segment(tmp_path, "0002.wav", n_frames=10, rate_hz=200)
    with pytest.raises(InputError, match="different sample rates"):
        recordings.load(tmp_path)


def test_a_damaged_journal_never_stops_the_sound_from_being_read(tmp_path: Path) -> None:
    segment(tmp_path, "0001.wav", n_frames=100)
    journalled(tmp_path, START, *({"event": "gap", "at": n, "frames": 1, "cause": "c"} for n in range(20)))
    whole = (tmp_path / recordings.EVENTS).read_bytes()
    good = recordings.load(tmp_path).gaps
    dice = random.Random(5)
    for _ in range(300):
        damaged = bytearray(whole)
        place = dice.randrange(len(damaged))
        if dice.random() < 0.5:
            del damaged[place:]
        else:
            damaged[place] ^= 1 << dice.randrange(8)
        (tmp_path / recordings.EVENTS).write_bytes(bytes(damaged))
        recording = recordings.load(tmp_path)
        assert recording.n_samples == 100
        assert recording.gaps == good[: len(recording.gaps)]
