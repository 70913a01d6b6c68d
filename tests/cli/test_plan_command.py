"""`transcriber plan`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from transcriber import plan
from transcriber.cli.app import app


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, arguments)])


@pytest.mark.parametrize("options", [[], ["--builtin"]])
def test_init_writes_a_plan_that_check_accepts(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "new" / "plan.toml"
    assert run("init", path, *options).stdout == f"{path}\n"
    done = run("check", path)
    assert done.exit_code == 0
    assert "valid plan" in done.stdout
    if options:
        assert plan.read(path) == plan.builtin()


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("mine")
    assert run("init", tmp_path / "plan.toml").exit_code == 2
    assert (tmp_path / "plan.toml").read_text() == "mine"


def test_check_prints_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('[[questions]]\nid = "q1"\ntex = "Why?"\n')
    done = run("check", tmp_path / "plan.toml")
    assert (done.exit_code, done.stdout) == (8, "")
    assert "line 3, questions[1].tex: is not known; did you mean text?" in done.stderr
    assert "line 1, questions[1].text: is missing" in done.stderr


def test_show_prints_the_built_in_plan_or_another() -> None:
    assert plan.builtin().questions[3].text in run("show").stdout
    harbour = Path(__file__).parents[1] / "data" / "plan-harbour.toml"
    assert "Old Harbour" in run("show", harbour).stdout


def test_show_as_json_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(run("show", "--json").stdout)
    assert plan.read(tmp_path / "plan.json") == plan.builtin()
