"""SubRip and WebVTT as strict readers see them: what they read is what the cues say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import srt
import webvtt
from hypothesis import given

from tests.documents.build import hostile, panel, segment, session, transcript
from tests.documents.test_cues import transcripts
from transcriber.datatypes import Transcript
from transcriber.documents import subtitles
from transcriber.documents.cues import Layout, cues
from transcriber.timecode import stamp


@given(transcripts())
def test_srt_reads_back(given_transcript: Transcript) -> None:
    found = cues(given_transcript, Layout())
    read = list(srt.parse(subtitles.srt(session(given_transcript), Layout()), ignore_errors=False))
    assert [entry.index for entry in read] == list(range(1, len(found) + 1))
    assert [(round(e.start.total_seconds() * 1000), round(e.end.total_seconds() * 1000)) for e in read] == [
        (cue.start_ms, cue.end_ms) for cue in found
    ]
    assert [e.content.replace("‹", "<").replace("›", ">").replace("(", "{") for e in read] == [
        "\n".join(cue.lines).replace("‹", "<").replace("›", ">").replace("(", "{") for cue in found
    ]


@given(transcripts())
def test_vtt_reads_back(given_transcript: Transcript) -> None:
    found = cues(given_transcript, Layout())
    read = webvtt.from_string(subtitles.vtt(session(given_transcript), Layout()))
    assert [(caption.start, caption.end) for caption in read] == [
        (stamp(cue.start_ms / 1000), stamp(cue.end_ms / 1000)) for cue in found
    ]
    for caption, cue in zip(read, found, strict=True):
        text = caption.raw_text.removeprefix(f"<v {cue.speaker}>")
        assert text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == "\n".join(cue.lines)
        assert caption.voice == cue.speaker


def test_hostile_text_stays_text() -> None:
    for written in (subtitles.srt(hostile(), Layout()), subtitles.vtt(hostile(), Layout())):
        assert "<script" not in written
        assert not any(ord(char) < 32 and char != "\n" for char in written)
        assert "\u202e" not in written
        assert "\ud800" not in written
        times = [line for line in written.splitlines() if "-->" in line]
        assert times
        assert all(line[0].isdigit() and line[-1].isdigit() for line in times)
    assert "{\\" not in subtitles.srt(hostile(), Layout())


def test_an_empty_transcript_makes_empty_subtitles() -> None:
    empty = session(transcript())
    assert subtitles.srt(empty, Layout()) == ""
    assert subtitles.vtt(empty, Layout()).startswith("WEBVTT\n\nNOTE\n")


def test_voices_are_named_in_webvtt() -> None:
    written = subtitles.vtt(session(transcript(segment(0, 1.0, "Hello.", "Ana <Lund> & Co"))), Layout())
    assert "<v Ana &lt;Lund&gt; &amp; Co>Hello.\n" in written


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_players_read_every_cue(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"talk.{name}"
    path.write_text(getattr(subtitles, name)(panel(), Layout()), "utf-8")
    probe = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", str(path)]
    done = subprocess.run(probe, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    starts = [float(line.rstrip(",")) for line in done.stdout.split()]
    assert starts == [cue.start_ms / 1000 for cue in cues(panel().transcript, Layout())]
