"""What all tests share: none of them touches the user's own folders."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache and a hub cache of the test's own, and no network."""
    aside: Path = tmp_path_factory.mktemp("aside")
    monkeypatch.setenv("XDG_CACHE_HOME", str(aside / "cache"))
    monkeypatch.setenv("HF_HOME", str(aside / "huggingface"))
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSCRIBER_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
