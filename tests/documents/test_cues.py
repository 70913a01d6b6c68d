"""Laws of subtitle cues, over any words a recogniser could give."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents.build import segment, transcript
from transcriber.datatypes import Gap, Segment, Transcript, Word
from transcriber.documents.cues import (
    CHARS_PER_SECOND,
    GOOD_CUE_MS,
    MAX_CUE_MS,
    MAX_PAUSE_MS,
    MIN_CUE_MS,
    MIN_GAP_MS,
    Cue,
    Layout,
    cues,
)
from transcriber.documents.words import spoken
from transcriber.errors import UsageError

_TEXTS = st.one_of(
    st.sampled_from(["a", "the", "of", "data", "factories", "sovereignty,", "done.", "e.g.", "24", "<b>", "&", "-->"]),
    st.text(min_size=1, max_size=14).map(lambda text: bare(text) or "x"),
    st.text(alphabet="今日は北京ไทย", min_size=1, max_size=4),
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Words in spoken order with pauses, changes of speaker, words of no length, odd characters, and gaps."""
    segments, gaps, at = [], [], draw(st.floats(0, 5))
    for number in range(draw(st.integers(0, 5))):
        words = []
        for _ in range(draw(st.integers(1, 14))):
            at += draw(st.sampled_from([0, 0, 0.02, 0.25, 0.3, 0.9, 1.25, 1.6, 4.0]))
            end = at + draw(st.sampled_from([0, 0.05, 0.3, 0.6, 2.0]))
            space = draw(st.sampled_from([" ", " ", " ", ""]))
            words.append(Word(start=at, end=end, text=space + draw(_TEXTS), probability=0.9))
            at = end
        speaker = draw(st.sampled_from([None, "Ana", "Bo"]))
        text = "".join(word.text for word in words)
        start, end = words[0].start, words[-1].end
        segments.append(Segment(id=number, start=start, end=end, text=text, words=tuple(words), speaker=speaker))
        if draw(st.booleans()):
            lost = draw(st.sampled_from([0.02, 1.0, 90.0]))
            gaps.append(Gap(start=at, end=at + lost, cause="overflow"))
            at += lost
    return transcript(*segments, gaps=tuple(gaps))


layouts = st.builds(Layout, max_line_width=st.integers(10, 60), max_line_count=st.integers(1, 4))


def is_gap(cue: Cue) -> bool:
    return " ".join(cue.lines).startswith("[audio missing ")


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(transcripts(), layouts)
def test_every_word_stands_exactly_once_and_in_order(given_transcript: Transcript, layout: Layout) -> None:
    shown = "".join(bare("".join(cue.lines)) for cue in cues(given_transcript, layout) if not is_gap(cue))
    assert shown == "".join(bare(word.text) for word in spoken(given_transcript))


@given(transcripts(), layouts)
def test_cues_never_overlap_nor_flicker(given_transcript: Transcript, layout: Layout) -> None:
    found = cues(given_transcript, layout)
    for cue, following in itertools.pairwise(found):
        between = following.start_ms - cue.end_ms
        assert between == 0 or between >= MIN_GAP_MS
    for cue in found:
        assert 0 <= cue.start_ms < cue.end_ms <= cue.start_ms + MAX_CUE_MS


@given(transcripts(), layouts)
def test_lines_keep_the_layout(given_transcript: Transcript, layout: Layout) -> None:
    for cue in cues(given_transcript, layout):
        assert all(cue.lines)
        assert all(len(line) <= layout.max_line_width or len(line.split()) == 1 for line in cue.lines)
        assert len(cue.lines) <= layout.max_line_count or is_gap(cue)


@given(transcripts(), layouts)
def test_a_cue_is_short_or_fast_only_where_speech_leaves_no_room(given_transcript: Transcript, layout: Layout) -> None:
    found = cues(given_transcript, layout)
    for cue, following in zip(found, (*found[1:], None), strict=False):
        length = cue.end_ms - cue.start_ms
        touches = following is not None and following.start_ms - cue.end_ms <= MIN_GAP_MS
        assert length >= GOOD_CUE_MS or touches
        assert length * CHARS_PER_SECOND >= 1000 * sum(map(len, cue.lines)) or touches or length > MAX_CUE_MS - 100


