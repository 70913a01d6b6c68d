"""`transcriber models`: which models there are, whether they are whole, and how to get more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcriber.cli.app import examples, group
from transcriber.errors import ModelError

if TYPE_CHECKING:
    from transcriber.models import Listed

app = group(
    "The models: list, verify, import, pull. Only pull uses the network.",
    epilog=examples("transcriber models list", "transcriber models verify", "transcriber models pull small"),
)


@app.command(
    "list",
    epilog=examples("transcriber models list", "transcriber models list --json | jq '.[].name'"),
)
def list_(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False) -> None:
    """Which models are here, and which can be pulled."""
    from transcriber import models

    listed = models.list_models()
    if as_json:
        _print_json(listed)
        return
    width = max(len(model.name) for model in listed)
    for model in listed:
        notes = [
            model.licence,
            "default" if model.is_default else "",
            f"DAMAGED: {model.problem}" if model.problem else "",
        ]
        facts = "  ".join(note for note in notes if note)
        print(f"{model.name:{width}}  {model.kind:16}  {model.where:9}  {model.bytes / 1e6:7,.0f} MB  {facts}")


@app.command(
    epilog=examples("transcriber models verify", "transcriber models verify whisper-base-int8"),
)
def verify(
    name: Annotated[
        str | None, typer.Argument(help="A model's name or folder; all, if left out.", show_default=False)
    ] = None,
) -> None:
    """Hash every file of the models that are here and compare."""
    from transcriber import models

    if name is None:
        folders = [model.folder for model in models.list_models() if model.folder is not None]
    else:
        folders = [models.locate(name)]
    damaged = []
    for folder in folders:
        problems = models.verify(folder)
        print(f"{'damaged' if problems else 'ok'}  {folder}")
        for problem in problems:
            print(f"  {folder.name} {problem}", file=sys.stderr)
        if problems:
            damaged.append(folder.name)
    if damaged:
        raise ModelError(
            f"{len(damaged)} of {len(folders)} models: damaged: {', '.join(damaged)}.",
            hint="Remove their folders and get them again: transcriber models pull NAME, or import FOLDER.",
        )


@app.command(
    "import",
    epilog=examples(
        "transcriber models import /media/stick/faster-whisper-small",
        "transcriber models import ./my-conversion --name hall-whisper",
    ),
)
def import_(
    folder: Annotated[Path, typer.Argument(help="A CTranslate2 Whisper folder, or one with a manifest.")],
    name: Annotated[str | None, typer.Option("--name", help="Call it so.", show_default="its own name")] = None,
) -> None:
    """Check a model folder (on a USB stick), and copy it into models/."""
    from transcriber import models

    print(models.import_folder(folder, name=name).folder)


@app.command(
    epilog=examples("transcriber models pull small", "transcriber models pull turbo"),
)
def pull(name: Annotated[str, typer.Argument(help="A known name: see `transcriber models list`.")]) -> None:
    """Fetch a known model from the Hugging Face hub."""
    from transcriber import models

    print(models.pull(name).folder)


def _print_json(listed: tuple[Listed, ...]) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(listed, enc_hook=str), indent=1).decode())
