"""Plans: what is valid is read, and of what is not, every mistake is named by its place."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber import plan
from transcriber.datatypes import Plan
from transcriber.errors import InputError, PlanError

HARBOUR = Path(__file__).parent / "data" / "plan-harbour.toml"
QUESTION = '[[questions]]\nid = "q1"\ntext = "Why?"\n'
PHASE = QUESTION + '[[phases]]\nid = "a"\nkind = "talk"\n'


def written(tmp_path: Path, text: str | bytes, name: str = "plan.toml") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(PlanError) as caught:
        plan.read(path)
    assert caught.value.exit_code == 8
    assert caught.value.hint
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


# ---- the built-in plan and the template


def test_the_built_in_plan_is_the_isc_session() -> None:
    isc = plan.builtin()
    assert isc.title == (
        "AI Factories in Europe: Powering the Convergence of HPC and AI for Scientific Breakthroughs and Digital "
        "Sovereignty"
    )
    assert (isc.date, isc.place) == ("2026-06-24 17:30", "Hall H, Community Stage")
    assert [question.text for question in isc.questions] == [
        "How do AI factories differ from traditional HPC centers in architecture, access models, and mission?",
        "Can they truly bridge the gap between scientific computing and industrial AI deployment?",
        "What role do they play in advancing European digital and AI sovereignty amid global competition?",
        "How can inclusivity and access be ensured across countries, disciplines, and organizations?",
    ]
    assert [poll.question for poll in isc.polls] == [
        "What defines an AI factory?",
        "What is Europe's biggest gap in AI infrastructure?",
    ]
    assert len(isc.takeaways) == 5
    assert len(isc.roster) == 5
    assert isc.glossary[0] == "EuroHPC"
    assert len(set(isc.glossary)) == len(isc.glossary)


def test_the_built_in_run_of_show_fills_the_half_hour_without_a_gap() -> None:
    phases = plan.builtin().phases
    assert [phase.kind for phase in phases] == [
        "opening", "talk", "talk", "talk", "talk", "poll", "discussion", "open-mic", "closing"
    ]  # fmt: skip
    assert (phases[0].start, phases[-1].end) == (0, 1800)
    assert all(earlier.end == later.start for earlier, later in pairwise(phases))
    assert all((phase.end or 0) - (phase.start or 0) == 180 for phase in phases if phase.kind == "talk")


@pytest.mark.parametrize("text", [plan.template(), plan.builtin_text()])
def test_what_init_writes_is_valid_and_commented(tmp_path: Path, text: str) -> None:
    assert plan.read(written(tmp_path, text)).questions
    assert text.count("#") >= 4


def test_the_template_shows_every_field_of_a_plan() -> None:
    data = tomllib.loads(plan.template())
    assert set(data) == set(Plan.__struct_fields__)
    for table in ("questions", "phases", "polls", "roster"):
        item_type = type(getattr(plan.builtin(), table)[0])
        assert set().union(*data[table]) == set(item_type.__struct_fields__), table


# ---- reading


def test_a_plan_of_another_topic_with_three_questions() -> None:
    harbour = plan.read(HARBOUR)
    assert [question.id for question in harbour.questions] == ["use", "money", "nature"]
    assert harbour.questions[1].cues == ()
    assert harbour.phases[1].start is None
    assert harbour.phases[2].start == 420.5
    assert harbour.roster[1].role == ""


@pytest.mark.parametrize("source", [plan.builtin(), plan.read(HARBOUR)], ids=["isc", "harbour"])
def test_json_of_the_same_structure_is_the_same_plan(tmp_path: Path, source: Plan) -> None:
    assert plan.read(written(tmp_path, msgspec.json.encode(source), "plan.json")) == source


@given(n=st.integers(1, 40))
@settings(max_examples=10, deadline=None)
def test_any_number_of_questions(tmp_path_factory: pytest.TempPathFactory, n: int) -> None:
    text = "".join(f'[[questions]]\nid = "q{index}"\ntext = "Why {index}?"\n' for index in range(n))
    assert len(plan.read(written(tmp_path_factory.mktemp("n"), text)).questions) == n


def test_all_but_questions_is_optional(tmp_path: Path) -> None:
    assert plan.read(written(tmp_path, QUESTION, "harbour-walk.toml")).title == "harbour-walk"


def test_a_date_may_be_a_toml_date(tmp_path: Path) -> None:
    read = plan.read(written(tmp_path, "date = 2026-06-24T17:30:00+02:00\n" + QUESTION))
    assert read.date == "2026-06-24 17:30:00+02:00"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_editors_of_all_systems(tmp_path: Path, encoding: str) -> None:
    text = f'title = "Früh"\n{QUESTION}'.replace("\n", "\r\n")
    assert plan.read(written(tmp_path, text.encode(encoding))).title == "Früh"


# ---- mistakes

MANY = """titel = "x"
glossary = "EuroHPC"