@given(transcripts(), layouts)
def test_no_cue_crosses_a_pause_a_gap_or_a_change_of_speaker(given_transcript: Transcript, layout: Layout) -> None:
    rest = list(spoken(given_transcript))
    for cue in cues(given_transcript, layout):
        if is_gap(cue):
            continue
        inside, left = [], bare("".join(cue.lines))
        while left:
            inside.append(rest.pop(0))
            left = left.removeprefix(bare(inside[-1].text))
        assert {word.speaker for word in inside} == {cue.speaker}
        for word, following in itertools.pairwise(inside):
            assert following.start - word.end <= MAX_PAUSE_MS / 1000 + 0.002
            assert not any(word.end <= gap.start and gap.end <= following.start for gap in given_transcript.gaps)


def test_breaks_fall_where_sense_breaks() -> None:
    text = (
        "We spent almost a third of the budget on storage, because training jobs read the same data "
        "hundreds of times. On the previous system it was eleven percent."
    )
    assert [cue.lines for cue in cues(transcript(segment(0, 0, text)), Layout())] == [
        ("We spent almost a third", "of the budget on storage,"),
        ("because training jobs read", "the same data hundreds of times."),
        ("On the previous system", "it was eleven percent."),
    ]


def test_a_short_word_stays_long_enough_to_be_read() -> None:
    asked = segment(0, 5.0, "Do you think that you could do it in one day alone?", "Bo")
    yes, why = segment(1, 10.0, "Yes.", "Ana"), segment(2, 10.5, "Tell me why that is so.", "Bo")
    *_, first, second = cues(transcript(asked, yes, why), Layout())
    assert first.end_ms - first.start_ms >= MIN_CUE_MS
    assert abs(second.start_ms - 10_500) <= 400
    assert first.end_ms == second.start_ms


def test_a_short_cue_comes_early_without_a_flicker() -> None:
    for pause_ms in range(0, 1500, 15):
        at = 0.35 + pause_ms / 1000
        turns = [segment(0, 0, "No.", "Ana"), segment(1, at, "Yes.", "Bo"), segment(2, at + 0.4, "Why?", "Ana")]
        for cue, following in itertools.pairwise(cues(transcript(*turns), Layout())):
            between = following.start_ms - cue.end_ms
            assert between == 0 or between >= MIN_GAP_MS


def test_slow_words_are_on_the_screen_when_they_are_spoken() -> None:
    slow = tuple(Word(start=n * 1.4, end=n * 1.4 + 1, text=" slow", probability=1) for n in range(14))
    found = cues(transcript(Segment(id=0, start=0, end=19.2, text=" slow" * 14, words=slow)), Layout())
    starts = iter(word.start for word in slow)
    for cue in found:
        for _ in " ".join(cue.lines).split():
            assert cue.start_ms <= next(starts) * 1000 < cue.end_ms


def test_a_gap_is_told() -> None:
    found = cues(transcript(segment(0, 0, "Before."), gaps=(Gap(start=1.2, end=2.2, cause="overflow"),)), Layout())
    assert [cue.lines for cue in found] == [("Before.",), ("[audio missing 1.0 s]",)]
    assert found[1].start_ms == 1200


def test_only_gaps_of_the_stretch_are_told() -> None:
    gap = Gap(start=1.0, end=2.0, cause="overflow")
    assert cues(transcript(start=10.0, gaps=(gap,)), Layout()) == ()


def test_a_segment_without_words_is_not_lost() -> None:
    bare_segment = Segment(id=0, start=1.0, end=3.0, text=" Only text here.", words=())
    (cue,) = cues(transcript(bare_segment), Layout())
    assert cue.lines == ("Only text here.",)
    assert (cue.start_ms, cue.end_ms) == (1000, 3200)


def test_scripts_without_spaces_break_between_words() -> None:
    spoken_words = tuple(Word(start=n * 0.3, end=n * 0.3 + 0.3, text="北京", probability=1.0) for n in range(12))
    whole = Segment(id=0, start=0, end=3.6, text="北京" * 12, words=spoken_words, language="zh")
    for cue in cues(transcript(whole), Layout(max_line_width=20)):
        assert all(len(line) <= 10 for line in cue.lines)  # each character is two columns wide


@pytest.mark.parametrize(("width", "count"), [(9, 2), (0, 2), (42, 0)])
def test_a_layout_no_word_fits_is_refused(width: int, count: int) -> None:
    with pytest.raises(UsageError):
        Layout(max_line_width=width, max_line_count=count)
