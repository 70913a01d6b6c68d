"""A published model from the Hugging Face hub, pinned to a commit and a hash. Nothing else uses the network."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from transcriber import workspace
from transcriber.errors import ModelError, TranscriberError, UsageError
from transcriber.models import hub_cache, manifest
from transcriber.models.find import Model, find, open_folder
from transcriber.models.install import part_folder, refuse_outsiders, settle
from transcriber.models.known import DEFAULT, Known, all_known, lookup
from transcriber.models.manifest import Damaged, FileFacts, Manifest

_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
_NEEDED = ("config.json", "tokenizer.json", "model.bin")
_IF_THERE = ("vocabulary.json", "vocabulary.txt", "preprocessor_config.json")


class Download(Protocol):
    """`huggingface_hub.hf_hub_download`, or what stands in for it."""

    def __call__(self, repo_id: str, filename: str, *, revision: str | None, local_dir: Path) -> object: ...


def pull(name: str, *, download: Download | None = None) -> Model:
    """Fetch a known model into the workspace, unless it is at hand. Shows its progress on stderr.

    Raises ModelError, and leaves no half model then; what arrived is kept aside, and the next pull goes on from it.
    """
    known = lookup(name)
    if known is None:
        if name == DEFAULT:
            return find(name)
        names = ", ".join(known.name for known in all_known())
        raise UsageError(f"{name!r} is not a known model.", hint=f"Known are: {names}")
    if (model := _at_hand(known)) is not None:
        return model
    with part_folder(f".{known.name}.pull", keep=True) as part:
        _fetch(known, part, download or _from_hub)
        try:
            return settle(part, _papers(known, part))
        except Damaged as error:
            shutil.rmtree(part, ignore_errors=True)
            raise ModelError(
                f"What the hub sent as {known.name} {error}; it was thrown away.",
                hint=f"Try again later: transcriber models pull {known.name}",
            ) from error


def _at_hand(known: Known) -> Model | None:
    """The model if it need not be fetched. Raises ModelError if its place is taken by something else."""
    target = workspace.models() / known.name
    for folder in (target, *hub_cache.snapshots(known)):
        try:
            model = open_folder(folder, known=known) if folder.is_dir() else None
        except Damaged:
            model = None
        if model is not None and model.sha256 == known.sha256:
            return model
    if target.exists():
        raise ModelError(
            f"{target} is there already, and is damaged or another model.",
            hint="Remove or rename that folder, then pull again.",
        )
    return None


def _papers(known: Known, part: Path) -> Manifest:
    """The manifest of what was fetched. Raises Damaged unless it is whole and has the published hash."""
    manifest.check_whisper(part)
    names = manifest.files_of(part, "whisper")
    refuse_outsiders(part, names)
    files = {}
    for name in names:
        with (part / name).open("rb") as file:
            os.fsync(file.fileno())
        files[name] = FileFacts(sha256=manifest.hash_file(part / name), bytes=(part / name).stat().st_size)
    if files["model.bin"].sha256 != known.sha256:
        raise Damaged("is damaged: its model.bin does not have the published hash")
    return Manifest(
        name=known.name,
        kind="whisper",
        licence=known.licence,
        origin=known.repository,
        revision=known.revision,
        files=files,
    )


# ---- the hub


def _from_hub(repo_id: str, filename: str, *, revision: str | None, local_dir: Path) -> object:
    """One file from the hub; None if the repository has no such file."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    if constants.HF_HUB_OFFLINE:
        raise ModelError("HF_HUB_OFFLINE is set, so nothing is downloaded.", hint="Unset it for `models pull`.")
    try:
        return hf_hub_download(repo_id, filename, revision=revision, local_dir=local_dir)
    except LocalEntryNotFoundError:  # the hub was not reached; a kind of EntryNotFoundError
        raise
    except EntryNotFoundError:
        return None


def _fetch(known: Known, part: Path, download: Callable[..., object]) -> None:
    """Let the hub fill the folder. Its errors come from several HTTP libraries, so all are caught here, once."""
    try:
        for name in (*_IF_THERE, *_NEEDED):
            download(known.repository, name, revision=known.revision, local_dir=part)
    except TranscriberError:
        raise
    except Exception as error:
        raise _not_fetched(known, part, error) from error


def _not_fetched(known: Known, part: Path, error: Exception) -> TranscriberError:
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        return workspace.storage_error(error, part)
    first_line = next(iter(str(error).splitlines()), "")
    return ModelError(
        f"{known.name} could not be fetched from the hub: {type(error).__name__}: {first_line}",
        hint=f"Check the network and try again (what arrived is kept): transcriber models pull {known.name}  Or "
        "bring the folder from another machine: transcriber models import /path/to/folder",
    )
