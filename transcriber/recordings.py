"""A session folder as one timeline (placeholder until capture lands)."""

from __future__ import annotations

from pathlib import Path

from transcriber.datatypes import Recording


def is_session(folder: Path) -> bool:
    return False


def load(folder: Path) -> Recording:
    raise NotImplementedError
