"""What a running take tells the world ten times a second, and how to speak to it.

The feed is one small record, overwritten in place in memory-backed storage: it must not wait for the recording's
disk, because whoever reads it decides by its `beat` whether the recorder is alive. Commands go over a socket
beside it. Both are found by the session's folder alone, so any process can follow, mark or stop a take.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from transcriber.errors import DeviceError, StorageError

State = Literal["opening", "recording", "waiting", "ended"]
_RECORD_BYTES = 1 << 14
_ANSWER_LIMIT = 5.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a take ended against the crew's will."""

    code: int
    message: str
    hint: str


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A take right now. `beat`, `since`, `heard` and `synced_at` are readings of the take's clock.

    `frames` is the length of the time line, `synced` what of it survives a power cut, `backlog` the blocks that
    wait for the disk, `free` the seconds of sound the disk still takes. `meter` is read with `channels`.
    """

    pid: int
    state: State
    beat: float
    since: float
    device: str
    host_api: str
    rate_hz: int
    n_channels: int
    bits: int
    frames: int = 0
    synced: int = 0
    synced_at: float | None = None
    heard: float | None = None
    gaps: int = 0
    lost: float = 0.0
    restarts: int = 0
    backlog: int = 0
    free: float | None = None
    ppm: float | None = None
    meter: msgspec.Raw = msgspec.Raw(b"[]")
    notices: tuple[str, ...] = ()
    failure: Failure | None = None

    @property
    def elapsed(self) -> float:
        return self.frames / self.rate_hz if self.rate_hz else 0.0


def meeting_point(folder: Path, suffix: Literal["live", "sock", "log"]) -> Path:
    """Where a session's feed, socket or start-up messages are. Raises StorageError if others could write there."""
    shared = Path("/dev/shm")
    base = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    own = base / f"transcriber-{os.getuid()}"
    with suppress(FileExistsError):
        own.mkdir(mode=0o700)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StorageError(f"{own} belongs to somebody else or is open to others.", hint=f"Remove it: rm -r '{own}'")
    key = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:20]
    return own / f"{key}.{suffix}"


class Feed:
    """The writing end of a take's feed."""

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(meeting_point(folder, "live"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def publish(self, live: Live) -> None:
        payload = msgspec.json.encode(live)
        with suppress(OSError):  # a feed that cannot be written must not end a take
            os.pwrite(self._handle, (b"%08x " % zlib.crc32(payload) + payload).ljust(_RECORD_BYTES), 0)


def read_live(folder: Path) -> Live | None:
    """The latest state of the folder's take, running or ended; None if there is none or it is being written now."""
    try:
        data = meeting_point(folder, "live").read_bytes().rstrip(b" ")
        payload = data[9:]
        if data[:9] != b"%08x " % zlib.crc32(payload):
            return None
        return msgspec.json.decode(payload, type=Live)
    except (OSError, msgspec.DecodeError):
        return None


def tidy(folder: Path) -> None:
    """Remove what a take that has ended left beside its session."""
    suffixes: tuple[Literal["live", "sock", "log"], ...] = ("live", "sock", "log")
    for suffix in suffixes:
        with suppress(OSError):
            meeting_point(folder, suffix).unlink()


class Listener:
    """The receiving end of a take's commands: call `next` again and again, answer with what it gives."""

    def __init__(self, folder: Path) -> None:
        path = meeting_point(folder, "sock")
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(8)

    def next(self) -> tuple[socket.socket, dict[str, Any]] | None:
        """Wait for one command; None if what came was none."""
        caller, _ = self._socket.accept()
        caller.settimeout(1.0)
        try:
            command = msgspec.json.decode(_read_line(caller))
            if isinstance(command, dict):
                return caller, command
        except (OSError, msgspec.DecodeError):
            pass
        caller.close()
        return None


def answer(caller: socket.socket, reply: dict[str, Any]) -> None:
    """Reply to a command's sender, who may be gone."""
    with suppress(OSError), caller:
        caller.sendall(msgspec.json.encode(reply) + b"\n")


def send(folder: Path, command: dict[str, Any]) -> dict[str, Any]:
    """Give the running take of this folder a command and return its answer. Raises DeviceError if nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_LIMIT)
            line.connect(str(meeting_point(folder, "sock")))
            line.sendall(msgspec.json.encode(command) + b"\n")
            reply = msgspec.json.decode(_read_line(line))
    except (OSError, msgspec.DecodeError) as error:
        raise DeviceError(
            f"No recorder answers for {folder}.", hint=f"See whether it runs: record --attach {folder.name}"
        ) from error
    return reply if isinstance(reply, dict) else {}


def _read_line(line: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < _RECORD_BYTES:
        part = line.recv(_RECORD_BYTES)
        if not part:
            break
        data += part
    return data
