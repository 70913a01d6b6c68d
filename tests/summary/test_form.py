from __future__ import annotations

import msgspec

from tests.summary.talks import WordEncoder, plan, transcript
from transcriber.datatypes import Phase, Poll
from transcriber.summary.explain import explain
from transcriber.summary.model import EvidenceModel
from transcriber.summary.sentences import sentences
from transcriber.summary.summarise import SummaryOptions, read, summarise

COST = "Who pays for the electricity of the computing centre?"
TALK = (
    ("Chair", "Welcome everybody to the session about electricity, please sit down."),
    ("Ana", "The region pays for the electricity of our computing centre, four million euros a year in total."),
    ("Ana", "And the university pays for the building, because electricity was never in its budget at all."),
    ("Bo", "In our computing centre the users pay the electricity per hour, by an invoice every month."),
    ("Chair", "Who pays the most, did you vote? Sixty percent of you say the region pays for electricity."),
    ("Chair", "Now it is your turn, the microphone is open, who is first?"),
    ("Guest", "Could a small town pay less for its electricity than a big region?"),
    ("Bo", "A small town pays a tenth of the price, because the electricity contract counts heads there."),
    ("Chair", "Thank you all, we are out of time, good night to everybody here."),
)
PHASES = (
    Phase(id="t", kind="talk", start=0.0, end=22.0, title="Talks"),
    Phase(id="o", kind="open-mic", start=29.0, end=60.0, title="Open mic"),
)


def test_known_phases_give_highlights_and_exchanges() -> None:
    summary = summarise(transcript(*TALK), plan(COST), encoder=WordEncoder(), options=SummaryOptions(phases=PHASES))
    assert [highlight.phase_id for highlight in summary.phases] == ["t"]
    assert all(0 <= quote.start < 22 for quote in summary.phases[0].quotes)
    (exchange,) = summary.exchanges
    assert exchange.question[0].text.startswith("Could a small town")
    assert exchange.answer[0].text.startswith("A small town pays a tenth")
    assert not exchange.inferred


def test_without_phases_exchanges_are_marked_as_inferred() -> None:
    flat = transcript(*(text for _, text in TALK))
    summary = summarise(flat, plan(COST), encoder=WordEncoder())
    assert summary.phases == ()
    assert summary.exchanges
    assert all(exchange.inferred for exchange in summary.exchanges)


def test_planned_phases_count_only_where_they_fit_the_talk() -> None:
    off = tuple(msgspec.structs.replace(phase, start=(phase.start or 0) + 1.9) for phase in PHASES)
    wrong = msgspec.structs.replace(plan(COST), phases=off)
    assert summarise(transcript(*TALK), wrong, encoder=WordEncoder()).phases == ()


def test_a_takeaway_that_nobody_said_has_no_evidence() -> None:
    hoped = msgspec.structs.replace(
        plan(COST),
        takeaways=(
            "The region pays for the electricity of the computing centre.",
            "Quantum networks replace libraries.",
        ),
        polls=(Poll(id="p1", question="Who pays the most?", options=("the region", "the users")),),
    )
    summary = summarise(transcript(*TALK), hoped, encoder=WordEncoder())
    heard, unheard = summary.takeaways
    assert heard.evidence[0].text.startswith("The region pays")
    assert unheard.evidence == ()
    assert any("Sixty percent" in quote.text for quote in summary.polls[0].quotes)


def test_every_choice_and_every_close_loser_is_explained() -> None:
    spoken = sentences(transcript(*TALK))
    reading = read(spoken, plan(COST), encoder=WordEncoder(), model=EvidenceModel.untrained())
    told = explain(reading, 0, points=2)
    assert sum(item.chosen for item in told) == 2
    assert [item.rank for item in told] == sorted(item.rank for item in told)
    assert all(item.why.endswith(".") for item in told)
    whys = {item.sentence.text: item.why for item in told}
    assert any(why.startswith("It asks") for text, why in whys.items() if text.endswith("?"))
