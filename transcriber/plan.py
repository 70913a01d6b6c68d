"""Session plans: read from TOML or JSON, and the one that is built in.

All mistakes of a plan are found at once, each named by its place ("questions[2].id", counted from 1) and, in TOML,
its line. What a plan may hold is not written here: it is read off the fields of `datatypes.Plan`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from transcriber.datatypes import Phase, Plan
from transcriber.errors import InputError, PlanError
from transcriber.timecode import clock

MAX_BYTES = 1 << 20
_PLANS = Path(__file__).with_name("plans")
_BUILTIN = _PLANS / "isc-2026-ai-factories.toml"
_TEMPLATE = _PLANS / "template.toml"
_FORMAT_HINT = "See how a plan is written with: transcriber plan init"


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong in a plan: its place ("questions[2].id"), what is wrong, and its line where that is known."""

    place: str
    problem: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}, " if self.line else ""
        return f"{where}{self.place}: {self.problem}"


def read(path: Path) -> Plan:
    """The plan in a TOML or JSON file. Raises InputError if it cannot be read, PlanError with all its mistakes."""
    text = _text(path)
    data = _parse(text, path)
    mistakes = _mistakes(data, text if path.suffix.lower() != ".json" else "")
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        lines = "".join(f"\n  {mistake}" for mistake in mistakes)
        raise PlanError(f"{path} has {count}:{lines}", hint=f"Correct it and try: transcriber plan check {path}")
    return msgspec.convert({"title": path.stem, **data}, Plan)


def builtin() -> Plan:
    """The plan of the ISC session on AI factories."""
    return read(_BUILTIN)


def template() -> str:
    """A commented plan to start from, itself valid."""
    return _TEMPLATE.read_text("utf-8")


def builtin_text() -> str:
    """The built-in plan as commented TOML."""
    return _BUILTIN.read_text("utf-8")


def describe(plan: Plan) -> str:
    """The plan for people, a few lines of text."""
    lines = [plan.title, ", ".join(part for part in (plan.date, plan.place) if part)]
    lines += ["", "Questions", *(f"  {question.id}  {question.text}" for question in plan.questions)]
    if plan.phases:
        lines += ["", "Run of show", *(f"  {_times(phase):15}  {phase.title or phase.kind}" for phase in plan.phases)]
    if plan.polls:
        lines += ["", "Polls", *(f"  {poll.question}" for poll in plan.polls)]
    if plan.roster:
        people = (", ".join(filter(None, (person.name, person.role, person.affiliation))) for person in plan.roster)
        lines += ["", "Roster", *(f"  {person}" for person in people)]
    if plan.takeaways:
        lines += ["", "Takeaways", *(f"  {takeaway}" for takeaway in plan.takeaways)]
    if plan.glossary:
        lines += ["", "Glossary", f"  {', '.join(plan.glossary)}"]
    return "\n".join(lines)


def _times(phase: Phase) -> str:
    return "-".join("" if time is None else clock(time) for time in (phase.start, phase.end)).strip("-")


# ---- from file to plain data


def _text(path: Path) -> str:
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise InputError(f"The plan {path} {what}.", hint="Write one with: transcriber plan init")
    if path.stat().st_size > MAX_BYTES:
        raise PlanError(f"{path} is too large for a plan (over 1 MiB).", hint=_FORMAT_HINT)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is no UTF-8 text (byte {error.start}).", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    is_json = path.suffix.lower() == ".json"
    try:
        data = msgspec.json.decode(text) if is_json else tomllib.loads(text)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{path} is no {'JSON' if is_json else 'TOML'}: {error}.", hint=_FORMAT_HINT) from error
    if not isinstance(data, dict):
        raise PlanError(f"{path} holds no plan: it must be an object with questions.", hint=_FORMAT_HINT)
    if isinstance(data.get("date"), date | datetime):
        data["date"] = str(data["date"])
    return data


# ---- mistakes


