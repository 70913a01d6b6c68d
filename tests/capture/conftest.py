"""A microphone without a sound card, see cimic.c; where it cannot be built the tests that need it say so and skip."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

RATE_HZ = 48_000
PLAYED_SECONDS = 120


class Microphone:
    """Devices by name: room, stereo, muted, yank (unplugged while the file `unplugged` exists), stall300 and so on."""

    def __init__(self, home: Path, plugin: Path) -> None:
        self.home = home
        self.unplugged = home / "unplugged"
        mono, stereo = home / "mic.raw", home / "stereo.raw"
        dice = np.random.default_rng(7)
        dice.integers(-20_000, 20_000, PLAYED_SECONDS * RATE_HZ).astype("<i2").tofile(mono)
        dice.integers(-20_000, 20_000, 2 * 20 * RATE_HZ).astype("<i2").tofile(stereo)
        np.zeros(RATE_HZ, "<i2").tofile(home / "zeros.raw")
        self.played = mono.read_bytes()
        self.played_stereo = stereo.read_bytes()
        one = f'type cimic infile "{mono}" rate {RATE_HZ} channels 1'
        devices = {
            "room": one,
            "yank": f'{one} gone_file "{self.unplugged}"',
            "muted": f'type cimic infile "{home / "zeros.raw"}" rate {RATE_HZ} channels 1',
            "stereo": f'type cimic infile "{stereo}" rate {RATE_HZ} channels 2',
            **{f"stall{ms}": f"{one} stall_ms 2000 stall_len_ms {ms}" for ms in (300, 1000, 3000)},
        }
        lines = [
            f'pcm_type.cimic {{ lib "{plugin}" }}',
            *(f"pcm.{name} {{ {keys} }}" for name, keys in devices.items()),
        ]
        (home / ".asoundrc").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Microphone:
    if shutil.which("cc") is None:
        pytest.skip("the simulated microphone needs a C compiler (cc)")
    home = tmp_path_factory.mktemp("microphone")
    plugin = home / "libasound_module_pcm_cimic.so"
    source = Path(__file__).with_name("cimic.c")
    built = subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-DPIC", "-o", plugin, source, "-lasound"], capture_output=True, text=True
    )
    if built.returncode:
        pytest.skip(f"the simulated microphone needs ALSA's headers (libasound2-dev): {built.stderr[:200]}")
    return Microphone(home, plugin)


@pytest.fixture
def microphone(simulated: Microphone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Microphone]:
    try:
        import sounddevice  # noqa: F401
    except OSError as error:
        pytest.skip(f"recording needs PortAudio (libportaudio2): {error}")
    monkeypatch.setenv("HOME", str(simulated.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(simulated.home / "config"))
    simulated.unplugged.unlink(missing_ok=True)
    yield simulated
    shutil.rmtree(simulated.home / "config", ignore_errors=True)
