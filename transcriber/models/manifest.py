"""What a model's folder must hold, and the manifest that says so: sizes are compared at each use, hashes when needed.

Hashing a file of some GB takes seconds, so a hash is remembered in the user's cache with the file's size and
modification time, and computed again only when one of these has changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from transcriber.errors import StorageError
from transcriber.models import ctranslate2_file
from transcriber.workspace import make_folder, write_atomic

MANIFEST = "manifest.json"
_BLOCK_BYTES = 1 << 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A model's papers. `files` are all the files it consists of."""

    name: str
    kind: str
    licence: str
    origin: str
    revision: str | None
    files: dict[str, FileFacts]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of model: the file with its weights, what else it needs (one of each group), and what it may bring."""

    title: str
    weights: str
    needs: tuple[tuple[str, ...], ...]
    may_bring: tuple[str, ...] = ()


KINDS = {
    "whisper": Kind(
        "Whisper model",
        "model.bin",
        (("config.json",), ("tokenizer.json",), ("vocabulary.txt", "vocabulary.json")),
        ("preprocessor_config.json",),
    ),
    "sentence-encoder": Kind("sentence encoder", "model.onnx", (("tokenizer.json",),)),
    "ranker": Kind("evidence ranker", "weights.npz", ()),
}


class Damaged(ValueError):
    """What is wrong with a model's folder, as the end of a sentence that begins with its name."""


def read(folder: Path) -> Manifest | None:
    """The folder's manifest, if it has one. Raises Damaged if it cannot be trusted."""
    try:
        found = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Damaged(f"has an unreadable {MANIFEST} ({error})") from error
    for name in found.files:
        if not _PLAIN_NAME.fullmatch(name):
            raise Damaged(f"has a {MANIFEST} that names a file outside its folder: {name!r}")
    if found.kind not in KINDS or KINDS[found.kind].weights not in found.files:
        raise Damaged(f"has a {MANIFEST} of an unknown kind: {found.kind!r}")
    return found


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def files_of(folder: Path, kind: str) -> tuple[str, ...]:
    """The names of a model's files, weights first. Raises Damaged if one is missing."""
    sort = KINDS[kind]
    names = []
    for group in ((sort.weights,), *sort.needs):
        present = [name for name in group if (folder / name).is_file()]
        if not present:
            raise Damaged(f"is not complete: {' or '.join(group)} is missing")
        names += present
    return (*names, *(name for name in sort.may_bring if (folder / name).is_file()))


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Raise Damaged unless all files are there with their right sizes."""
    for name, facts in manifest.files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            raise Damaged(f"is not complete: {name} is missing") from error
        if size != facts.bytes:
            raise Damaged(f"is not whole: {name} has {size:,} bytes instead of {facts.bytes:,}")


def check_whisper(folder: Path) -> None:
    """Raise Damaged unless the folder holds a whole Whisper model for CTranslate2."""
    files_of(folder, "whisper")
    try:
        spec = ctranslate2_file.check(folder / "model.bin")
        config = msgspec.json.decode((folder / "config.json").read_bytes())
        msgspec.json.decode((folder / "tokenizer.json").read_bytes())
    except ctranslate2_file.NotWhole as error:
        raise Damaged(f"is not whole: model.bin {error}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise Damaged(f"is not whole: config.json or tokenizer.json cannot be read ({error})") from error
    if spec != ctranslate2_file.WHISPER or not isinstance(config, dict):
        raise Damaged(f"is no Whisper model: its model.bin is a {spec!r}")


# ---- hashes


def blocks(path: Path) -> Iterator[bytes]:
    """A file's bytes. Raises Damaged if they cannot be read."""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block
    except OSError as error:
        raise Damaged(f"cannot be read: {path.name}: {error.strerror or error}") from error


def hash_file(path: Path) -> str:
    """The file's SHA-256. Raises Damaged if it cannot be read."""
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return digest.hexdigest()


def remembered_hash(path: Path) -> str:
    """The file's SHA-256, from the cache if neither its size nor its modification time has changed."""
    real = path.resolve()
    stat = real.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    cached = _cached_hashes()
    if (entry := cached.get(str(real))) and entry[:2] == stamp:
        return str(entry[2])
    return remember_hash(path, hash_file(real))


def remember_hash(path: Path, sha256: str) -> str:
    """Note a hash that was just computed; a cache that cannot be written does no harm."""
    real = path.resolve()
    stat = real.stat()
    entries = {**_cached_hashes(), str(real): [stat.st_size, stat.st_mtime_ns, sha256]}
    with suppress(StorageError):
        write_atomic(make_folder(_cache_folder()) / "model-hashes.json", msgspec.json.encode(entries))
    return sha256


def _cached_hashes() -> dict[str, list[int | str]]:
    try:
        return msgspec.json.decode(
            (_cache_folder() / "model-hashes.json").read_bytes(), type=dict[str, list[int | str]]
        )
    except (OSError, msgspec.DecodeError):
        return {}


def _cache_folder() -> Path:
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "transcriber"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "transcriber"
