"""The main job on the sample that ships, with the model that ships, transcribed once for all tests here."""

from __future__ import annotations

import json
import re
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.scoring import matched, wer, words
from transcriber import pipeline
from transcriber.audio import Reader, open_recording
from transcriber.datatypes import Transcript
from transcriber.documents.tables import read_transcript
from transcriber.pipeline import Options, Result
from transcriber.transcription import vad
from transcriber.transcription.chunks import chunks

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    options = Options(output_dir=tmp_path_factory.mktemp("outputs"))
    return pipeline.run(pipeline.sample_session(), options)


@pytest.fixture(scope="module")
def transcript(result: Result) -> Transcript:
    return result.session.transcript


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((pipeline.sample_session() / "truth.json").read_text("utf-8"))
    return data


def spoken(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [word for sentence in truth["sentences"] for word in sentence["words"]]


def test_all_documents_are_written(result: Result) -> None:
    assert [path.name for path in result.paths] == [
        "transcript.txt",
        "transcript.srt",
        "transcript.vtt",
        "transcript.md",
        "transcript.json",
        "key-points.md",
        "key-points.json",
        "report.html",
    ]
    assert all(path.stat().st_size > 500 for path in result.paths)


def test_words_are_those_spoken(transcript: Transcript, truth: dict[str, Any]) -> None:
    reference = " ".join(sentence["text"] for sentence in truth["sentences"])
    assert wer(reference, "".join(segment.text for segment in transcript.segments)) <= 0.02


def test_words_are_where_they_are_spoken_also_after_the_silence(transcript: Transcript, truth: dict[str, Any]) -> None:
    reference, heard = spoken(truth), words(transcript)
    pairs = matched([word["text"] for word in reference], [word.text for word in heard])
    errors = [(reference[a]["start"], abs(heard[b].start - reference[a]["start"])) for a, b in pairs]
    (silence,) = [span for span in truth["spans"] if span["kind"] == "silence"]
    assert len(pairs) > 0.95 * len(reference)
    assert statistics.median(error for _, error in errors) <= 0.15
    assert statistics.median(error for at, error in errors if at > silence["end"]) <= 0.15
    assert sum(error > 1.0 for _, error in errors) <= 0.005 * len(errors)


def test_nothing_is_heard_in_silence_or_applause(transcript: Transcript, truth: dict[str, Any]) -> None:
    for span in truth["spans"]:
        inside = [w.text for w in words(transcript) if span["start"] + 0.5 < (w.start + w.end) / 2 < span["end"] - 0.5]
        assert inside == []


def test_nothing_is_lost_or_doubled_at_the_borders_of_chunks(transcript: Transcript, truth: dict[str, Any]) -> None:
    sound = Reader(open_recording(pipeline.sample_session()))
    borders = [chunk.start_sample / 16_000 for chunk in chunks(vad.windows(sound))][1:]
    reference, heard = spoken(truth), words(transcript)
    pairs = matched([word["text"] for word in reference], [word.text for word in heard])
    right_there, right_here = {a for a, _ in pairs}, {b for _, b in pairs}

    def near(time: float) -> bool:
        return any(abs(time - border) <= 2.0 for border in borders)

    at_borders = [at for at, word in enumerate(reference) if near(word["start"])]
    extra = [at for at, word in enumerate(heard) if near(word.start) and at not in right_here]
    elsewhere = 1 - len(right_there) / len(reference)
    assert len(at_borders) > 50
    missed = sum(at not in right_there for at in at_borders)
    assert missed / len(at_borders) <= elsewhere + 0.03
    assert len(extra) / len(at_borders) <= 0.05


def test_segments_obey_their_law(transcript: Transcript) -> None:
    assert [segment.id for segment in transcript.segments] == list(range(len(transcript.segments)))
    for segment in transcript.segments:
        assert segment.start <= segment.end
        assert segment.text == "".join(word.text for word in segment.words)
        assert all(word.start <= word.end for word in segment.words)
    assert all(a.start <= b.start for a, b in pairwise(transcript.segments))


def test_every_key_point_is_verbatim_and_at_its_time(result: Result) -> None:
    assert result.session.summary is not None
    heard = words(result.session.transcript)
    for answer in result.session.summary.answers:
        for point in answer.key_points:
            inside = [w for w in heard if point.start - 0.01 <= w.start and w.end <= point.end + 0.01]
            said = "".join(word.text for word in inside)
            for piece in re.split(r"\s*\[…\]\s*", point.text):
                assert piece.strip() in said


def test_a_question_nobody_answered_is_not_called_answered(result: Result) -> None:
    assert result.session.summary is not None
    verdicts = {answer.id: answer.verdict for answer in result.session.summary.answers}
    assert verdicts["q2"] == "not addressed"
    assert "not addressed" not in {verdicts[name] for name in ("q1", "q3", "q4")}


def test_most_key_points_are_planted_answers(result: Result, truth: dict[str, Any]) -> None:
    panel = json.loads((pipeline.sample_session() / "panel.json").read_text("utf-8"))
    grades = {s["id"]: s["grades"] for turn in panel["turns"] for s in turn["sentences"]}
    assert result.session.summary is not None
    found = []
    for answer in result.session.summary.answers:
        for point in answer.key_points:
            shared = {s["id"]: min(point.end, s["end"]) - max(point.start, s["start"]) for s in truth["sentences"]}
            found.append(grades[max(shared, key=lambda name: shared[name])][answer.id])
    assert len(found) >= 8
    assert sum(grade >= 2 for grade in found) / len(found) >= 0.7


def test_signs_stay_with_their_word(transcript: Transcript) -> None:
    assert any(re.fullmatch(r" \d+%[.,]?", word.text) for word in words(transcript))


def test_transcript_reads_back_as_it_was(result: Result) -> None:
    assert read_transcript(result.folder / "transcript.json") == result.session.transcript


def test_a_second_run_gives_the_same_bytes_without_the_engine(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in result.paths}
    monkeypatch.setattr("transcriber.transcription.engine.Engine.__init__", None)  # loading it would fail
    again = pipeline.run(pipeline.sample_session(), Options(output_dir=result.folder.parent))
    assert {path: path.read_bytes() for path in again.paths} == before


def test_a_real_voice_at_44_khz(tmp_path: Path) -> None:
    found = pipeline.transcribe(DATA / "jfk.flac", Options(output_dir=tmp_path, glossary=False)).session.transcript
    said = (
        "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
    )
    assert wer(said, "".join(segment.text for segment in found.segments)) == 0
    (americans,) = [word for word in words(found) if word.text.strip().lower().startswith("americans")]
    assert americans.start <= 1.8 <= americans.end
    assert (found.language, found.model) == ("en", "whisper-base-int8")
