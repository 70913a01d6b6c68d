"""Starts the capture process, watches its feed, and starts it anew when it died or hangs.

It holds nothing a take needs: when it dies, the take goes on, and another one can take over (`attach`).
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from transcriber import journal, recordings
from transcriber.capture import live
from transcriber.capture.clock import now
from transcriber.capture.devices import remember
from transcriber.capture.live import Live
from transcriber.capture.repair import close_session
from transcriber.capture.request import Request, command, environment
from transcriber.errors import BusyError, DeviceError, InputError, StorageError, TranscriberError, UsageError
from transcriber.workspace import session_lock

LOOK_EVERY = 0.1
_SILENT_LIMIT = 8.0  # longer than a recorder's own limits: it helps itself first
_LAST_PAUSE = 2.0
_HANDOVER = 3.0
_ASK_AGAIN = 3.0
_ERRORS: dict[int, type[TranscriberError]] = {
    kind.exit_code: kind for kind in (UsageError, InputError, DeviceError, StorageError, BusyError)
}
_RETRIED = (DeviceError.exit_code, BusyError.exit_code, 1)


class Supervisor:
    """One take, looked after. Call `look` every LOOK_EVERY seconds until it says the take has ended."""

    def __init__(self, request: Request, *, process: subprocess.Popen[bytes] | None, pid: int) -> None:
        self.request = request
        self.folder = request.folder
        self.live: Live | None = None
        self.is_stopping = False
        self._process = process
        self._pid = pid
        self._born = self._looked = now()
        self._pause = 0.0
        self._again_at: float | None = None
        self._asked_at = 0.0

    @classmethod
    def start(cls, request: Request) -> Supervisor:
        """Begin a new session. Raises UsageError if there is one already, BusyError if it is running."""
        if (pid := holder(request.folder)) is not None:
            raise BusyError(
                f"{request.folder.name} is being recorded already (process {pid}).",
                hint=f"Follow it with: transcriber record {request.folder.name} --attach",
            )
        if recordings.is_session(request.folder):
            raise UsageError(
                f"There is a recording called {request.folder.name} already.",
                hint="Choose another name; to go on with one that broke off, add --attach.",
            )
        process = _launch(request)
        return cls(request, process=process, pid=process.pid)

    @classmethod
    def attach(cls, folder: Path) -> Supervisor:
        """Take a running session over, or go on with one that broke off. Raises InputError, UsageError."""
        pid = holder(folder)
        if not recordings.is_session(folder) and pid is None:
            raise InputError(f"There is no recording in {folder}.", hint="Start one without --attach.")
        if pid == 0:
            raise BusyError(f"{folder} is being repaired.", hint="Try again in a moment.")
        request = _request_of(folder)
        if pid is not None:
            return cls(request, process=None, pid=pid)
        if (why := _ended(folder)) is not None:
            raise UsageError(
                f"{folder.name} was ended: {why}.",
                hint="Record the next part under another name and put them together with: transcriber join",
            )
        process = _launch(request)
        return cls(request, process=process, pid=process.pid)

    def look(self) -> bool:
        """See how the take is; False once it has ended. Raises the error that ended it."""
        moment, before = now(), self._looked
        self._looked = moment
        self._read_feed()
        if self._again_at is not None:
            return self._wait_to_restart(moment)
        if self._is_alive():
            if moment - before < 1.0:  # else this process stood still, and its view is old
                self._end_if_hung(moment)
            if self.is_stopping and moment - self._asked_at > _ASK_AGAIN:  # it may have been restarting itself
                self.stop()
            return True
        self._read_feed()
        return self._after_death(moment)

    def stop(self) -> None:
        """Ask for the end; `look` tells when it has come."""
        self.is_stopping = True
        self._asked_at = now()
        with suppress(TranscriberError):
            live.send(self.folder, {"event": "stop"})
            return
        if self._is_alive():
            os.kill(self._pid, signal.SIGTERM)

    # ---- what is seen

    def _read_feed(self) -> None:
        found = live.read_live(self.folder)
        if found is None or found.pid != self._pid:
            return
        if found.state == "recording":
            if self.live is None or self.live.state != "recording":
                self._remember(found)
            self._pause = 0.0  # it had come as far as hearing something: the next start need not wait
        self.live = found

    def _remember(self, found: Live) -> None:
        """From the first sound on the device is certain: for restarts, and for the next take if it was chosen."""
        if self.request.device is not None and self.request.host_api is None:
            with suppress(StorageError):
                remember(found.device, found.host_api)
        self.request = msgspec.structs.replace(
            self.request,
            device=found.device,
            host_api=found.host_api,
            rate_hz=found.rate_hz,
            channels=found.n_channels,
        )

    def _is_alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        if (found := holder(self.folder)) is not None:
            return found == self._pid
        is_fresh = self.live is not None and now() - self.live.beat < _HANDOVER  # a recorder restarts itself in place
        return is_fresh and _exists(self._pid)

    def _end_if_hung(self, moment: float) -> None:
        beat = self.live.beat if self.live is not None else self._born
        is_ours = self._process is not None or holder(self.folder) == self._pid
        if moment - max(beat, self._born) > _SILENT_LIMIT and is_ours:
            os.kill(self._pid, signal.SIGKILL)

    # ---- what is done

    def _after_death(self, moment: float) -> bool:
        code = self._process.returncode if self._process is not None else None
        if self.live is not None and self.live.state == "ended":
            if self.live.failure is None:
                live.tidy(self.folder)
                return False
            if self.live.failure.code not in _RETRIED:
                raise self._error(code)
        if not recordings.is_session(self.folder):
            if self.is_stopping:
                return False
            raise self._error(code)
        if code is not None and code > 0 and code not in _RETRIED:
            raise self._error(code)
        if _ended(self.folder) is not None:  # somebody else has seen to its end
            return False
        if pid := holder(self.folder):  # somebody else took it over
            self._process, self._pid = None, pid
            return True
        if self.is_stopping:
            self._close()
            return False
        self._again_at = moment + self._pause
        self._pause = min(self._pause * 2 or LOOK_EVERY, _LAST_PAUSE)
        return self._wait_to_restart(moment)

    def _wait_to_restart(self, moment: float) -> bool:
        if self.is_stopping:
            self._close()
            return False
        if self._again_at is not None and moment >= self._again_at:
            self._again_at = None
            if self.request.host_api is None:  # it died before its feed could tell
                self.request = _completed(self.request)
            self._process = _launch(self.request)
            self._pid, self._born = self._process.pid, moment
        return True

    def _close(self) -> None:
        with session_lock(self.folder, doing="stop"):
            close_session(self.folder, why="stopped")

    def _error(self, code: int | None) -> TranscriberError:
        is_its_own = self.live is not None and self.live.pid == self._pid
        failure = self.live.failure if self.live is not None and is_its_own else None
        if failure is None:
            said = _last_words(self.folder)
            return _ERRORS.get(code or 1, TranscriberError)(
                f"The recorder ended with code {code}. {said}".strip(), hint="Try again."
            )
        return _ERRORS.get(failure.code, TranscriberError)(failure.message, hint=failure.hint)


def holder(folder: Path) -> int | None:
    """The process that records into this folder now; 0 if it has not said its name."""
    try:
        handle = os.open(folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # there is none, or the disk is gone
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        note: Any = {}
        with suppress(msgspec.DecodeError):
            note = msgspec.json.decode(os.pread(handle, 4096, 0))
        return int(note["pid"]) if isinstance(note, dict) and note.get("doing") == "record" else 0
    finally:
        os.close(handle)
    return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait(supervisor: Supervisor) -> None:
    """Look after the take until it has ended. Raises the error that ended it."""
    while supervisor.look():
        time.sleep(LOOK_EVERY)


def _launch(request: Request) -> subprocess.Popen[bytes]:
    """Start a recorder in a session of its own: the terminal's signals and end do not reach it."""
    with live.meeting_point(request.folder, "log").open("wb") as messages:
        return subprocess.Popen(
            command(request),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            start_new_session=True,
        )


