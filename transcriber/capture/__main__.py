"""`python -m transcriber.capture REQUEST`: the capture process, told by a JSON `Request`."""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from transcriber import recordings
from transcriber.capture.clock import now
from transcriber.capture.live import Failure
from transcriber.capture.recorder import Lost, Recorder
from transcriber.capture.repair import close_session, leave_nothing
from transcriber.capture.request import parse, restart
from transcriber.errors import BusyError, DeviceError, TranscriberError
from transcriber.workspace import session_lock

_LOCK_LIMIT = 2.0
_CRASH_PAUSE = 1.0


def main() -> int:
    """Record what the request says; the exit code is that of the error, which the feed tells in words."""
    request = parse(sys.argv[1])
    try:
        with _lock(request.folder):
            return _record(Recorder(request))
    except TranscriberError as error:  # the session is not ours: its feed belongs to who holds it
        print(error, file=sys.stderr)
        return error.exit_code


def _record(recorder: Recorder) -> int:
    try:
        failure = _live(recorder)
    except TranscriberError as error:
        failure = Failure(code=error.exit_code, message=error.message, hint=error.hint)
    except Exception:
        failure = Failure(code=1, message=traceback.format_exc(), hint="Please report this.")
    recorder.end(failure)
    leave_nothing(recorder.request.folder)
    return failure.code if failure else 0


def _live(recorder: Recorder) -> Failure | None:
    """Run to the end of the take, or, where its device is lost, become the recorder that waits for it."""
    folder = recorder.request.folder
    try:
        recorder.run()
    except Lost as loss:
        if not recordings.is_session(folder):
            return Failure(code=DeviceError.exit_code, message=f"{loss}.", hint="Try another: transcriber devices")
        if recorder.stop_wish is None:
            if recorder.status.crash:
                time.sleep(_CRASH_PAUSE)
            restart(recorder.request)
        close_session(folder, why="stopped")
    return None


def _lock(folder: Path) -> ExitStack:
    """The session's lock; a look at it by another process may hold it for a moment. Raises BusyError."""
    deadline = now() + _LOCK_LIMIT
    while True:
        stack = ExitStack()
        try:
            stack.enter_context(session_lock(folder, doing="record"))
            return stack
        except BusyError:
            if now() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    code = main()
    os._exit(code)  # a normal exit would call into a driver that may never return
