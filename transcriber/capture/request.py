"""What a recorder is told to record, and the command that starts one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to record. With `host_api`, `device` is the exact name of the one device to record from.

    `latency` is the driver's ring in seconds: what the machine may be busy elsewhere without losing sound.
    """

    folder: Path
    device: str | None = None
    host_api: str | None = None
    rate_hz: int | None = None
    channels: int | None = None
    bits: int = 16
    segment_seconds: float = 600.0
    duration: float | None = None
    latency: float = 0.5


def command(request: Request) -> list[str]:
    """The command line of a recorder; without -P a file named like a module would be run from the current folder."""
    text = msgspec.json.encode(request, enc_hook=os.fspath).decode()
    return [sys.executable, "-P", "-m", "transcriber.capture", text]


def environment() -> dict[str, str]:
    """The environment in which that command finds this very package, installed or not."""
    package_parent = str(Path(__file__).resolve().parents[2])
    paths = [package_parent, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def restart(request: Request) -> None:
    """Become a new recorder of the same take: same process, no old thread, a fresh list of devices."""
    os.execve(sys.executable, command(request), environment())


def parse(text: str) -> Request:
    return msgspec.json.decode(text, type=Request, dec_hook=lambda kind, value: kind(value))