def _mistakes(data: dict[str, Any], toml: str) -> list[Mistake]:
    lines = _places(toml)
    found = [*_wrong_table(data, types.type_info(Plan), ""), *_wrong_ids(data), *_wrong_times(data)]
    if data.get("questions") == []:
        found.append(("questions", "there must be at least one"))
    placed = [Mistake(place, problem, _line(place, lines)) for place, problem in found]
    return sorted(placed, key=lambda mistake: mistake.line or 0)


def _wrong(value: Any, kind: types.Type, place: str) -> Iterator[tuple[str, str]]:
    """Where a value is not of its kind."""
    if isinstance(kind, types.UnionType):  # a number or nothing
        if value is None:
            return
        kind = kind.types[0]
    if isinstance(kind, types.StructType):
        yield from _wrong_table(value, kind, place)
    elif isinstance(kind, types.VarTupleType):
        if not isinstance(value, list):
            yield place, f"must be a list, not {_called(value)}"
            return
        for number, item in enumerate(value, 1):
            yield from _wrong(item, kind.item_type, f"{place}[{number}]")
    elif isinstance(kind, types.LiteralType):
        if value not in kind.values:
            yield place, f"must be one of {', '.join(map(str, kind.values))}, not {_called(value)}"
    elif isinstance(kind, types.FloatType):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            yield place, f"must be a number of seconds, 0 or more, not {_called(value)}"
    elif not isinstance(value, str):
        yield place, f"must be text in quotes, not {_called(value)}"


def _wrong_table(value: Any, kind: types.Type, place: str) -> Iterator[tuple[str, str]]:
    assert isinstance(kind, types.StructType)
    fields = {field.name: field for field in kind.fields}
    dot = f"{place}." if place else ""
    if not isinstance(value, dict):
        yield place, f"must be a table with {' and '.join(name for name, field in fields.items() if field.required)}"
        return
    for name, item in value.items():
        if name in fields:
            yield from _wrong(item, fields[name].type, f"{dot}{name}")
        else:
            near = get_close_matches(name, fields, n=1)
            known = f"did you mean {near[0]}?" if near else f"possible are {', '.join(fields)}"
            yield f"{dot}{name}", f"is not known; {known}"
    for name, field in fields.items():
        if field.required and name not in value and not (name == "title" and not place):
            yield f"{dot}{name}", "is missing"
        elif field.required and isinstance(value.get(name), str) and not value[name].strip():
            yield f"{dot}{name}", "is empty"


def _wrong_ids(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for table in ("questions", "phases", "polls"):
        seen: dict[str, int] = {}
        for number, item in _tables(data, table):
            if isinstance(name := item.get("id"), str) and (first := seen.setdefault(name, number)) != number:
                yield f"{table}[{number}].id", f"{name!r} is the id of {table}[{first}] too"


def _wrong_times(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for number, phase in _tables(data, "phases"):
        start, end = phase.get("start"), phase.get("end")
        if isinstance(start, int | float) and isinstance(end, int | float) and end <= start:
            yield f"phases[{number}].end", f"{end} is not after its start, {start}"


def _tables(data: dict[str, Any], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    items = data.get(name)
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        if isinstance(item, dict):
            yield number, item


def _called(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


# ---- lines

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w-]+)\s*\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


def _places(toml: str) -> dict[str, int]:
    """The line of every key and table header: the parser does not tell. Longer strings are skipped."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    inside_string = False
    for number, line in enumerate(toml.split("\n"), 1):
        was_inside = inside_string
        inside_string ^= (line.count('"""') + line.count("'''")) % 2 == 1
        if was_inside:
            continue
        if header := _HEADER.match(line):
            name = header[2]
            counts[name] = counts.get(name, 0) + 1
            table = f"{name}[{counts[name]}]" if header[1] == "[[" else name
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


def _line(place: str, lines: dict[str, int]) -> int | None:
    """The line of a place, or of the nearest thing around it."""
    while place:
        if place in lines:
            return lines[place]
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return None
