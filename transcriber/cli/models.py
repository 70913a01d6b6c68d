"""`models`: what is here, is it whole, and how to get more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from transcriber import models

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, verify, import and pull models. Only `pull` uses the network.",
    epilog="\b\nExamples:\n  transcriber models list\n  transcriber models pull small\n"
    "  transcriber models import /media/usb/faster-whisper-small",
)


@app.command("list")
def list_models() -> None:
    """List the models on this machine, and those that can be pulled."""
    here = models.available()
    for model in here:
        mark = "  (default)" if model.name == models.SHIPPED_WHISPER else ""
        print(f"{model.name:24} {model.kind:17} {model.n_bytes / 1e6:7.0f} MB  {model.where}{mark}")
    absent = [entry for entry in models.known().values() if entry.name not in {model.name for model in here}]
    print("\nto pull:")
    for entry in absent:
        print(f"{entry.name:24} {entry.languages:17} {entry.model_bin_bytes / 1e6:7.0f} MB  {entry.repository}")


@app.command()
def verify(name: Annotated[str | None, typer.Argument(help="A model's name; all if left out.")] = None) -> None:
    """Compare every file of a model with its SHA-256."""
    for model in [models.find(name)] if name else models.available():
        models.verify(model)
        print(f"{model.name}: whole")


@app.command("import")
def import_model(
    folder: Annotated[Path, typer.Argument(help="A CTranslate2 Whisper folder.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="Another name for it here.")] = None,
) -> None:
    """Copy a model's folder (from a USB stick, say) into models/ after checking it."""
    print(models.import_folder(folder, name=name).folder)


@app.command()
def pull(name: Annotated[str, typer.Argument(help="small, medium, large-v3-turbo, ...", show_default=False)]) -> None:
    """Get a published model from the Hugging Face hub, at a pinned revision, checked by SHA-256."""
    print(f"pulling {name}; this is the only command that uses the network", file=sys.stderr)
    print(models.pull(name).folder)
