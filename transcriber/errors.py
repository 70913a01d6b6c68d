"""Every error a user can meet, with its exit code.

    TranscriberError                1   something unexpected
    ├── UsageError                  2   the command's words do not fit together
    ├── InputError                  3   a recording or file is missing or unreadable
    ├── NoSpeechError               4   there is no usable audio, or nobody speaks
    ├── ModelError                  5   a model is missing or damaged
    ├── DeviceError                 6   the microphone or the compute device makes trouble
    ├── StorageError                7   the disk is full or not writable
    ├── PlanError                   8   a plan or a setting is invalid
    ├── BusyError                   9   another run holds the session
    ├── PartialFailure             10   some of several inputs failed, the rest are done
    └── Interrupted       130/143/129   SIGINT, SIGTERM, SIGHUP: what was finished is saved

A message says what happened; `hint` says what to do next, and the command line prints both.
"""

from __future__ import annotations


class TranscriberError(Exception):
    """An error with a sentence for the user and an exit code for scripts."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint


class UsageError(TranscriberError):
    exit_code = 2


class InputError(TranscriberError):
    exit_code = 3


class NoSpeechError(TranscriberError):
    exit_code = 4


class ModelError(TranscriberError):
    exit_code = 5


class DeviceError(TranscriberError):
    exit_code = 6


class StorageError(TranscriberError):
    exit_code = 7


class PlanError(TranscriberError):
    exit_code = 8


class BusyError(TranscriberError):
    exit_code = 9


class PartialFailure(TranscriberError):
    exit_code = 10


class Interrupted(TranscriberError):
    """Stopped by a signal; `exit_code` is 128 plus the signal's number."""

    def __init__(self, signal_number: int, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number
