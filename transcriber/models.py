"""Any model by name: found, verified, imported from a folder, pulled from the model hub.

A name is looked up in the workspace's models/, then among the models that ship, then in the local hub cache. Only
`pull` touches the network. A model folder carries a manifest.json: what it is, where it is from, and the size and
SHA-256 of each file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from transcriber import workspace
from transcriber.errors import ModelError

MANIFEST = "manifest.json"
SHIPPED_WHISPER = "whisper-base-int8"
WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")
# "base" is the shipped model: it is the published one, stored smaller.
ALIASES = {"base": SHIPPED_WHISPER, "large": "large-v3", "turbo": "large-v3-turbo"}
_OPTIONAL = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
_AGAIN = "Delete that folder and get the model again (transcriber models pull or import)."
_CTRANSLATE2_SPEC = b"WhisperSpec"


class File(msgspec.Struct, frozen=True):
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a model folder says of itself."""

    name: str
    kind: str  # whisper, sentence-encoder or ranker
    licence: str = ""
    origin: str = ""
    revision: str | None = None
    files: dict[str, File]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A published Whisper model for CTranslate2."""

    name: str
    repository: str
    revision: str | None = None
    model_bin_sha256: str
    model_bin_bytes: int
    languages: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is at hand. `sha256` is that of its main file."""

    name: str
    kind: str
    folder: Path
    where: str  # workspace, shipped, hub cache or folder
    n_bytes: int
    licence: str
    sha256: str


def known() -> dict[str, Known]:
    """The published models that `pull` can get, by name."""
    data = msgspec.json.decode((Path(__file__).parent / "known_models.json").read_bytes())
    return {entry["name"]: msgspec.convert(entry, Known) for entry in data["models"]}


def find(name: str) -> Model:
    """The model of that name or in that folder. Raises ModelError, whose hint says how to get it."""
    if os.sep in name or name.startswith("."):
        return _in_folder(Path(name), name=Path(name).name, where="folder")
    asked = ALIASES.get(name, name).removeprefix("faster-")
    for place, where in ((workspace.models(), "workspace"), (workspace.shipped() / "models", "shipped")):
        for candidate in dict.fromkeys((asked, asked.removeprefix("whisper-"), f"whisper-{asked}")):
            if workspace.safe_name(candidate) == candidate and (place / candidate).is_dir():
                return _in_folder(place / candidate, name=candidate, where=where)
    if (entry := known().get(asked.removeprefix("whisper-"))) and (folder := _in_hub_cache(entry)):
        return _in_folder(folder, name=entry.name, where="hub cache")
    raise _not_found(name, asked.removeprefix("whisper-"))


def available() -> list[Model]:
    """All models at hand, the workspace's first; damaged ones are left out (`verify` names them)."""
    found: dict[str, Model] = {}
    for place, where in ((workspace.models(), "workspace"), (workspace.shipped() / "models", "shipped")):
        for folder in sorted(place.iterdir()) if place.is_dir() else []:
            if (folder / MANIFEST).is_file() and folder.name not in found:
                found[folder.name] = _in_folder(folder, name=folder.name, where=where)
    for entry in known().values():
        if entry.name not in found and (cached := _in_hub_cache(entry)):
            found[entry.name] = _in_folder(cached, name=entry.name, where="hub cache")
    return list(found.values())


def verify(model: Model) -> None:
    """Compare every file with its SHA-256. Raises ModelError, naming the files that differ."""
    manifest = _manifest(model.folder)
    if manifest is None:
        entry = known().get(model.name)
        expected = {"model.bin": entry.model_bin_sha256} if entry else {}
    else:
        expected = {name: file.sha256 for name, file in manifest.files.items()}
    wrong = [name for name, digest in expected.items() if sha256_of(model.folder / name) != digest]
    if wrong:
        raise ModelError(
            f"The model {model.name} in {model.folder} is damaged: {', '.join(wrong)}.",
            hint=_AGAIN,
        )


def import_folder(source: Path, *, name: str | None = None) -> Model:
    """Copy a CTranslate2 Whisper folder (from a USB stick, say) into the workspace after checking it.

    Raises ModelError (not such a folder, or not what its name promises), StorageError.
    """
    name = workspace.safe_name(name or source.absolute().name).removeprefix("faster-whisper-")
    _check_whisper(source)
    entry = known().get(name.removeprefix("whisper-"))
    if entry and sha256_of(source / "model.bin") not in (entry.model_bin_sha256, _shipped_digest(name)):
        raise ModelError(
            f"{source / 'model.bin'} is not the published {entry.name} model (its SHA-256 differs).",
            hint="Copy it again, or import it under another name with --name.",
        )
    return _install(source, Manifest(name=name, kind="whisper", origin=entry.repository if entry else "", files={}))


Download = Callable[[Known, Path], None]


