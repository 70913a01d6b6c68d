"""Runs one of the capture commands as a process, as the real command line would: errors on stderr, their exit code."""

from __future__ import annotations

import importlib
import sys

import typer

from transcriber.errors import TranscriberError

name = sys.argv.pop(1)
app = typer.Typer()
app.command()(getattr(importlib.import_module(f"transcriber.cli.{name}"), name))
try:
    app(standalone_mode=False)
except TranscriberError as error:
    print(f"{error.message}\n{error.hint}", file=sys.stderr)
    sys.exit(error.exit_code)
