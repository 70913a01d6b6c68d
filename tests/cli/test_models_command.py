"""`transcriber models`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests import toy_models
from transcriber import models
from transcriber.cli.app import app


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCRIBER_HOME", str(tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def test_the_list_marks_the_default_and_shows_what_can_be_pulled() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[:3] == ["whisper-base-int8", "whisper", "shipped"]
    assert [line.split()[0] for line in lines if line.endswith("default")] == ["whisper-base-int8"]
    assert any(line.split()[0] == "large-v3-turbo" and "to pull" in line for line in lines)


def test_the_list_as_json() -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert {model["name"]: model["licence"] for model in listed}["minilm-l6-v2-int8"] == "Apache-2.0"


def test_verify_names_what_is_damaged_and_checks_the_rest(tmp_path: Path) -> None:
    toy_models.write(tmp_path / "models" / "broken", {"model.bin": b"x"})
    done = run("verify")
    assert done.exit_code == 5
    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == ["damaged", "ok", "ok", "ok"]
    assert "broken" in done.stderr
    assert run("verify", "whisper-base-int8").exit_code == 0
    assert run("verify", "broken").exit_code == 5
    assert run("verify", "small").exit_code == 5


def test_import_prints_where_the_model_is(tmp_path: Path) -> None:
    folder = toy_models.write(tmp_path / "stick")
    done = run("import", str(folder), "--name", "hall")
    assert done.exit_code == 0
    assert Path(done.stdout.strip()) == tmp_path / "models" / "hall" == models.find("hall").folder


def test_a_refused_import_says_why(tmp_path: Path) -> None:
    done = run("import", str(tmp_path))
    assert (done.exit_code, done.stdout) == (5, "")
    assert "model.bin is missing" in done.stderr
    assert run("import", str(toy_models.write(tmp_path / "stick")), "--name", "../x").exit_code == 2


def test_pull_of_an_unknown_name_is_wrong_usage() -> None:
    assert run("pull", "nonsense").exit_code == 2
