"""What is done with chunks whose text looks wrong."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.oracle import Oracle, hypothesis, name, talk
from transcriber.datatypes import SAMPLE_RATE, TimePiece, Word
from transcriber.transcription import guards
from transcriber.transcription.chunks import Chunk, chunks
from transcriber.transcription.engine import Hypothesis, Request
from transcriber.transcription.ladder import decode_chunks
from transcriber.transcription.words import place

REQUEST = Request(language="en", prompt="Glossary: EuroHPC, exascale, Slurm, Kubernetes, LUMI, Leonardo, JUPITER.")


def chunk(duration: float = 10.0, *, voiced: bool = True) -> Chunk:
    n = int(duration * SAMPLE_RATE)
    samples = np.zeros(n, np.int16)
    return Chunk(0, 0, samples, (TimePiece(chunk_start=0, session_start=0, n_samples=n),), ((0, n),) if voiced else ())


def words(text: str, *, probability: float = 0.9, duration: float = 10.0) -> tuple[Word, ...]:
    parts = text.split()
    step = duration / max(1, len(parts))
    return tuple(
        Word(start=at * step, end=(at + 1) * step, text=f" {part}", probability=probability)
        for at, part in enumerate(parts)
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.4, 0.9, 3.0, 25.0]), min_size=1, max_size=250))
def test_all_words_come_out_once_in_order_and_at_their_time(pauses: list[float]) -> None:
    spoken = talk(pauses)
    found = list(chunks(spoken.windows()))
    outcomes = decode_chunks(Oracle(), found, Request(language="en"))
    placed = [w for one, outcome in zip(found, outcomes, strict=True) for w in place(outcome.words, one)]
    assert [w.text for w in placed] == [f" {name(number)}" for _, number in spoken.words]
    for word, (start, _) in zip(placed, spoken.words, strict=True):
        assert abs(word.start - start * 512 / SAMPLE_RATE) < 0.11
    assert all(a.start <= b.start and a.end <= b.start for a, b in pairwise(placed))


def test_sound_text_is_taken_at_once() -> None:
    oracle = Oracle()
    text = words("a fair answer to a fair question from the back row of the hall tonight")
    oracle.spoil = lambda _, __: hypothesis(text)
    (outcome,) = decode_chunks(oracle, [chunk()], REQUEST)
    assert oracle.n_decoded == 1
    assert (outcome.words, outcome.attempts, outcome.flags) == (text, (), ())


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (words("thank you " * 8), "repetition"),
        (words("no no no no no no no no it works"), "repetition"),
        (words(" ".join(f"x{n}" for n in range(90))), "too many words"),
        (words("Glossary EuroHPC exascale Slurm Kubernetes LUMI Leonardo JUPITER"), "echo of the prompt"),
        (words("only here", duration=1.0), "missing words"),
    ],
)
def test_each_fault_is_found_and_mended_by_a_later_step(bad: tuple[Word, ...], fault: str) -> None:
    good = words("this is what the speaker really said in those ten seconds of talk")

    def spoil(heard: Hypothesis, request: Request) -> Hypothesis:
        return hypothesis(bad) if request == REQUEST else hypothesis(good)

    oracle = Oracle(spoil=spoil)
    (outcome,) = decode_chunks(oracle, [chunk()], REQUEST)
    assert fault in outcome.attempts[0]
    assert outcome.words == good
    assert outcome.flags == ()


def test_what_no_step_mends_is_kept_and_flagged() -> None:
    loop = words("over and over again " * 6)
    (outcome,) = decode_chunks(Oracle(spoil=lambda *_: hypothesis(loop)), [chunk()], REQUEST)
    assert outcome.words
    assert "repetition" in outcome.flags
    assert len(outcome.attempts) == 3


def test_halves_are_put_together_in_time() -> None:
    spoken = talk([0.0] * 60)
    (one,) = chunks(spoken.windows())

    def spoil(heard: Hypothesis, request: Request) -> Hypothesis:
        whole = len(heard.words) > 40
        return msgspec.structs.replace(heard, hit_cap=whole, words=heard.words[:3] if whole else heard.words)

    (outcome,) = decode_chunks(Oracle(spoil=spoil), [one], Request(language="en"))
    texts = [word.text for word in outcome.words if word.text != " garbled"]
    assert len(texts) >= 58
    order = [f" {name(number)}" for _, number in spoken.words]
    assert texts == [text for text in order if text in texts]


def test_text_where_nobody_speaks_is_left_out_and_reported() -> None:
    unsure = hypothesis(words("Thank you."), avg_logprob=-0.9, no_speech_prob=0.7)
    oracle = Oracle(spoil=lambda *_: unsure)
    (outcome,) = decode_chunks(oracle, [chunk(voiced=False)], Request(language="en"))
    assert outcome.words == ()
    assert outcome.left_out == ("Thank you.",)
    assert oracle.n_decoded == 1


def test_sure_text_without_detected_speech_is_kept() -> None:
    sure = hypothesis(words("the detector missed this"), avg_logprob=-0.1, no_speech_prob=0.02)
    (outcome,) = decode_chunks(Oracle(spoil=lambda *_: sure), [chunk(voiced=False)], Request(language="en"))
    assert outcome.words == sure.words


def test_doubtful_words_away_from_speech_are_left_out_of_a_chunk_that_has_speech() -> None:
    n = 10 * SAMPLE_RATE
    one = Chunk(0, 0, np.zeros(n, np.int16), chunk().time_map, ((0, n // 2),))
    real = words("we talk for five seconds and then people clap.", duration=5.0)
    invented = tuple(
        Word(start=8.0 + at / 2, end=8.4 + at / 2, text=text, probability=0.2)
        for at, text in enumerate([" Oh", " yes."])
    )
    spoil = lambda *_: hypothesis((*real, *invented))  # noqa: E731
    (outcome,) = decode_chunks(Oracle(spoil=spoil), [one], Request(language="en"))
    assert outcome.words == real
    assert outcome.left_out == ("Oh yes.",)


def test_ordinary_speech_is_no_loop() -> None:
    text = "that is it and that is why we say that it is what it is and no more than that no no no it is"
    assert not guards.loops(guards.normal([text]))


def test_a_prompt_is_not_used_for_another_language() -> None:
    text = words("das ist die Antwort auf die Frage aus der letzten Reihe in diesem Saal")

    def spoil(heard: Hypothesis, request: Request) -> Hypothesis:
        return hypothesis(() if request.prompt else text, language="de")

    request = msgspec.structs.replace(REQUEST, language=None, prompt_language="en")
    (outcome,) = decode_chunks(Oracle(spoil=spoil), [chunk()], request)
    assert outcome.words == text
    assert outcome.attempts == ()


def test_a_doubtful_word_inside_a_spoken_sentence_is_kept() -> None:
    n = 10 * SAMPLE_RATE
    one = Chunk(0, 0, np.zeros(n, np.int16), chunk().time_map, ((n // 2, n),))
    first = Word(start=3.0, end=3.4, text=" Good", probability=0.2)
    rest = tuple(
        Word(start=5.0 + at, end=5.9 + at, text=w, probability=0.9) for at, w in enumerate([" evening", " all."])
    )
    (outcome,) = decode_chunks(Oracle(spoil=lambda *_: hypothesis((first, *rest))), [one], Request(language="en"))
    assert outcome.words == (first, *rest)
