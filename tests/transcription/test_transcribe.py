"""The loop: resumed runs equal unbroken ones, no finished chunk is computed twice, nothing depends on the batch."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.transcription.oracle import Oracle, name, talk
from transcriber.audio import open_recording
from transcriber.datatypes import Settings, Transcript
from transcriber.errors import NoSpeechError
from transcriber.transcription.engine import Hypothesis, Request
from transcriber.transcription.transcribe import Job, Progress, transcribe

SPOKEN = talk([0.3] * 400)  # four minutes, nine chunks


class Killed(BaseException):
    """Stands for kill -9: nothing in the loop may catch it and go on."""


class MortalOracle(Oracle):
    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def decode(self, sounds: Sequence[np.ndarray], request: Request) -> tuple[Hypothesis, ...]:
        if self.lives <= 0:
            raise Killed
        self.lives -= 1
        return super().decode(sounds, request)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "numbers.wav"
    write_wav(path, SPOKEN.samples())
    return path


def write_wav(path: Path, samples: np.ndarray, *, rate_hz: int = 16_000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())


def job(recording: Path, journal: Path) -> Job:
    return Job(
        recording=open_recording(recording),
        settings=Settings(vad_filter=False),
        request=Request(language="en"),
        model="oracle",
        journal=journal,
    )


def encoded(transcript: Transcript) -> bytes:
    return msgspec.json.encode(transcript)


@pytest.fixture(scope="module")
def unbroken(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int, bytes]:
    """The transcript's bytes, how many chunks were decoded, and the journal of an unbroken run."""
    journal = tmp_path_factory.mktemp("unbroken") / "j.jsonl"
    oracle = Oracle()
    transcript = transcribe(job(recording, journal), load_engine=lambda: oracle)
    return encoded(transcript), oracle.n_decoded, journal.read_bytes()


def test_says_all_words_once(unbroken: tuple[bytes, int, bytes]) -> None:
    transcript = msgspec.json.decode(unbroken[0], type=Transcript)
    texts = [word.text for segment in transcript.segments for word in segment.words]
    heard = [text for text in texts if text != " garbled"]
    assert len(heard) >= len(SPOKEN.words) - 2 * unbroken[1]  # without a detector, cuts may fall into words
    assert len(set(heard)) == len(heard)
    assert all(segment.text == "".join(word.text for word in segment.words) for segment in transcript.segments)
    starts = [word.start for segment in transcript.segments for word in segment.words]
    assert starts == sorted(starts)


@pytest.mark.parametrize("lives", range(4))
def test_a_killed_run_goes_on_where_it_was(
    recording: Path, tmp_path: Path, unbroken: tuple[bytes, int, bytes], lives: int
) -> None:
    whole, n_chunks, _ = unbroken
    journal = tmp_path / "j.jsonl"
    first = MortalOracle(lives)
    with pytest.raises(Killed):
        transcribe(job(recording, journal), load_engine=lambda: first)
    second = Oracle()
    assert encoded(transcribe(job(recording, journal), load_engine=lambda: second)) == whole
    assert first.n_decoded + second.n_decoded == n_chunks


def test_a_journal_cut_anywhere_is_resumed(recording: Path, tmp_path: Path, unbroken: tuple[bytes, int, bytes]) -> None:
    whole, _, log = unbroken
    for cut in range(0, len(log), max(1, len(log) // 40)):
        journal = tmp_path / f"{cut}.jsonl"
        journal.write_bytes(log[:cut])
        assert encoded(transcribe(job(recording, journal), load_engine=Oracle)) == whole


def test_a_finished_run_needs_no_engine(recording: Path, tmp_path: Path, unbroken: tuple[bytes, int, bytes]) -> None:
    journal = tmp_path / "j.jsonl"
    journal.write_bytes(unbroken[2])

    def no_engine() -> Oracle:
        raise AssertionError("the engine was loaded")

    assert encoded(transcribe(job(recording, journal), load_engine=no_engine)) == unbroken[0]


def test_other_sound_is_never_taken_from_the_journal(
    recording: Path, tmp_path: Path, unbroken: tuple[bytes, int, bytes]
) -> None:
    changed = SPOKEN.samples().copy()
    changed[changed == 200] = 201
    write_wav(tmp_path / "numbers.wav", changed)
    journal = tmp_path / "j.jsonl"
    journal.write_bytes(unbroken[2])
    oracle = Oracle()
    transcript = transcribe(job(tmp_path / "numbers.wav", journal), load_engine=lambda: oracle)
    assert 0 < oracle.n_decoded < unbroken[1]
    assert f" {name(200)}" not in {word.text for segment in transcript.segments for word in segment.words}


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_batch_size_and_workers_do_not_change_the_words(
    recording: Path, tmp_path: Path, unbroken: tuple[bytes, int, bytes], batch_size: int
) -> None:
    changed = replace(job(recording, tmp_path / "j.jsonl"), batch_size=batch_size, workers=2)
    assert encoded(transcribe(changed, load_engine=Oracle)) == unbroken[0]


def test_a_stretch_keeps_the_recordings_times(recording: Path, tmp_path: Path) -> None:
    part = replace(job(recording, tmp_path / "j.jsonl"), start=60.0, end=90.0)
    transcript = transcribe(part, load_engine=Oracle)
    assert (transcript.recording.start, transcript.recording.duration) == (60.0, 30.0)
    starts = {f" {name(number)}": start for start, number in SPOKEN.words}
    heard = [word for segment in transcript.segments for word in segment.words if word.text in starts]
    assert len(heard) > 40
    for word in heard:
        start = starts[word.text]
        assert abs(word.start - start * 512 / 16_000) < 0.11
        assert 60.0 <= word.start < word.end <= 90.0


def test_progress_only_grows(recording: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    transcribe(job(recording, tmp_path / "j.jsonl"), load_engine=Oracle, progress=seen.append)
    assert [report.n_chunks for report in seen] == sorted({report.n_chunks for report in seen})
    assert [report.done for report in seen] == sorted(report.done for report in seen)
    assert seen[0].n_chunks == 1  # the first chunk comes alone


def test_silence_is_an_error_that_says_so(tmp_path: Path) -> None:
    write_wav(tmp_path / "quiet.wav", np.zeros(16_000 * 40, np.int16))
    quiet = replace(job(tmp_path / "quiet.wav", tmp_path / "j.jsonl"), settings=Settings())
    with pytest.raises(NoSpeechError, match="No speech was found"):
        transcribe(quiet, load_engine=Oracle)
