"""What the Hugging Face hub has left on this disk: read here, never written, and without the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from transcriber.models.known import Known


def folder() -> Path:
    """Where the hub keeps what it downloaded; its own variables are honoured."""
    for variable, below in (("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub")):
        if value := os.environ.get(variable):
            return Path(value).expanduser() / below
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface" / "hub"


def snapshots(known: Known) -> Iterator[Path]:
    """The copies of a known model, whole or not, the pinned revision first."""
    copies = folder() / f"models--{known.repository.replace('/', '--')}" / "snapshots"
    if copies.is_dir():
        found = (path for path in copies.iterdir() if path.is_dir())
        yield from sorted(found, key=lambda path: (path.name != known.revision, path.name))


def repository_name(snapshot: Path) -> str | None:
    """The repository's own name, without its owner, if the folder is one of its snapshots."""
    real = snapshot.resolve()
    repository = real.parent.parent.name
    if real.parent.name == "snapshots" and repository.startswith("models--"):
        return repository.split("--")[-1]
    return None


def blobs(snapshot: Path) -> Path:
    """Where the files of a snapshot really lie: its entries are links."""
    return snapshot.resolve().parent.parent / "blobs"
