"""The machine's inputs, by name and host API; indices move whenever something is plugged in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from transcriber.errors import DeviceError
from transcriber.workspace import make_folder, write_atomic

_USUAL_RATES_HZ = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000)
_SERVER_CHANNELS = 32  # what PulseAudio's, PipeWire's and ALSA's own virtual inputs claim, whatever the microphone has
_CARD = re.compile(r"\s*\((?:plug)?hw:\d+,\d+\)$")  # ALSA's place of a card, which moves at every replug
_INSTALL = {
    "debian": "sudo apt install libportaudio2",
    "fedora": "sudo dnf install portaudio",
    "rhel": "sudo dnf install portaudio",
    "arch": "sudo pacman -S portaudio",
    "suse": "sudo zypper install libportaudio2",
    "alpine": "sudo apk add portaudio",
}


class InputDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One input. `index` is good only until the list is read again."""

    index: int
    name: str
    host_api: str
    channels: int
    rate_hz: int
    is_default: bool = False

    @property
    def label(self) -> str:
        return f"{self.name} ({self.host_api})"

    @property
    def is_virtual(self) -> bool:
        """Whether this is a sound server that converts to anything it is asked for, not a card."""
        return self.channels >= _SERVER_CHANNELS and "hw:" not in self.name

    @property
    def own_channels(self) -> int:
        """How many channels to record if nobody says: all of a card's, two of a server's."""
        return 2 if self.is_virtual else self.channels

    @property
    def own_rate_hz(self) -> int:
        """The rate to record at if nobody says: a card's own; a server has none, and most run at this one."""
        return 48_000 if self.is_virtual else self.rate_hz

    @property
    def lasting_name(self) -> str:
        """The name without the place the device was plugged in at."""
        return _CARD.sub("", self.name)


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    host_api: str


def portaudio() -> Any:
    """The sounddevice module. Raises DeviceError with the system's install line."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise DeviceError(
            "Recording needs PortAudio, which is not installed (everything else works without it).",
            hint=f"Install it with: {install_line()}",
        ) from error
    return sounddevice


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what sound libraries print about every device they try off the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def refresh() -> None:
    """Read the machine's devices anew; only while no stream is open. sounddevice has no public way."""
    sounddevice = portaudio()
    with suppress(sounddevice.PortAudioError):
        sounddevice._terminate()
        sounddevice._initialize()


def install_line() -> str:
    """The command that installs PortAudio here."""
    if sys.platform == "darwin":
        return "brew install portaudio"
    words: list[str] = []
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            text = path.read_text("utf-8", errors="replace")
            words = re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)', text, flags=re.MULTILINE)
            break
    systems = " ".join(words).replace("ubuntu", "debian").split()
    return next((_INSTALL[name] for name in systems if name in _INSTALL), _INSTALL["debian"])


def inputs(sounddevice: Any) -> list[InputDevice]:
    """All inputs there are now, as PortAudio saw them when it was started. Raises DeviceError."""
    try:
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        default = sounddevice.default.device[0]
        return [
            InputDevice(
                index=index,
                name=str(found["name"]),
                host_api=apis[found["hostapi"]],
                channels=int(found["max_input_channels"]),
                rate_hz=round(found["default_samplerate"]),
                is_default=index == default,
            )
            for index, found in enumerate(sounddevice.query_devices())
            if found["max_input_channels"] > 0
        ]
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"The list of inputs could not be read: {error}.", hint="Check the sound system.") from error


def choose(found: list[InputDevice], wanted: str | None) -> InputDevice:
    """The input whose name or "name (host API)" holds the wanted text; without one, the system's default.

    Raises DeviceError when none fits or, with the candidates, when several do.
    """
    if not found:
        raise DeviceError("This machine has no sound input.", hint="Plug a microphone in, then: transcriber devices")
    if wanted is None:
        matches = [device for device in found if device.is_default] or found
    else:
        text = wanted.casefold()
        exact = [device for device in found if text in (device.name.casefold(), device.label.casefold())]
        matches = exact or [device for device in found if text in device.label.casefold()]
    if len(matches) == 1:
        return matches[0]
    names = "; ".join(device.label for device in matches or found)
    if matches:
        which = "several inputs fit" if wanted is None else f"{wanted!r} fits several inputs"
        raise DeviceError(f"{which[0].upper()}{which[1:]}: {names}.", hint="Name one with --device 'NAME (HOST API)'.")
    raise DeviceError(f"No input is called {wanted!r}. There are: {names}.", hint="Choose one with --device.")


def same_device(found: list[InputDevice], name: str, *, host_api: str) -> InputDevice | None:
    """The very device again after a replug, which may have moved it; None if it is not there or not for certain."""
    here = [device for device in found if device.host_api == host_api]
    exact = [device for device in here if device.name == name]
    lasting = [device for device in here if device.lasting_name == _CARD.sub("", name)]
    matches = exact or lasting
    return matches[0] if len(matches) == 1 else None


def possible_rates(sounddevice: Any, device: InputDevice) -> list[int]:
    """Those of the usual sample rates the device takes."""
    rates_hz = []
    for rate_hz in sorted({*_USUAL_RATES_HZ, device.rate_hz}):
        try:
            sounddevice.check_input_settings(device=device.index, channels=1, samplerate=rate_hz, dtype="int16")
        except (sounddevice.PortAudioError, ValueError):
            continue
        rates_hz.append(rate_hz)
    return rates_hz


def _memory() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "transcriber" / "device.json"


def remember(name: str, host_api: str) -> None:
    """Keep the user's choice for the next take. Raises StorageError."""
    path = _memory()
    make_folder(path.parent)
    write_atomic(path, msgspec.json.encode(Remembered(name=name, host_api=host_api)))


def remembered() -> Remembered | None:
    """The input chosen last, if any."""
    try:
        return msgspec.json.decode(_memory().read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None


def wrong_settings(device: InputDevice, error: Exception, *, rates_hz: list[int]) -> DeviceError:
    """The error for an input that does not take what was asked of it."""
    rates = ", ".join(map(str, rates_hz)) or "none"
    return DeviceError(
        f"{device.label} could not be opened: {error}.",
        hint=f"It has {device.channels} channel(s) and takes {rates} Hz: see --channels and --rate.",
    )
