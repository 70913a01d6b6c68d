"""`transcriber plan`: write a plan to start from, check one, show one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcriber.cli.app import examples, group
from transcriber.errors import UsageError

app = group(
    "A session's plan: write, check, show.",
    epilog=examples("transcriber plan init my.toml", "transcriber plan check my.toml", "transcriber plan show"),
)


@app.command(
    epilog=examples(
        "transcriber plan init", "transcriber plan init town-hall.toml", "transcriber plan init --builtin isc.toml"
    ),
)
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("plan.toml"),
    builtin: Annotated[
        bool, typer.Option("--builtin", help="Start from the built-in plan, not from an example.")
    ] = False,
) -> None:
    """Write a commented plan to start from."""
    from transcriber import plan, workspace

    if path.exists():
        raise UsageError(
            f"{path} is there already.", hint=f"Choose another name, or see: transcriber plan check {path}"
        )
    workspace.make_folder(path.parent)
    workspace.write_atomic(path, plan.builtin_text() if builtin else plan.template())
    print(path)


@app.command(epilog=examples("transcriber plan check plan.toml"))
def check(path: Annotated[Path, typer.Argument(help="A plan (TOML or JSON).")]) -> None:
    """Name every mistake in a plan by its place."""
    from transcriber import plan

    found = plan.read(path)
    print(f"{path}: a valid plan with {_count(len(found.questions), 'question')}, {_count(len(found.phases), 'phase')}")


@app.command(
    epilog=examples(
        "transcriber plan show", "transcriber plan show plan.toml", "transcriber plan show --json > plan.json"
    ),
)
def show(
    path: Annotated[Path | None, typer.Argument(help="A plan.", show_default="the built-in plan")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, which --plan reads too.")] = False,
) -> None:
    """Show a plan as it is understood."""
    import msgspec

    from transcriber import plan

    found = plan.read(path) if path else plan.builtin()
    print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode() if as_json else plan.describe(found))


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
