"""`plan`: write a plan to start from, check one, show the built-in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcriber import plan

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Write, check and show session plans.",
    epilog="\b\nExamples:\n  transcriber plan init my-session.toml\n  transcriber plan check my-session.toml",
)


@app.command()
def init(path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("plan.toml")) -> None:
    """Write a commented plan to fill in."""
    plan.write_template(path)
    print(path)


@app.command()
def check(path: Annotated[Path, typer.Argument(help="A plan, TOML or JSON.", show_default=False)]) -> None:
    """Check a plan; every mistake is named by its place."""
    read = plan.read(path)
    print(
        f"{path} is a valid plan: {len(read.questions)} questions, {len(read.phases)} phases, {len(read.polls)} polls, "
        f"{len(read.roster)} people, {len(read.glossary)} glossary terms, {len(read.takeaways)} takeaways."
    )


@app.command()
def show() -> None:
    """Print the built-in plan, as TOML."""
    print(plan.BUILT_IN.read_text("utf-8"), end="")
