"""Texts for people: what must and must not be in them, then every letter of a whole panel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.documents.build import hostile, panel, segment, session, transcript
from transcriber.datatypes import Phase, Session, Word
from transcriber.documents import text
from transcriber.documents.cues import Layout
from transcriber.documents.paragraphs import Heading, Paragraph, blocks
from transcriber.documents.subtitles import srt, vtt
from transcriber.documents.words import clean

GOLDEN = Path(__file__).parent.parent / "golden"


def paragraphs(whole: Session) -> list[Paragraph]:
    return [block for block in blocks(whole) if isinstance(block, Paragraph)]


def key_points(whole: Session) -> str:
    assert whole.summary
    return text.key_points_md(whole, whole.summary)


def test_every_word_is_in_a_paragraph_once_and_in_order() -> None:
    shown = [word.text for block in paragraphs(panel()) for piece in block.pieces for word in piece.words]
    assert shown == [word.text.strip() for segment in panel().transcript.segments for word in segment.words]


def test_a_paragraph_ends_at_a_change_of_speaker_a_long_pause_a_gap_and_a_phase() -> None:
    segments = [
        segment(0, 0, "One.", "Ana"),
        segment(1, 1, "Two.", "Bo"),  # another speaker
        segment(2, 5, "Three.", "Bo"),  # after a long pause
        segment(3, 6, "Four.", "Bo"),  # in a new phase
        segment(4, 7, "Five.", "Bo"),  # nothing new
    ]
    phase = Phase(id="talk", kind="talk", start=5.9, title="Talk")
    found = blocks(session(transcript(*segments), phases=(phase,)))
    assert [block.title if isinstance(block, Heading) else block.pieces[0].text for block in found] == [
        "One.",
        "Two.",
        "Three.",
        "Talk",
        "Four. Five.",
    ]


def test_long_talk_is_broken_after_a_few_sentences() -> None:
    talk = segment(0, 0, " ".join(["One more sentence."] * 20))
    assert {block.pieces[0].text.count(".") for block in paragraphs(session(transcript(talk)))} == {6, 2}


def test_planned_phase_times_are_not_taken_for_real_ones() -> None:
    whole = panel()
    planned = replace(whole, recording=replace(whole.recording, phases=()))
    assert not any(isinstance(block, Heading) for block in blocks(planned))


def test_a_question_nobody_answered_says_so() -> None:
    section = key_points(panel()).split("## 3. ")[1]
    assert "**Not addressed.**" in section
    assert "\n>" not in section


def test_passages_near_an_unanswered_question_are_not_shown_as_answers() -> None:
    whole = panel()
    assert whole.summary
    answers = tuple(replace(answer, verdict="not addressed") for answer in whole.summary.answers)
    written = key_points(replace(whole, summary=replace(whole.summary, answers=answers)))
    assert "\n>" not in written
    assert written.count("Nearest passages, which do not answer it:") == 2


@pytest.mark.parametrize("write", [text.transcript_txt, text.transcript_md, key_points])
def test_hostile_text_is_shown_and_does_nothing(write: object) -> None:
    written = write(hostile())  # type: ignore[operator]
    assert not any(ord(char) < 32 and char != "\n" for char in written)
    assert "\u202e" not in written
    assert "\ud800" not in written
    assert "alert(1)" in written
    if write is not text.transcript_txt:
        assert "<script" not in written.replace("\\<", "")
        assert "*bold*" not in written.replace("\\*", "")


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("# no heading", "\\# no heading"),
        ("1. no list", "1\\. no list"),
        ("- no list", "\\- no list"),
        ("well-known, 3.5 (yes)", "well-known, 3.5 (yes)"),
        ("![x](http://a)", "!\\[x\\](http://a)"),
        ("a\n\nb", "a b"),
    ],
)
def test_markdown_is_escaped_only_where_it_would_act(raw: str, safe: str) -> None:
    assert text.markdown(raw) == safe


def test_clean_keeps_letters_of_all_scripts_and_joiners() -> None:
    kept = "naïve Ωμέγα שלום 日本 क्‍ष 👩‍🔬"
    assert clean(kept) == kept


def test_words_without_full_stops_still_make_paragraphs() -> None:
    found = paragraphs(session(transcript(*(segment(n, n * 4.0, "on and on and on and on and on") for n in range(60)))))
    assert len(found) > 1
    assert all(len(block.pieces[0].words) <= 168 for block in found)


def test_a_word_that_is_only_control_characters_is_nowhere() -> None:
    odd = replace(segment(0, 0, "One two."), words=(Word(start=0, end=1, text=" \x1b\x00", probability=1),))
    assert paragraphs(session(transcript(odd))) == []


WRITTEN = {
    "panel.txt": text.transcript_txt(panel()),
    "panel.md": text.transcript_md(panel()),
    "panel.key-points.md": key_points(panel()),
    "panel.srt": srt(panel(), Layout()),
    "panel.vtt": vtt(panel(), Layout()),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_golden(name: str) -> None:
    """After a wanted change, renew the files with UPDATE_GOLDEN=1 and read the difference."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(WRITTEN[name], "utf-8")
    assert WRITTEN[name] == path.read_text("utf-8")
