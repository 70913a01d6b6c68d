"""The Whisper models that can be pulled: published CTranslate2 conversions, each pinned to a commit and a hash."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

KNOWN_FILE = Path(__file__).with_name("known.json")
DEFAULT = "whisper-base-int8"
ALIASES = {"base": DEFAULT, "turbo": "large-v3-turbo", "large": "large-v3"}
_PREFIXES = (("faster-distil-whisper-", "distil-"), ("faster-whisper-", ""), ("whisper-", ""))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A published model: `sha256` and `bytes` are those of its model.bin; `revision` is a commit, if one is known."""

    name: str
    repository: str
    revision: str | None
    sha256: str
    bytes: int
    languages: str
    licence: str


@cache
def all_known() -> tuple[Known, ...]:
    return msgspec.json.decode(KNOWN_FILE.read_bytes(), type=tuple[Known, ...])


def lookup(name: str) -> Known | None:
    """The published model of a name: "small", "whisper-small", "turbo", "Systran/faster-whisper-small"."""
    short = _short(name)
    published = {known.name: known for known in all_known()}
    if found := published.get(short) or published.get(ALIASES.get(short, "")):
        return found
    return next((known for known in all_known() if name in (known.repository, known.repository.split("/")[1])), None)


def spellings(name: str) -> tuple[str, ...]:
    """The folder names under which a model of that name may lie, the name itself first."""
    known = lookup(name)
    published = (known.name,) if known else ()
    return tuple(dict.fromkeys((name, _short(name), *published, ALIASES.get(_short(name), name))))


def _short(name: str) -> str:
    for prefix, instead in _PREFIXES:
        if name.startswith(prefix):
            return instead + name.removeprefix(prefix)
    return name
