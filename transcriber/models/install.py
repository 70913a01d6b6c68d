"""Models from a folder (a USB stick) into the workspace: checked, copied, and there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import msgspec

from transcriber import workspace
from transcriber.errors import ModelError, UsageError
from transcriber.models import hub_cache, manifest
from transcriber.models.find import Model, open_folder
from transcriber.models.known import all_known, lookup
from transcriber.models.manifest import KINDS, MANIFEST, Damaged, FileFacts, Manifest

_LOCK = ".lock"  # of workspace.session_lock
_WORTH_KEEPING_BYTES = 1 << 20  # less is fetched again in no time


def import_folder(folder: Path, *, name: str | None = None) -> Model:
    """Copy a model into the workspace: a CTranslate2 Whisper folder, or any folder with a manifest.

    Its name is `name`, else that of its manifest, of the published model it equals, or of the folder. Raises
    ModelError, and leaves nothing behind then.
    """
    if name is not None and name != workspace.safe_name(name):
        raise UsageError(f"{name!r} cannot be a model's name.", hint="Use letters, digits, dots and hyphens.")
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder.", hint="Name the folder that holds model.bin and config.json.")
    try:
        papers = manifest.read(folder)
        kind = papers.kind if papers else "whisper"
        names = tuple(papers.files) if papers else manifest.files_of(folder, kind)
        refuse_outsiders(folder, names)
        if kind == "whisper":
            manifest.check_whisper(folder)
        with part_folder(f".{workspace.safe_name(name or folder.resolve().name)}.import") as part:
            files = {file: _copy(folder / file, part / file) for file in names}
            return settle(part, _final_papers(files, folder, papers, name=name))
    except Damaged as error:
        raise ModelError(
            f"{folder} {error}.",
            hint="Copy the whole folder again: model.bin, config.json, tokenizer.json and vocabulary.txt or .json.",
        ) from error


def _final_papers(files: dict[str, FileFacts], folder: Path, papers: Manifest | None, *, name: str | None) -> Manifest:
    """The manifest to install. Raises Damaged if the files are not what folder, manifest or `name` claim."""
    if papers is None:
        papers = _papers_for(files, folder)
    elif wrong := [file for file, facts in papers.files.items() if files[file] != facts]:
        raise Damaged(f"is damaged: {wrong[0]} is not what its {MANIFEST} says")
    final = msgspec.structs.replace(papers, name=name or papers.name)
    if final.name != workspace.safe_name(final.name):
        raise Damaged(f"has an impossible name in its {MANIFEST}: {final.name!r}")
    claimed = lookup(final.name)
    if claimed is not None and files[KINDS[papers.kind].weights].sha256 != claimed.sha256:
        raise Damaged(
            f"is not the published {claimed.name}: its model.bin has another hash (a conversion of your own needs "
            "another name: --name)"
        )
    return final


def _papers_for(files: dict[str, FileFacts], folder: Path) -> Manifest:
    """Papers for a Whisper folder that has none: the published model it equals, else what its name says."""
    published = next((known for known in all_known() if known.sha256 == files["model.bin"].sha256), None)
    own_name = workspace.safe_name(hub_cache.repository_name(folder) or folder.resolve().name)
    return Manifest(
        name=published.name if published else own_name,
        kind="whisper",
        licence=published.licence if published else "unknown",
        origin=published.repository if published else f"imported from a folder named {own_name}",
        revision=None,
        files=files,
    )


def refuse_outsiders(folder: Path, names: tuple[str, ...]) -> None:
    """Raise Damaged if a file leads out of the folder; in a hub snapshot it may lead to the blobs beside it."""
    root = folder.resolve()
    places = [root, hub_cache.blobs(folder)] if hub_cache.repository_name(folder) else [root]
    for name in names:
        target = (folder / name).resolve()
        if not any(target.is_relative_to(place) for place in places):
            raise Damaged(f"is not complete in itself: {name} leads to {target}")
        if not target.is_file():
            raise Damaged(f"is not complete: {name} is missing")


# ---- whole or not at all


@contextmanager
def part_folder(name: str, *, keep: bool = False) -> Iterator[Path]:
    """A hidden folder beside the models, held by this run alone; removed at the end.

    With `keep`, what a broken download left is kept for the next try. Raises BusyError and StorageError.
    """
    part = workspace.make_folder(workspace.models()) / name
    with workspace.session_lock(part, doing="models import or pull"):
        try:
            if not keep:
                _sweep(part, keep=frozenset())
            yield part
        except OSError as error:
            raise workspace.storage_error(error, part) from error
        finally:
            if not keep or not any(_is_worth_keeping(path) for path in part.rglob("*")):
                shutil.rmtree(part, ignore_errors=True)


def settle(part: Path, papers: Manifest) -> Model:
    """Give the finished folder its name, in one step. What has that name already must be the same model."""
    target = workspace.models() / papers.name
    if target.exists():
        return _same(target, papers)
    _sweep(part, keep=papers.files.keys())
    workspace.write_atomic(part / MANIFEST, manifest.encode(papers))
    (part / _LOCK).unlink()
    workspace.sync_folder(part)
    part.rename(target)
    workspace.sync_folder(target.parent)
    return open_folder(target)


def _same(target: Path, papers: Manifest) -> Model:
    weights = KINDS[papers.kind].weights
    try:
        model = open_folder(target)
    except Damaged as error:
        raise ModelError(f"{target} is there already, and {error}.", hint="Remove that folder first.") from error
    if model.sha256 != papers.files[weights].sha256:
        raise ModelError(f"{target} is there already, and is another model.", hint="Choose another name: --name")
    return model


def _is_worth_keeping(path: Path) -> bool:
    return path.is_file() and path.stat().st_size >= _WORTH_KEEPING_BYTES


def _sweep(part: Path, *, keep: Set[str]) -> None:
    """Remove everything else: what a killed run or a broken download left, and the hub's notes."""
    for path in part.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in keep and path.name != _LOCK:
            path.unlink()


def _copy(source: Path, target: Path) -> FileFacts:
    """Copy a file to the disk, hashing what is written."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as writer:
        for block in manifest.blocks(source):
            digest.update(block)
            size += writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return FileFacts(sha256=digest.hexdigest(), bytes=size)