[[questions]]
id = "q1"
text = "   "

[[questions]]
id = "q1"
text = "Why?"
cue = ["a"]
cues = ["a", 3]

[[questions]]
text = \"\"\"
id = "not a key, but text"
\"\"\"

[[phases]]
id = "a"
kind = "talks"
start = 10
end = 5

[[phases]]
id = "b"
kind = "talk"
start = -1
end = true
"""


def test_all_mistakes_are_named_at_once_by_place_and_line(tmp_path: Path) -> None:
    assert mistakes(written(tmp_path, MANY)) == [
        "line 1, titel: is not known; did you mean title?",
        'line 2, glossary: must be a list, not "EuroHPC"',
        "line 6, questions[1].text: is empty",
        "line 9, questions[2].id: 'q1' is the id of questions[1] too",
        "line 11, questions[2].cue: is not known; did you mean cues?",
        "line 12, questions[2].cues[2]: must be text in quotes, not 3",
        "line 14, questions[3].id: is missing",
        "line 21, phases[1].kind: must be one of break, closing, discussion, open-mic, opening, other, poll, talk, "
        'not "talks"',
        "line 23, phases[1].end: 5 is not after its start, 10",
        "line 28, phases[2].start: must be a number of seconds, 0 or more, not -1",
        "line 29, phases[2].end: must be a number of seconds, 0 or more, not True",
    ]


def test_in_json_the_places_have_no_lines(tmp_path: Path) -> None:
    data = {"questions": [{"id": "q1", "text": "Why?"}, {"id": "q2"}], "phases": [{"id": "a", "kind": "talk"}, 3]}
    assert mistakes(written(tmp_path, json.dumps(data), "plan.json")) == [
        "questions[2].text: is missing",
        "phases[2]: must be a table with id and kind",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "questions: is missing"),
        ("questions = []", "line 1, questions: there must be at least one"),
        ('questions = "Why?"', 'line 1, questions: must be a list, not "Why?"'),
        ('questions = ["Why?"]', "line 1, questions[1]: must be a table with id and text"),
        ("[questions]\nid = 'q1'", "line 1, questions: must be a list, not {'id': 'q1'}"),
        ('title = ""\n' + QUESTION, "line 1, title: is empty"),
        ("title = 3\n" + QUESTION, "line 1, title: must be text in quotes, not 3"),
        (QUESTION + "[[polls]]\nid='p'\nquestion=''", "line 6, polls[1].question: is empty"),
        (QUESTION + "[[roster]]\nrole='x'", "line 4, roster[1].name: is missing"),
        (PHASE + "start = 5\nend = 5", "line 8, phases[1].end: 5 is not after its start, 5"),
        (PHASE + "end = nan", "line 7, phases[1].end: must be a number of seconds, 0 or more, not nan"),
        (PHASE + "start = inf", "line 7, phases[1].start: must be a number of seconds, 0 or more, not inf"),
        (PHASE + "start = '0:30'", 'line 7, phases[1].start: must be a number of seconds, 0 or more, not "0:30"'),
        (QUESTION + "foo = 1", "line 4, questions[1].foo: is not known; possible are id, text, cues"),
    ],
)
def test_one_mistake(tmp_path: Path, text: str, mistake: str) -> None:
    assert mistakes(written(tmp_path, text)) == [mistake]


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"title = \n", "plan.toml", "line 1"),
        (b'title = "a"\ntitle = "b"\n', "plan.toml", "no TOML"),
        (b"{", "plan.json", "no JSON"),
        (b"[]", "plan.json", "holds no plan"),
        (b"[" * 100_000, "plan.json", "no JSON"),
        (b"a = " + b"[" * 100_000, "plan.toml", "no TOML"),
        (b"title = '\xff'", "plan.toml", "no UTF-8"),
        (b"#" * (plan.MAX_BYTES + 1), "plan.toml", "too large"),
    ],
)
def test_what_is_no_plan_at_all(tmp_path: Path, content: bytes, name: str, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        plan.read(written(tmp_path, content, name))


def test_a_plan_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist") as caught:
        plan.read(tmp_path / "none.toml")
    assert "plan init" in caught.value.hint
    with pytest.raises(InputError, match="is no file"):
        plan.read(tmp_path)


toml_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "text", "cues", "kind", "start", "end", "name", "questions", "x"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*Plan.__struct_fields__, "x"]), toml_values))
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_plan_or_a_plan_error(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    path = written(tmp_path_factory.mktemp("any"), json.dumps(data), "plan.json")
    with suppress(PlanError):
        assert plan.read(path).questions


def test_a_description_shows_everything() -> None:
    text = plan.describe(plan.read(HARBOUR))
    for part in ("Old Harbour", "Fish Auction Hall", "quay walls", "0:00-3:00", "Jan Petersen", "Tjalk", "planning"):
        assert part in text
