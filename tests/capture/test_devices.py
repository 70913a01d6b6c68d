"""The right input, by name, or a refusal that helps; and nothing of PortAudio unless somebody records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from microphone import Microphone

from transcriber.capture import devices
from transcriber.capture.devices import InputDevice, choose, same_device
from transcriber.errors import DeviceError, StorageError

PROJECT = Path(__file__).resolve().parents[2]


def device(name: str, *, host_api: str = "ALSA", index: int = 0, is_default: bool = False) -> InputDevice:
    return InputDevice(index=index, name=name, host_api=host_api, channels=1, rate_hz=48_000, is_default=is_default)


DESK = device("USB Desk: Audio (hw:1,0)", index=1)
HALL = device("Hall mixer: Audio (hw:2,0)", index=2, is_default=True)
SERVER = device("pulse", index=3)
ALL = [DESK, HALL, SERVER]


@pytest.mark.parametrize(("wanted", "expected"), [("desk", DESK), ("PULSE", SERVER), (None, HALL), ("hw:2", HALL)])
def test_part_of_a_name_is_enough(wanted: str | None, expected: InputDevice) -> None:
    assert choose(ALL, wanted) == expected


def test_a_whole_name_wins_over_names_that_hold_it() -> None:
    assert choose([device("mic 2"), device("mic")], "mic").name == "mic"
    both = [device("mic"), device("mic", host_api="JACK", index=1)]
    assert choose(both, "mic (jack)").host_api == "JACK"


@pytest.mark.parametrize(
    ("found", "wanted", "says"),
    [
        (ALL, "audio", "fits several inputs: USB Desk.*; Hall mixer"),
        (ALL, "lectern", "No input is called 'lectern'. There are: USB Desk"),
        ([], None, "no sound input"),
        ([DESK, SERVER], None, "Several inputs fit: USB Desk.*; pulse"),
    ],
)
def test_what_does_not_name_one_input_is_refused_with_the_candidates(
    found: list[InputDevice], wanted: str | None, says: str
) -> None:
    with pytest.raises(DeviceError, match=says):
        choose(found, wanted)


def test_after_a_replug_the_same_device_is_found_at_its_new_place_and_no_other() -> None:
    moved = device("USB Desk: Audio (hw:3,0)", index=9)
    assert same_device([HALL, moved], DESK.name, host_api="ALSA") == moved
    assert same_device([HALL, SERVER], DESK.name, host_api="ALSA") is None
    assert same_device([device(DESK.name, host_api="JACK")], DESK.name, host_api="ALSA") is None
    twins = [moved, device("USB Desk: Audio (hw:4,0)")]
    assert same_device(twins, DESK.name, host_api="ALSA") is None


def test_a_sound_server_is_not_recorded_in_all_the_channels_it_claims() -> None:
    server = InputDevice(index=0, name="pulse", host_api="ALSA", channels=32, rate_hz=44_100)
    assert (server.own_channels, server.own_rate_hz) == (2, 48_000)
    mixer = InputDevice(index=0, name="X32: USB Audio (hw:1,0)", host_api="ALSA", channels=32, rate_hz=44_100)
    assert (mixer.own_channels, mixer.own_rate_hz) == (32, 44_100)


def test_a_choice_is_remembered_and_a_damaged_memory_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert devices.remembered() is None
    devices.remember("Desk", "ALSA")
    kept = devices.remembered()
    assert kept is not None
    assert (kept.name, kept.host_api) == ("Desk", "ALSA")
    (tmp_path / "transcriber" / "device.json").write_text("{")
    assert devices.remembered() is None


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("ID=ubuntu\nID_LIKE=debian\n", "sudo apt install libportaudio2"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install portaudio"),
        ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S portaudio"),
    ],
)
def test_without_portaudio_the_error_names_the_systems_install_line(
    monkeypatch: pytest.MonkeyPatch, release: str, line: str
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    monkeypatch.setattr(Path, "read_text", lambda self, *_, **__: release)
    with pytest.raises(DeviceError) as caught:
        devices.portaudio()
    assert line in caught.value.hint


def test_everything_can_be_imported_without_portaudio() -> None:
    """sounddevice is loaded when somebody records, and numpy when a level is shown, not before."""
    modules = sorted(path.stem for path in (PROJECT / "transcriber" / "capture").glob("*.py"))
    names = ", ".join(f"transcriber.capture.{name}" for name in modules if not name.startswith("__"))
    code = f"import sys; sys.modules['sounddevice'] = None; import {names}, transcriber.cli.record"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)
    code = "import sys, transcriber.capture.recorder; assert not {'numpy', 'rich', 'typer'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_the_list_of_inputs_shows_what_each_hears(microphone: Microphone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    command = [sys.executable, Path(__file__).with_name("commands.py"), "devices", "--use", "yank"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = {row[2:].split()[0]: row for row in done.stdout.splitlines()}
    assert set(rows) >= {"room", "stereo", "muted", "yank"}
    assert "-4 dBFS" in rows["room"]
    assert "2 channel(s)  48 kHz" in rows["stereo"]
    assert "only zeros" in rows["muted"]
    assert rows["yank"].startswith("* ")
    assert done.stderr == ""


def test_a_memory_that_cannot_be_written_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError):
        devices.remember("Desk", "ALSA")
