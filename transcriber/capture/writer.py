"""Puts a take into its folder: blocks on the time line and into files, events into the journal.

The writer is one thread behind the callback's queue, and the only one that changes what the session holds. It never
waits for the disk to sync; that is `keeper`'s work.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from transcriber import recordings
from transcriber.capture.clock import boot_id, now
from transcriber.capture.keeper import Keeper, Sealed
from transcriber.capture.repair import seal_all
from transcriber.capture.segments import Reserve, Segment
from transcriber.capture.status import Status
from transcriber.capture.take import Command, Drift, Stop, Take, cause_of_end, zero_reading
from transcriber.capture.timeline import SETTLE, Block, Silence, Timeline
from transcriber.errors import StorageError, TranscriberError
from transcriber.journal import Journal

_CLOCK_EVERY = 60.0
_LONGEST_ABSENCE = 12 * 3600.0  # more was not an interruption of an event, or the wall clock is wrong
_TAIL_LIMIT = 0.6  # how long a stop waits for the sound up to its moment


class Writer(threading.Thread):
    """Turns the queue's blocks, commands and stop into the session folder; ends after a stop or a failure."""

    def __init__(self, take: Take, inbox: queue.SimpleQueue[Any], status: Status) -> None:
        super().__init__(name="writer", daemon=True)
        self.take = take
        self.inbox = inbox
        self.status = status
        self.segment: Segment | None = None
        self.journal: Journal | None = None
        self.timeline: Timeline | None = None
        self.reserve = Reserve(take.folder, n_bytes=take.segment_frames * take.form.frame_bytes)
        self.keeper = Keeper(take.folder, take.form, reserve=self.reserve, status=status, tell=inbox.put)
        self._number = 0
        self._ending: Stop | None = None
        self._next_level: float | None = None
        self._next_clock = 0.0
        self._drift = Drift()

    def run(self) -> None:
        try:
            if recordings.is_session(self.take.folder):
                self._resume()
            self.keeper.start()
            while not self._is_over():
                with suppress(queue.Empty):
                    self._handle(self.inbox.get(timeout=0.1))
                self._tick()
            self._finish()
        except TranscriberError as error:
            self._fail(error)
        except Exception:
            self.status.crash = traceback.format_exc()
            self._fail(None)

    # ---- the queue

    def _handle(self, item: Any) -> None:
        if isinstance(item, Block):
            self._block(item)
        elif isinstance(item, Command):
            self._command(item)
        elif isinstance(item, Stop):
            self._ending = self._ending or item
        elif isinstance(item, Sealed):
            self._sealed(item)
        elif isinstance(item, TranscriberError):
            raise item

    def _sealed(self, item: Sealed) -> None:
        record = {"event": "sealed", "file": item.file, "frames": item.n_frames, "sha256": item.sha256}
        if not item.is_good:
            self.status.notices["damage"] = f"{item.file} reads back from the disk other than it was written"
            record["damaged"] = True
        self.note(record)

    def _block(self, block: Block) -> None:
        if self.timeline is None:
            self.timeline = Timeline(rate_hz=self.take.form.rate_hz, burst=self.take.burst)
            self._start(block)
        self.status.overflows += block.overflow
        for piece in self.timeline.feed(block):
            self._place(piece)
        self.status.fresh_sound.append(block.pcm)

    def _place(self, piece: Block | Silence) -> None:
        if isinstance(piece, Silence):
            self.note({"event": "gap", "at": self.status.frames, "frames": piece.n_frames, "cause": piece.cause})
            self.status.gaps += 1
            self.status.lost += piece.n_frames / self.take.form.rate_hz
            self._fill(piece.n_frames, lambda segment, start, n: segment.silence(n))
            return
        frame_bytes = self.take.form.frame_bytes
        pcm = memoryview(piece.pcm)
        self._fill(
            piece.n_frames,
            lambda segment, start, n: self._write(segment, pcm[start * frame_bytes : (start + n) * frame_bytes]),
        )

    def _fill(self, n_frames: int, put: Callable[[Segment, int, int], None]) -> None:
        """Put frames into as many files as they take, up to the take's own end."""
        if self.take.n_frames is not None:
            n_frames = min(n_frames, self.take.n_frames - self.status.frames)
        done = 0
        while done < n_frames:
            segment = self._room()
            part = min(n_frames - done, self.take.segment_frames - segment.n_frames)
            try:
                put(segment, done, part)
            finally:
                self.status.frames = segment.end
            done += part

    def _write(self, segment: Segment, pcm: memoryview) -> None:
        before = segment.n_frames
        try:
            segment.write(pcm)
        except StorageError:
            if not self.reserve.drop():
                raise
            self.status.notices["disk"] = "the disk is full: recording into the last of the reserved space"
            segment.write(pcm[(segment.n_frames - before) * self.take.form.frame_bytes :])

    def _room(self) -> Segment:
        """The file that takes the next frame."""
        if self.segment is not None and self.segment.n_frames < self.take.segment_frames:
            return self.segment
        if self.segment is not None:
            self.keeper.retire(self.segment)
        self._number += 1
        self.reserve.prepare()
        path = self.take.folder / f"{self._number:04}.wav"
        handle = self.reserve.take(path, self.take.form.header())
        self.segment = self.keeper.segment = Segment(path, self.take.form, at=self.status.frames, handle=handle)
        self.note({"event": "segment", "file": path.name, "at": self.segment.at})
        return self.segment

    # ---- the journal

    def note(self, record: dict[str, Any], *, sync: bool = False) -> None:
        """Add an event (the keeper syncs it within a second); trouble with the journal is shown, but sound goes on."""
        if self.journal is None:
            return
        try:
            self.journal.append(record, sync=sync)
        except StorageError as error:
            self.status.notices["journal"] = f"events are not being kept: {error.message}"

    def _start(self, block: Block) -> None:
        """The first sound of a new session: only now does it get a journal."""
        self.journal = Journal(self.take.folder / recordings.EVENTS)
        zero_at = block.heard - block.n_frames / self.take.form.rate_hz
        began = datetime.fromtimestamp(time.time() - (now() - zero_at)).astimezone()
        self.note(
            {
                "event": "start",
                "at": 0,
                "started_at": began.isoformat(timespec="milliseconds"),
                **self._origin(zero_at),
                "device": self.take.device,
                "host_api": self.take.host_api,
                "rate": self.take.form.rate_hz,
                "channels": self.take.form.channels,
                "bits": self.take.form.bits,
                "segment_frames": self.take.segment_frames,
            }
        )

    def _origin(self, zero_at: float) -> dict[str, Any]:
        """When frame 0 was heard: by this boot's clock, and by the wall's for a recorder after a reboot."""
        return {"zero": round(zero_at, 6), "boot": boot_id(), "zero_wall": time.time() - (now() - zero_at)}

    def _resume(self) -> None:
        """Go on where another recorder ended: close its files and take over its clock."""
        seal_all(self.take.folder)
        self.journal = Journal(self.take.folder / recordings.EVENTS)
        past = self.journal.records
        self._count_past(past)
        position, zero_at = self.status.frames, zero_reading(past)
        if now() - zero_at - position / self.take.form.rate_hz > _LONGEST_ABSENCE:
            zero_at = now() - position / self.take.form.rate_hz
            self.status.notices["clock"] = "how long this session was broken off is not known: no silence was put in"
        self.timeline = Timeline(
            rate_hz=self.take.form.rate_hz,
            burst=self.take.burst,
            position=position,
            zero_at=zero_at,
            cause=cause_of_end(past),
        )
        self.status.heard_until = self.timeline.reach
        self.note({"event": "resume", "at": position, **self._origin(zero_at), "wall": time.time()})
        past.clear()

    def _count_past(self, past: list[dict[str, Any]]) -> None:
        """How far the session has come; whatever is wrong with its folder, a take goes on."""
        paths = recordings.segment_paths(self.take.folder)
        self._number = int(paths[-1].stem) if paths else 0
        self.status.restarts = 1 + sum(record.get("event") == "resume" for record in past)
        try:
            session = recordings.load(self.take.folder)
        except TranscriberError as error:
            if paths:
                self.status.notices["folder"] = error.message
            noted = [record["at"] for record in past if isinstance(record.get("at"), int)]
            self.status.frames = max(noted, default=0)
            return
        self.status.frames = self.status.synced = session.n_samples or 0
        self.status.synced_at = now()
        self.status.gaps = len(session.gaps)
        self.status.lost = sum(gap.end - gap.start for gap in session.gaps)

    def _command(self, command: Command) -> None:
        if self.timeline is None or self.timeline.zero_at is None:
            command.reply({"error": "nothing has been recorded yet"})
            return
        at = max(0, round((command.at - self.timeline.zero_at) * self.take.form.rate_hz))
        self.note({**command.event, "at": at})
        self.keeper.hurry()
        command.reply({"at": at / self.take.form.rate_hz})

    def _tick(self) -> None:
        """Once a second the level, once a minute the clock; for the first time when frame 0 has found its true time."""
        moment = now()
        if self.timeline is None or self.timeline.zero_at is None or self.segment is None:
            return
        if self._next_level is None:
            self._next_level = moment + SETTLE
        if moment < self._next_level:
            return
        self._next_level = moment + 1.0
        levels = [
            [round(state["peak_db"], 1), round(state["rms_db"], 1), state["clips"]] for state in self.status.meter
        ]
        zero_at = self.timeline.zero_at
        record = {"event": "level", "at": self.status.frames, "zero": round(zero_at, 6), "levels": levels}
        self.note(record | ({"overflows": self.status.overflows} if self.status.overflows else {}))
        if moment >= self._next_clock:
            self._next_clock = moment + _CLOCK_EVERY
            self.status.ppm = self._drift.ppm(moment, zero_at)
            self.note({"event": "clock", "at": self.status.frames, **self._origin(zero_at), "ppm": self.status.ppm})

    # ---- the end

    def _is_over(self) -> bool:
        if self.take.n_frames is not None and self.status.frames >= self.take.n_frames:
            self._ending = self._ending or Stop(event="stop", why="the time asked for is over", at=None)
            return True
        if self._ending is None:
            return False
        if self._ending.at is None:
            return self.inbox.empty()
        reached = self.timeline.reach if self.timeline else 0.0
        return reached >= self._ending.at or now() > self._ending.at + _TAIL_LIMIT

    def _finish(self) -> None:
        assert self._ending is not None
        if self.timeline is not None:
            for piece in self.timeline.flush():
                self._place(piece)
        self._close(self._ending.why, event=self._ending.event)

    def _close(self, why: str, *, event: str) -> None:
        """Seal all files, then note the end."""
        self.keeper.end()
        self.reserve.drop()
        if self.segment is not None:
            self._sealed(self.keeper.seal(self.segment))
            self.segment = None
        with suppress(queue.Empty):
            while True:
                item = self.inbox.get_nowait()
                if isinstance(item, (Sealed, Command)):
                    self._handle(item)
        self.note({"event": event, "at": self.status.frames, "why": why, "wall": time.time()}, sync=True)
        if self.journal is not None:
            self.journal.close()
        self.status.why = why

    def _fail(self, error: TranscriberError | None) -> None:
        """The disk refuses, or a fault of our own: keep what was accepted, then say so."""
        try:
            self._close(error.message if error else "the recorder failed", event="lost")
        except TranscriberError as second:
            self.status.notices["damage"] = second.message
        self.status.failure = error
