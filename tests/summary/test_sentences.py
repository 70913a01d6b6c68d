from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.summary.talks import PACE, transcript
from transcriber.datatypes import Gap, Phase, Segment, Word
from transcriber.summary.sentences import LONG_PAUSE, MAX_WORDS, sentences

WORDS = st.lists(
    st.tuples(
        st.sampled_from(["yes", "Well,", "3.", "Dr.", "end.", "why?", "e.g.", "the", "Grid", "…", "über", "是。"]),
        st.sampled_from([0.0, 0.1, 0.5, 2.5]),
        st.sampled_from([None, "Ana", "Bo"]),
    ),
    max_size=120,
)


@given(WORDS)
def test_every_word_is_in_exactly_one_sentence_and_keeps_its_time(spoken: list[tuple[str, float, str | None]]) -> None:
    segments, time = [], 0.0
    for number, (text, pause, speaker) in enumerate(spoken):
        word = Word(start=time, end=time + 0.2, text=f" {text}", probability=1.0)
        segments.append(Segment(id=number, start=time, end=time + 0.2, text=word.text, words=(word,), speaker=speaker))
        time += 0.2 + pause
    found = sentences(msgspec.structs.replace(transcript(), segments=tuple(segments)))
    assert [number for item in found for number in item.segment_ids] == list(range(len(spoken)))
    assert " ".join(item.text for item in found).split() == [text for text, _, _ in spoken]
    assert [item.index for item in found] == list(range(len(found)))
    for item in found:
        inside = [segments[number] for number in item.segment_ids]
        assert (item.start, item.end) == (inside[0].start, inside[-1].end)
        assert {segment.speaker for segment in inside} == {item.speaker}
        assert len(item.text.split()) <= MAX_WORDS


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("We bought it. It works.", ["We bought it.", "It works."]),
        (
            "Dr. Braun from the U.S. Office pays 3.5 million. Yes!",
            ["Dr. Braun from the U.S. Office pays 3.5 million.", "Yes!"],
        ),
        ("is it cheap? no. it is not", ["is it cheap?", "no.", "it is not"]),
        ("Tools, e.g. Slurm, etc. are free. Staff is not.", ["Tools, e.g. Slurm, etc. are free.", "Staff is not."]),
        ('He said "stop." Then we stopped.', ['He said "stop."', "Then we stopped."]),
        ("Wir zahlen das. Das ist fair.", ["Wir zahlen das.", "Das ist fair."]),
    ],
)
def test_sentences_end_at_full_stops_but_not_at_abbreviations(line: str, expected: list[str]) -> None:
    assert [item.text for item in sentences(transcript(line))] == expected


def test_a_number_split_over_two_words_stays_whole() -> None:
    words = (
        Word(start=0, end=0.3, text=" About", probability=1),
        Word(start=0.3, end=0.5, text=" 3.", probability=1),
        Word(start=0.5, end=0.7, text="5", probability=1),
        Word(start=0.7, end=1.0, text=" percent.", probability=1),
    )
    whole = Segment(id=0, start=0, end=1, text=" About 3.5 percent.", words=words)
    found = sentences(msgspec.structs.replace(transcript(), segments=(whole,)))
    assert [item.text for item in found] == ["About 3.5 percent."]


def test_a_sentence_runs_over_the_border_of_two_segments() -> None:
    found = sentences(transcript("The machine was paid", "by the region. Next."))
    assert [item.text for item in found] == ["The machine was paid by the region.", "Next."]
    assert found[0].segment_ids == (0, 1)


def test_no_sentence_crosses_a_gap_a_speaker_or_a_long_pause() -> None:
    lost = transcript("we spent", "a lot", gaps=(Gap(start=2 * PACE, end=2 * PACE + 0.3, cause="device lost"),))
    assert len(sentences(lost)) == 2
    assert len(sentences(transcript(("Ana", "we spent"), ("Bo", "a lot")))) == 2
    assert len(sentences(transcript("we spent", "a lot", pause=LONG_PAUSE))) == 2
    assert len(sentences(transcript("we spent", "a lot"))) == 1


def test_talk_without_punctuation_is_cut_at_its_best_pauses() -> None:
    found = sentences(transcript(*["so we went on and on about it all"] * 12, pause=0.9))
    assert all(len(item.text.split()) <= MAX_WORDS for item in found)
    assert all(item.text.startswith("so we") for item in found), "cuts lie in the pauses between lines"


def test_text_without_word_times_is_spread_over_its_segment() -> None:
    typed = Segment(id=0, start=10, end=14, text=" It works. It pays.", words=())
    first, second = sentences(msgspec.structs.replace(transcript(), segments=(typed,)))
    assert (first.text, first.start, second.text, second.end) == ("It works.", 10, "It pays.", 14)


def test_phases_are_given_by_time() -> None:
    phases = (Phase(id="t", kind="talk", start=0, end=1), Phase(id="d", kind="discussion", start=1, end=9))
    found = sentences(transcript("One two.", "Three four.", "Five.", pause=0.5), phases=phases)
    assert [item.phase for item in found] == ["t", "d", "d"]
