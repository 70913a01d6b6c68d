"""The JSON files are exactly the structs, and damage is named by its place."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from tests.documents.build import panel, segment, transcript
from tests.documents.test_cues import transcripts
from transcriber.datatypes import Summary, Transcript
from transcriber.documents import tables
from transcriber.errors import InputError


def written(tmp_path: Path, data: object) -> Path:
    path = tmp_path / "transcript.json"
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.fixture
def plain() -> dict[str, object]:
    found: dict[str, object] = json.loads(tables.transcript_json(panel().transcript))
    return found


def test_transcript_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "transcript.json"
    path.write_text(tables.transcript_json(panel().transcript), "utf-8")
    assert tables.read_transcript(path) == panel().transcript


@given(transcripts())
def test_any_transcript_decodes_to_itself(given_transcript: Transcript) -> None:
    assert msgspec.json.decode(tables.transcript_json(given_transcript), type=Transcript) == given_transcript


def test_fields_are_those_that_outside_readers_know(plain: dict[str, object]) -> None:
    expected = {"schema", "session", "recording", "model", "settings", "language", "gaps", "segments"}
    assert expected == set(plain)
    assert {"file", "sha256", "duration"} <= set(plain["recording"])  # type: ignore[call-overload]
    (first, *_) = plain["segments"]  # type: ignore[misc]
    assert set(first) == {"id", "start", "end", "text", "speaker", "language", "confidence", "flags", "words"}
    assert set(first["words"][0]) == {"start", "end", "text", "probability"}


def test_key_points_have_questions_not_answers() -> None:
    summary = panel().summary
    assert summary
    text = tables.key_points_json(summary)
    data = json.loads(text)
    assert {"schema", "session", "method", "questions"} <= set(data)
    assert "answers" not in data
    assert {"id", "text", "verdict", "airtime", "voices", "key_points"} <= set(data["questions"][0])
    needed = {"start", "end", "text", "speaker", "score", "segment_ids", "context"}
    assert needed <= set(data["questions"][0]["key_points"][0])
    assert msgspec.json.decode(text, type=Summary) == summary


def test_files_end_with_a_newline_and_hold_letters_as_they_are() -> None:
    text = tables.transcript_json(transcript(segment(0, 0, "Grüße, Iași")))
    assert text.endswith("}\n")
    assert "Grüße, Iași" in text.replace("\\u", "?")


def test_unknown_fields_are_passed_over(tmp_path: Path, plain: dict[str, object]) -> None:
    assert tables.read_transcript(written(tmp_path, {**plain, "mood": "good"})) == panel().transcript


def test_a_file_name_that_is_not_utf8_can_be_written() -> None:
    odd = replace(panel().transcript, recording=replace(panel().transcript.recording, file="hall\udce9.wav"))
    assert "hall\ufffd.wav" in tables.transcript_json(odd)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ({"model": 5}, "$.model"),
        ({"segments": [{"id": 0, "start": "x", "end": 1, "text": "", "words": []}]}, "$.segments[0].start"),
        ({"segments": [{"id": 0, "start": 2, "end": 1, "text": "", "words": []}]}, "$.segments[0].end"),
        (
            {"segments": [{"id": n, "start": 2 - n, "end": 2, "text": "", "words": []} for n in (0, 1)]},
            "$.segments[1].start",
        ),
        ({"schema": "other/9"}, "schema"),
    ],
)
def test_damage_is_named(tmp_path: Path, plain: dict[str, object], damage: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as caught:
        tables.read_transcript(written(tmp_path, {**plain, **damage}))
    assert named in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": "transcriber/transcript/1"}'])
def test_what_is_no_transcript_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "transcript.json"
    path.write_bytes(content)
    with pytest.raises(InputError):
        tables.read_transcript(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        tables.read_transcript(tmp_path / "none.json")
