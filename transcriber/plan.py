"""Session plans: read from TOML, or from JSON of the same structure. The built-in plan is data in plans/."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from transcriber.datatypes import Person, Phase, Plan, Poll, Question
from transcriber.errors import InputError, PlanError
from transcriber.workspace import check_regular_file, write_atomic

MAX_BYTES = 1 << 20
_FOLDER = Path(__file__).resolve().parent / "plans"
BUILT_IN = _FOLDER / "isc-2026-ai-factories.toml"
TEMPLATE = _FOLDER / "template.toml"
_TABLES: dict[str, type] = {"questions": Question, "phases": Phase, "polls": Poll, "roster": Person}


def builtin() -> Plan:
    """The plan of the session that the program was built for."""
    return read(BUILT_IN)


def read(path: Path) -> Plan:
    """The plan in a TOML or JSON file. Raises InputError (unreadable), PlanError (every mistake by its place)."""
    text = _text(path)
    data = _parsed(path, text)
    mistakes = list(_mistakes(data, text))
    if mistakes:
        listed = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise PlanError(
            f"{path} has {len(mistakes)} mistake{'s' * (len(mistakes) > 1)}:\n{listed}",
            hint="Correct them; `transcriber plan init` writes an example to compare with.",
        )
    return msgspec.convert(data, Plan)


def write_template(path: Path) -> None:
    """A commented plan to start from. Raises InputError if the file exists, StorageError."""
    if path.exists():
        raise InputError(f"{path} exists already.", hint="Name another file, or move that one away.")
    write_atomic(path, TEMPLATE.read_text("utf-8"))


def _text(path: Path) -> str:
    check_regular_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise PlanError(f"{path} is too large for a plan.", hint="A plan is a few kilobytes of TOML.")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is not UTF-8 text ({error.reason}).", hint="Save it as UTF-8.") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise PlanError(f"{path} is no valid {kind}: {error}.", hint="Correct that line; texts need quotes.") from error
    except RecursionError as error:
        raise PlanError(f"{path} is nested too deeply.", hint="A plan has tables of one level.") from error
    if not isinstance(data, dict):
        raise PlanError(f"{path} holds no table.", hint="`transcriber plan init` writes an example to compare with.")
    return data


def _mistakes(data: dict[str, Any], text: str) -> Iterator[str]:
    yield from _unknown_keys(data, Plan, "")
    for key, value in data.items():
        if key in _TABLES:
            yield from _table_mistakes(key, value, text)
        elif key in Plan.__struct_fields__:
            hint = {"title": str, "date": str, "place": str}.get(key, tuple[str, ...])
            yield from _type_mistake(value, hint, key)
    if not str(data.get("title", "")).strip():
        yield "title: is missing"
    if not data.get("questions"):
        yield "questions: there is none; add at least one [[questions]] with id and text"


def _table_mistakes(key: str, value: object, text: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{key}: must be a list of tables, written as [[{key}]]"
        return
    seen: dict[str, str] = {}
    for number, item in enumerate(value):
        place = _place(key, number, text)
        if not isinstance(item, dict):
            yield f"{place}: must be a table, written as [[{key}]]"
            continue
        yield from _unknown_keys(item, _TABLES[key], f"{place}.")
        yield from _type_mistake(item, _TABLES[key], place)
        yield from _empty_or_twice(item, place, seen)
        start, end = item.get("start"), item.get("end")
        if isinstance(start, int | float) and isinstance(end, int | float) and end <= start:
            yield f"{place}.end: {end} is not after start {start}"


def _empty_or_twice(item: dict[str, Any], place: str, seen: dict[str, str]) -> Iterator[str]:
    for field in ("id", "text", "name", "question"):
        if field in item and isinstance(item[field], str) and not item[field].strip():
            yield f"{place}.{field}: is empty"
    name = item.get("id")
    if isinstance(name, str) and name:
        if name in seen:
            yield f"{place}.id: {name!r} is used by {seen[name]} already"
        seen.setdefault(name, place)


def _unknown_keys(table: dict[str, Any], struct: type, prefix: str) -> Iterator[str]:
    known = cast("type[msgspec.Struct]", struct).__struct_fields__
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            yield f"{prefix}{key}: unknown" + (
                f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
            )


def _type_mistake(value: object, expected: Any, place: str) -> Iterator[str]:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        yield f"{place}{where.rstrip('`')}: {what[0].lower()}{what[1:]}"


def _place(key: str, number: int, text: str) -> str:
    """questions[1], with its line where the file is TOML."""
    headers = [m.start() for m in re.finditer(rf"^\s*\[\[\s*{key}\s*\]\]", text, re.MULTILINE)]
    line = f" (line {text.count(chr(10), 0, headers[number]) + 1})" if number < len(headers) else ""
    return f"{key}[{number + 1}]{line}"
