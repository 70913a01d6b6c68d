"""Where recordings/, models/ and outputs/ are, and how files get there: whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from transcriber.errors import BusyError, InputError, StorageError, TranscriberError

MAX_NAME_BYTES = 120
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def root() -> Path:
    """The folder that holds the user's recordings/, models/ and outputs/: $TRANSCRIBER_HOME, else the current one."""
    return Path(os.environ.get("TRANSCRIBER_HOME") or ".").absolute()


def recordings() -> Path:
    return root() / "recordings"


def models() -> Path:
    return root() / "models"


def outputs() -> Path:
    return root() / "outputs"


def shipped() -> Path:
    """The folder that holds what came with the program: models/ and recordings/sample-session/."""
    package = Path(__file__).resolve().parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


def safe_name(name: str) -> str:
    """A file name made from any text: [A-Za-z0-9._-], no leading dot or dash, at most 120 bytes, never empty.

    >>> safe_name("Früh/../ -x")
    'Fruh-..-x'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    plain = re.sub(r"-{2,}", "-", plain).strip("-. ")[:MAX_NAME_BYTES].rstrip("-.")
    if not plain or plain.split(".")[0].lower() in _RESERVED:
        plain = f"session-{plain}" if plain else "session"
    return plain


def make_folder(path: Path) -> Path:
    """The folder, made with its parents where missing. Raises StorageError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
    return path


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a whole file or leave the old one: a synced temporary file, renamed over it. Raises StorageError."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise storage_error(error, path) from error


def sync_folder(folder: Path) -> None:
    """Make a folder's entries (new and renamed files) survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def storage_error(error: OSError, path: Path) -> TranscriberError:
    """The error for a failed write at `path`, in a user's words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {path} could not be written.",
            hint="Free some space and run the same command again: finished work is kept.",
        )
    return StorageError(
        f"{path} could not be written: {error.strerror or error}.",
        hint="Choose another place (for example with --output-dir) or correct its permissions.",
    )


def check_regular_file(path: Path) -> None:
    """Raise InputError unless `path` is a readable, regular, non-empty file (never opens a pipe or a device)."""
    if not path.exists():
        raise InputError(f"{path} does not exist.", hint="Check the name; recordings lie in recordings/ by default.")
    if path.is_dir():
        raise InputError(
            f"{path} is a folder, not a recording.", hint="Name a media file, or a folder that `record` made."
        )
    if not path.is_file():
        raise InputError(f"{path} is no regular file (a pipe or a device?).", hint="Save the sound to a file first.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read: permission denied.", hint=f"Allow it with: chmod u+r '{path}'")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes).", hint="Copy it again from the recorder.")


@contextmanager
def session_lock(folder: Path, *, doing: str) -> Iterator[None]:
    """Hold a session's folder for one run; the lock ends with the process. Raises BusyError, naming the holder."""
    path = make_folder(folder) / ".lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(folder, path) from error
        note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds"), "doing": doing}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        for left in folder.glob(".*.part"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _busy(folder: Path, path: Path) -> BusyError:
    holder = "another run"
    with suppress(OSError, ValueError, KeyError):
        note = json.loads(path.read_text("utf-8"))
        holder = f"process {note['pid']} ({note['doing']}, since {note['since']})"
    return BusyError(
        f"{folder} is in use by {holder}.",
        hint="Wait until it is done, or give this run another --output-dir.",
    )