def _last_words(folder: Path) -> str:
    with suppress(OSError):
        return live.meeting_point(folder, "log").read_text("utf-8", errors="replace")[-2000:].strip()
    return ""


def _ended(folder: Path) -> str | None:
    """Why the session was ended on purpose; None while it runs, and if it broke off."""
    for event in reversed(journal.read(folder / recordings.EVENTS)):
        if event.get("event") in ("start", "resume", "lost"):
            return None
        if event.get("event") == "stop":
            return None if event.get("why") == "repair" else str(event.get("why"))
    return None


def _completed(request: Request) -> Request:
    """The request with the device that its session's journal names."""
    if not recordings.is_session(request.folder):
        return request
    known = _request_of(request.folder)
    return msgspec.structs.replace(
        request, device=known.device, host_api=known.host_api, rate_hz=known.rate_hz, channels=known.channels
    )


def _request_of(folder: Path) -> Request:
    """What a session was recorded with. Raises InputError if its journal does not say."""
    for event in journal.read(folder / recordings.EVENTS):
        if event.get("event") == "start":
            return Request(
                folder=folder,
                device=str(event["device"]),
                host_api=str(event["host_api"]),
                rate_hz=int(event["rate"]),
                channels=int(event["channels"]),
                bits=int(event["bits"]),
                segment_seconds=event["segment_frames"] / event["rate"],
            )
    raise InputError(
        f"The journal of {folder} does not say what was recorded.", hint="Close the files with: transcriber repair"
    )
