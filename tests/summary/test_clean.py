from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.summary.clean import CUT, readable


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("Nothing to mend here.", "Nothing to mend here."),
        ("So, um, we built it.", "So, […] we built it."),
        ("We, we paid for the, the roof.", "[…] we paid for […] the roof."),
        ("It was, you know, a mess.", "It was, […] a mess."),
        ("Do you know the price?", "Do you know the price?"),
        ("It is very very cold, said said Bo.", "It is very very cold, […] said Bo."),
        ("I went, I went home, uh.", "[…] I went home, […]."),
    ],
)
def test_hesitations_and_false_starts_give_way_to_a_mark(spoken: str, expected: str) -> None:
    assert readable(spoken) == expected


@given(st.lists(st.sampled_from(["um,", "we", "we,", "pay.", "you", "know,", "I", "mean,", "3", "the"]), max_size=30))
def test_what_remains_was_said_in_that_order(words: list[str]) -> None:
    left = iter(words)
    for word in readable(" ".join(words)).split():
        assert word.startswith(CUT) or word in left
