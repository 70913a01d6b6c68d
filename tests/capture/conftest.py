"""A microphone without a sound card, see cimic.c; where it cannot be built the tests that need it say so and skip."""

from __future__ import annotations

import pytest
from microphone import Microphone, build


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Microphone:
    built = build(tmp_path_factory.mktemp("microphone"))
    if isinstance(built, str):
        pytest.skip(built)
    return built


@pytest.fixture
def microphone(simulated: Microphone, monkeypatch: pytest.MonkeyPatch) -> Microphone:
    try:
        import sounddevice  # noqa: F401
    except OSError as error:
        pytest.skip(f"recording needs PortAudio (libportaudio2): {error}")
    monkeypatch.setenv("HOME", str(simulated.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(simulated.home / "config"))
    simulated.rewind()
    return simulated
