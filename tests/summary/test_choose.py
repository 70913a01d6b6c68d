from __future__ import annotations

import numpy as np

from tests.summary.talks import WordEncoder
from transcriber.datatypes import Sentence
from transcriber.summary.choose import choose, context, disagreeing, stands_alone


def _sentences(*texts: str, speakers: str = "") -> tuple[Sentence, ...]:
    return tuple(
        Sentence(index=n, start=5.0 * n, end=5.0 * n + 4, text=text, speaker=speakers[n] if speakers else None)
        for n, text in enumerate(texts)
    )


def test_a_point_made_twice_is_one_pick_with_two_voices() -> None:
    said = "The region pays four million euros for the electricity every year"
    spoken = _sentences(f"{said}.", "We trained six operators in schedulers during the long winter.", f"Yes, {said}.")
    picks = choose(np.array([0.9, 0.5, 0.8], np.float32), spoken, _vectors(spoken), points=3)
    assert [(pick.place, pick.also) for pick in picks] == [(0, (2,)), (1, ())]


def test_between_near_equals_the_one_further_away_is_taken() -> None:
    topics = ("roof", "river", "camel", "piano", "lemon", "violet", "hammer", "winter")
    spoken = _sentences(*(f"There was one {topic} too many in this house of ours, honestly." for topic in topics))
    worth = np.array([0.9, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.58], np.float32)
    unlike = np.eye(len(topics), 384, dtype=np.float32)
    assert [pick.place for pick in choose(worth, spoken, unlike, points=2)] == [0, 7]


def test_fragments_stand_alone_only_as_answers() -> None:
    spoken = _sentences(
        "Do you pay?", "No, never.", "Hardware mostly.", "How many sites are there?", "About 19 of them."
    )
    assert [stands_alone(n, spoken) for n in range(5)] == [False, True, False, False, True]


def test_a_pronoun_brings_the_sentence_before_it() -> None:
    spoken = _sentences("The starter grant changed everything.", "It is one page.", "That is why it works.")
    assert context(0, spoken) == ""
    assert context(1, spoken) == spoken[0].text
    assert context(2, spoken) == f"{spoken[0].text} {spoken[1].text}"


def test_disagreement_is_found_with_another_voice_only() -> None:
    texts = ("We should all buy bigger machines now.", "I disagree.", "Small ones cost a tenth.", "Not so sure.")
    assert disagreeing(0, _sentences(*texts, speakers="ABBA")) == (1, 2)
    assert disagreeing(0, _sentences(*texts, speakers="AAAA")) == ()
    assert disagreeing(0, _sentences(*texts)) == (1, 2)


def _vectors(spoken: tuple[Sentence, ...]) -> np.ndarray:
    return WordEncoder().encode([item.text for item in spoken])