def pull(name: str, *, download: Download | None = None) -> Model:
    """Get a published model from the model hub at its pinned revision, check it, install it in the workspace.

    The only function that touches the network. Raises ModelError, StorageError.
    """
    asked = ALIASES.get(name, name).removeprefix("whisper-")
    entry = known().get(asked)
    if entry is None:
        raise ModelError(f"There is no published model {name!r}.", hint=f"Known are: {', '.join(known())}.")
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=workspace.make_folder(workspace.models())) as folder:
        (download or _from_hub)(entry, Path(folder))
        if sha256_of(Path(folder) / "model.bin") != entry.model_bin_sha256:
            raise ModelError(
                f"What was downloaded as {entry.name} is not the published model (its SHA-256 differs).",
                hint="Try again; if it happens again, the connection is tampered with.",
            )
        _check_whisper(Path(folder))
        manifest = Manifest(name=entry.name, kind="whisper", origin=entry.repository, revision=entry.revision, files={})
        return _install(Path(folder), manifest)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; "missing" if there is none."""
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_folder(folder: Path, *, name: str, where: str) -> Model:
    manifest = _manifest(folder)
    if manifest is None:
        _check_whisper(folder)
        size = (folder / "model.bin").stat().st_size
        entry = known().get(name)
        if entry and size != entry.model_bin_bytes:
            raise _incomplete(name, folder, ["model.bin"])
        return Model(name, "whisper", folder, where, size, "", _digest(folder / "model.bin", size))
    short = [
        file
        for file, expected in manifest.files.items()
        if not (folder / file).is_file() or (folder / file).stat().st_size != expected.bytes
    ]
    if short or not manifest.files:
        raise _incomplete(name, folder, short)
    main = max(manifest.files.values(), key=lambda file: file.bytes)
    n_bytes = sum(file.bytes for file in manifest.files.values())
    return Model(manifest.name, manifest.kind, folder, where, n_bytes, manifest.licence, main.sha256)


@cache
def _digest(path: Path, n_bytes: int) -> str:
    return sha256_of(path)


def _manifest(folder: Path) -> Manifest | None:
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}.", hint="Delete that folder and get the model again."
        ) from error
    if any(Path(name).name != name for name in manifest.files):
        raise ModelError(f"{path} names files outside its folder.", hint="Delete that folder.")
    return manifest


def _check_whisper(folder: Path) -> None:
    """Raise ModelError unless the folder holds a complete CTranslate2 Whisper model."""
    missing = [name for name in WHISPER_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder} is no CTranslate2 Whisper model: {', '.join(missing)} missing.",
            hint="It needs model.bin, config.json and tokenizer.json, as the hub's faster-whisper models have.",
        )
    outside = [p.name for p in folder.iterdir() if p.is_symlink() and not _inside_hub(p)]
    if outside:
        raise ModelError(
            f"{folder} holds links to other places: {', '.join(outside)}.", hint="Copy the files themselves."
        )
    with (folder / "model.bin").open("rb") as file:
        head = file.read(64)
    if _CTRANSLATE2_SPEC not in head:
        raise ModelError(f"{folder / 'model.bin'} is no CTranslate2 Whisper model.", hint="Convert it, or pull it.")
    try:
        msgspec.json.decode((folder / "config.json").read_bytes())
        msgspec.json.decode((folder / "tokenizer.json").read_bytes())
    except msgspec.DecodeError as error:
        raise ModelError(f"{folder}: a JSON file is damaged ({error}).", hint="Copy the folder again.") from error


def _inside_hub(link: Path) -> bool:
    """The hub's cache is made of links into its own blobs/ folder."""
    return link.resolve().parent.name == "blobs" and link.parent.parent.name == "snapshots"


def _install(source: Path, manifest: Manifest) -> Model:
    """Copy the model's files into the workspace: whole or not at all."""
    target = workspace.make_folder(workspace.models()) / manifest.name
    if target.exists():
        raise ModelError(f"{target} exists already.", hint="Check it (transcriber models verify), or delete it.")
    names = [name for name in (*WHISPER_FILES, *_OPTIONAL) if (source / name).is_file()]
    part = Path(tempfile.mkdtemp(prefix=f".{manifest.name}-", dir=target.parent))
    try:
        for name in names:
            shutil.copyfile(source / name, part / name)
        files = {name: File(sha256_of(part / name), (part / name).stat().st_size) for name in names}
        whole = msgspec.structs.replace(manifest, files=files)
        workspace.write_atomic(part / MANIFEST, msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
        part.chmod(0o755)
        part.rename(target)
        workspace.sync_folder(target.parent)
    except OSError as error:
        raise workspace.storage_error(error, target) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _in_folder(target, name=manifest.name, where="workspace")


def _from_hub(entry: Known, folder: Path) -> None:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        huggingface_hub.snapshot_download(
            entry.repository,
            revision=entry.revision,
            local_dir=folder,
            allow_patterns=[*WHISPER_FILES, *_OPTIONAL],
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError, ValueError) as error:
        raise ModelError(
            f"The model {entry.name} could not be fetched from the hub ({type(error).__name__}).",
            hint="Check the connection; or fetch "
            f"{entry.repository} on another machine and run: transcriber models import FOLDER",
        ) from error


def _in_hub_cache(entry: Known) -> Path | None:
    """The model's folder in the local hub cache, if a whole one is there."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    snapshots = hub / f"models--{entry.repository.replace('/', '--')}" / "snapshots"
    folders = [snapshots / entry.revision] if entry.revision else sorted(snapshots.glob("*"))
    for folder in folders:
        weights = folder / "model.bin"
        if weights.is_file() and weights.stat().st_size == entry.model_bin_bytes:
            return folder
    return None


def _shipped_digest(name: str) -> str:
    return sha256_of(workspace.shipped() / "models" / f"whisper-{name.removeprefix('whisper-')}-int8" / "model.bin")


def _incomplete(name: str, folder: Path, files: list[str]) -> ModelError:
    return ModelError(
        f"The model {name} in {folder} is incomplete: {', '.join(files) or 'no files'}.",
        hint=_AGAIN,
    )


def _not_found(name: str, bare: str) -> ModelError:
    if bare not in known():
        return ModelError(
            f"There is no model {name!r} here.",
            hint=f"`transcriber models list` shows what is here. Known are: {', '.join(known())}.",
        )
    return ModelError(
        f"The model {name} is not on this machine.",
        hint=f"Get it with `transcriber models pull {bare}`; without a network, copy its folder from a machine that "
        f"has it and run `transcriber models import FOLDER`.",
    )
