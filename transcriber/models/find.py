"""Any model by its name: in the workspace, among the shipped ones, or in the local Hugging Face cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from transcriber import workspace
from transcriber.errors import ModelError
from transcriber.models import hub_cache, manifest
from transcriber.models.known import DEFAULT, Known, all_known, lookup, spellings
from transcriber.models.manifest import KINDS, Damaged


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is whole and ready to load. `sha256` is that of its weights."""

    name: str
    kind: str
    folder: Path
    sha256: str
    licence: str = ""
    origin: str = ""
    revision: str | None = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of models; `folder` is None for one that can be pulled, `problem` says what is damaged."""

    name: str
    kind: str
    where: str
    bytes: int
    licence: str
    folder: Path | None = None
    is_default: bool = False
    problem: str = ""


def find(name: str, *, kind: str | None = None) -> Model:
    """The model of a name, or in a folder given by its path; never from the network.

    With `kind`, a model of another kind is refused. Raises ModelError if it is missing, incomplete or damaged.
    """
    model = _whole(locate(name), name)
    if kind is not None and model.kind != kind:
        raise ModelError(
            f"{name} is a {KINDS[model.kind].title}, not a {KINDS[kind].title}.",
            hint="See the models at hand with: transcriber models list",
        )
    return model


def locate(name: str) -> Path:
    """The folder of a model by name or path, whatever its state. Raises ModelError if there is none."""
    if _is_path(name):
        if not Path(name).expanduser().is_dir():
            raise ModelError(f"{name} is no folder with a model.", hint="See: transcriber models list")
        return Path(name).expanduser()
    for place in (workspace.models(), workspace.shipped() / "models"):
        for spelling in spellings(name):
            if spelling == workspace.safe_name(spelling) and (place / spelling).is_dir():
                return place / spelling
    known = lookup(name)
    for snapshot in hub_cache.snapshots(known) if known else ():
        with suppress(Damaged):  # half-downloaded is as good as absent
            return open_folder(snapshot, known=known).folder
    raise _missing(name, known)


def open_folder(folder: Path, *, known: Known | None = None) -> Model:
    """The model in a folder. Raises Damaged; `known` says what its weights must be."""
    papers = manifest.read(folder)
    if papers is None:
        return _without_papers(folder, known)
    manifest.check_sizes(folder, papers)
    weights = KINDS[papers.kind].weights
    sha256 = manifest.remembered_hash(folder / weights)
    if sha256 != papers.files[weights].sha256:
        raise Damaged(f"is damaged: {weights} is not what its {manifest.MANIFEST} says")
    return Model(
        name=papers.name,
        kind=papers.kind,
        folder=folder,
        sha256=sha256,
        licence=papers.licence,
        origin=papers.origin,
        revision=papers.revision,
    )


def verify(folder: Path) -> tuple[str, ...]:
    """What is wrong with the model in a folder, every file hashed anew; nothing, if it is as its manifest says.

    Without a manifest its weights are compared with the published ones, if its name is that of a published model.
    """
    try:
        papers = manifest.read(folder)
        if papers is None:
            model = _without_papers(folder, None)
            known = lookup(hub_cache.repository_name(folder) or folder.name)
            wanted = {KINDS[model.kind].weights: known.sha256} if known else {}
        else:
            manifest.check_sizes(folder, papers)
            wanted = {name: facts.sha256 for name, facts in papers.files.items()}
        return tuple(problem for name, sha256 in wanted.items() if (problem := _wrong_hash(folder / name, sha256)))
    except Damaged as error:
        return (str(error),)


def _wrong_hash(path: Path, wanted: str) -> str:
    actual = manifest.remember_hash(path, manifest.hash_file(path))
    return "" if actual == wanted else f"is damaged: {path.name} has SHA-256 {actual[:12]}…, not {wanted[:12]}…"


def list_models() -> tuple[Listed, ...]:
    """Every model at hand, and the known ones that could be pulled."""
    here = [*_listed(workspace.models(), "workspace"), *_listed(workspace.shipped() / "models", "shipped")]
    unique = {listed.folder.resolve(): listed for listed in reversed(here) if listed.folder}
    names = {listed.name for listed in unique.values()}
    cached = [listed for known in all_known() if known.name not in names for listed in _listed_in_hub(known)]
    names |= {listed.name for listed in cached}
    absent = [_available(known) for known in all_known() if known.name not in names]
    ordered = sorted(unique.values(), key=lambda listed: (not listed.is_default, listed.kind, listed.name))
    return (*ordered, *cached, *absent)


# ---- where models lie


def _is_path(name: str) -> bool:
    return (os.sep in name or name.startswith(("~", "."))) and lookup(name) is None


def _whole(folder: Path, name: str) -> Model:
    try:
        return open_folder(folder)
    except Damaged as error:
        if lookup(folder.name):
            hint = f"Remove that folder and get the model again: transcriber models pull {folder.name}"
        elif folder.parent == workspace.shipped() / "models":
            hint = "It came with the program: install that again."
        else:
            hint = "Remove that folder and copy or import the model again from where it came."
        raise ModelError(f"The model {folder} {error}.", hint=hint) from error


def _missing(name: str, known: Known | None) -> ModelError:
    if known is None:
        names = ", ".join(known.name for known in all_known())
        return ModelError(
            f"There is no model {name!r} here.",
            hint=f"Known names: {DEFAULT}, {names}. Your own: transcriber models import /path/to/folder",
        )
    return ModelError(
        f"The model {name!r} is not on this machine ({known.bytes / 1e6:,.0f} MB).",
        hint=f"Get it with: transcriber models pull {known.name}  On a machine without network, bring its folder on a "
        f"stick and: transcriber models import /path/to/{known.repository.rpartition('/')[2]}",
    )


def _without_papers(folder: Path, known: Known | None) -> Model:
    manifest.check_whisper(folder)
    weights = folder / KINDS["whisper"].weights
    if known is not None and weights.stat().st_size != known.bytes:
        raise Damaged(f"is not whole: {weights.name} has {weights.stat().st_size:,} bytes instead of {known.bytes:,}")
    sha256 = manifest.remembered_hash(weights)
    if known is not None and sha256 != known.sha256:
        raise Damaged(f"is damaged: {weights.name} is not the published one")
    known = known or next((other for other in all_known() if other.sha256 == sha256), None)
    return Model(
        name=known.name if known else folder.resolve().name,
        kind="whisper",
        folder=folder,
        sha256=sha256,
        licence=known.licence if known else "",
        origin=known.repository if known else "",
        revision=folder.resolve().name if hub_cache.repository_name(folder) else None,
    )


# ---- lines of the list


def _listed(place: Path, where: str) -> Iterator[Listed]:
    folders = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
    for folder in folders:
        if folder.name.startswith("."):
            continue
        papers, problem = None, ""
        try:
            papers = manifest.read(folder)
            if papers is None:
                manifest.check_whisper(folder)
            else:
                manifest.check_sizes(folder, papers)
        except Damaged as error:
            problem = str(error)
        yield Listed(
            name=folder.name,
            kind=papers.kind if papers else "whisper",
            where=where,
            bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
            licence=papers.licence if papers else "",
            folder=folder,
            is_default=folder.name == DEFAULT,
            problem=problem,
        )


def _listed_in_hub(known: Known) -> Iterator[Listed]:
    for snapshot in hub_cache.snapshots(known):
        try:
            manifest.check_whisper(snapshot)
        except Damaged:
            continue
        yield msgspec.structs.replace(_available(known), where="hub cache", folder=snapshot)
        return


def _available(known: Known) -> Listed:
    return Listed(name=known.name, kind="whisper", where="to pull", bytes=known.bytes, licence=known.licence)
