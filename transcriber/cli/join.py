"""`transcriber join`: parts of one event as one session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcriber import workspace
from transcriber.capture.join import join as join_parts
from transcriber.errors import UsageError

EXAMPLES = {"join": "\b\nExamples:\n  transcriber join panel-part-1 panel-part-2 --name panel"}


def join(
    parts: Annotated[list[Path], typer.Argument(help="Two or more folders that `record` made.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="The joined session's name (FIRST-joined if not said).", show_default=False)
    ] = None,
) -> None:
    """Put recordings of one event on one time line, by the wall clock, with the gap between them as silence."""
    if len(parts) < 2:
        raise UsageError("One part alone is nothing to join.", hint="Name two or more session folders.")
    folders = [part if part.is_dir() else workspace.recordings() / part for part in parts]
    into = workspace.recordings() / workspace.safe_name(name or f"{folders[0].resolve().name}-joined")
    join_parts(folders, into)
    print(into)
