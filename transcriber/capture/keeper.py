"""What may wait for the disk, in a thread of its own: syncing, sealing finished files, reserving space."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from transcriber.capture.clock import now
from transcriber.capture.segments import PcmFormat, Reserve, Segment, reserve_space, sync_data
from transcriber.capture.status import Status
from transcriber.errors import TranscriberError
from transcriber.recordings import EVENTS
from transcriber.workspace import storage_error

SYNC_EVERY = 0.8
_JOURNAL_RESERVE = 1 << 18  # half an hour of events


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is closed for good; `sha256` is of its sound alone."""

    file: str
    n_frames: int
    sha256: str
    is_good: bool


class Keeper:
    """Syncs `segment` and the journal every second; reports sealed files and trouble through `tell`."""

    def __init__(
        self, folder: Path, form: PcmFormat, *, reserve: Reserve, status: Status, tell: Callable[[object], None]
    ) -> None:
        self.segment: Segment | None = None
        self._folder = folder
        self._form = form
        self._reserve = reserve
        self._status = status
        self._tell = tell
        self._retired: queue.SimpleQueue[Segment] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._is_ending = False
        self._journal: int | None = None
        self._journal_reserved = 0
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def retire(self, segment: Segment) -> None:
        """Seal this file soon; the caller writes to it no more."""
        self._retired.put(segment)
        self._wake.set()

    def hurry(self) -> None:
        """Sync now rather than within a second."""
        self._wake.set()

    def end(self) -> None:
        """Finish what was given and end."""
        self._is_ending = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def seal(self, segment: Segment) -> Sealed:
        """Close a file for good and check it. Raises StorageError."""
        is_good = segment.seal()
        self._status.synced, self._status.synced_at = segment.end, now()
        return Sealed(file=segment.path.name, n_frames=segment.n_frames, sha256=segment.sha256, is_good=is_good)

    def _run(self) -> None:
        try:
            while not self._is_ending:
                self._round()
                self._wake.wait(SYNC_EVERY)
                self._wake.clear()
            self._seal_retired()
        except TranscriberError as error:
            self._tell(error)
        except OSError as error:
            self._tell(storage_error(error, self._folder))

    def _round(self) -> None:
        self._seal_retired()
        if self.segment is not None and self.segment.handle >= 0:
            moment = now()
            self._status.synced, self._status.synced_at = self.segment.sync(), moment
            self._reserve.prepare()
        self._keep_journal()
        self._measure_space()

    def _seal_retired(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._tell(self.seal(self._retired.get_nowait()))

    def _keep_journal(self) -> None:
        """Sync the journal, and have space for what it will take on a disk that others fill up."""
        if self._journal is None:
            with suppress(FileNotFoundError):
                self._journal = os.open(self._folder / EVENTS, os.O_RDWR | os.O_CLOEXEC)
        if self._journal is None:
            return
        size = os.fstat(self._journal).st_size
        if size + _JOURNAL_RESERVE // 2 > self._journal_reserved:
            self._journal_reserved = size + _JOURNAL_RESERVE
            reserve_space(self._journal, self._journal_reserved)
        sync_data(self._journal)

    def _measure_space(self) -> None:
        """The seconds of sound the disk still takes: what is free, and what is ours already."""
        disk = os.statvfs(self._folder)
        n_bytes = disk.f_bavail * disk.f_frsize + self._reserve.held_bytes()
        if self.segment is not None and self.segment.handle >= 0:
            found = os.fstat(self.segment.handle)
            n_bytes += max(0, found.st_blocks * 512 - found.st_size)
        self._status.free = n_bytes / self._form.byte_rate
