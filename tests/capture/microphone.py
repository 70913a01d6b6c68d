"""The simulated microphone's devices and what they play."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

RATE_HZ = 48_000
PLAYED_SECONDS = 120


class Microphone:
    """Devices by name: room, stereo, muted, yank (unplugged while the file `unplugged` exists), stall300 and so on."""

    def __init__(self, home: Path, plugin: Path, *, duration: int = PLAYED_SECONDS) -> None:
        self.home = home
        self.unplugged = home / "unplugged"
        self.since = home / "since"
        mono, stereo = home / "mic.raw", home / "stereo.raw"
        dice = np.random.default_rng(7)
        dice.integers(-20_000, 20_000, duration * RATE_HZ).astype("<i2").tofile(mono)
        dice.integers(-20_000, 20_000, 2 * 20 * RATE_HZ).astype("<i2").tofile(stereo)
        np.zeros(RATE_HZ, "<i2").tofile(home / "zeros.raw")
        self.played = mono.read_bytes()
        self.played_stereo = stereo.read_bytes()
        one = f'type cimic infile "{mono}" rate {RATE_HZ} channels 1 since "{self.since}"'
        self.devices = {
            "room": one,
            "yank": f'{one} gone_file "{self.unplugged}"',
            "muted": f'type cimic infile "{home / "zeros.raw"}" rate {RATE_HZ} channels 1',
            "stereo": f'type cimic infile "{stereo}" rate {RATE_HZ} channels 2',
            **{f"stall{ms}": f"{one} stall_ms 2000 stall_len_ms {ms}" for ms in (300, 1000, 3000)},
        }
        self._plugin = plugin
        self._write()

    def add(self, name: str, **keys: object) -> str:
        """One more device; it plays `played` unless it gets another infile. Keys as in cimic.c."""
        keys = {"infile": self.home / "mic.raw", "rate": RATE_HZ, "channels": 1, **keys}
        words = (f'{key} "{value}"' if isinstance(value, Path) else f"{key} {value}" for key, value in keys.items())
        self.devices[name] = f"type cimic {' '.join(words)}"
        self._write()
        return name

    def _write(self) -> None:
        lines = [f"pcm.{name} {{ {keys} }}" for name, keys in self.devices.items()]
        text = "\n".join([f'pcm_type.cimic {{ lib "{self._plugin}" }}', *lines]) + "\n"
        part = self.home / ".asoundrc.part"
        part.write_text(text)
        part.replace(self.home / ".asoundrc")  # at no moment half a configuration

    def rewind(self) -> None:
        """Play from the beginning, with everything plugged in and nothing remembered."""
        self.since.unlink(missing_ok=True)
        self.unplugged.unlink(missing_ok=True)
        shutil.rmtree(self.home / "config", ignore_errors=True)

    def shift(self, pcm: bytes, at: int) -> int:
        """By how many frames this sound, found at frame `at` of the files, came later there than it was played.

        Raises AssertionError if it is anything but a stretch of what was played.
        """
        key, centre, reach = pcm[:32], at * 2, RATE_HZ
        place = self.played.find(key, max(0, centre - reach), centre + reach)
        assert place >= 0, f"the sound at {at} was not played within half a second of it"
        assert self.played[place : place + len(pcm)] == pcm
        return at - place // 2


def build(home: Path, *, duration: int = PLAYED_SECONDS) -> Microphone | str:
    """Compile the plugin into `home` and set the devices up there; or why that cannot be."""
    if shutil.which("cc") is None:
        return "the simulated microphone needs a C compiler (cc)"
    plugin = home / "libasound_module_pcm_cimic.so"
    source = Path(__file__).with_name("cimic.c")
    made = subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-DPIC", "-o", plugin, source, "-lasound"], capture_output=True, text=True
    )
    if made.returncode:
        return f"the simulated microphone needs ALSA's headers (libasound2-dev): {made.stderr[:200]}"
    return Microphone(home, plugin, duration=duration)
