"""The capture process: microphone in, session folder out. It needs nobody, and goes on when its starter dies.

The driver's callback copies and queues, nothing else. The main thread only watches: a driver that stops delivering,
or hangs where no call returns, is answered by starting this program anew in place (exec ends every thread), with
the time that passes filled by silence.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

import msgspec

from transcriber import recordings
from transcriber.capture import devices
from transcriber.capture.clock import now
from transcriber.capture.live import Failure, Feed, Listener, Live, State, answer
from transcriber.capture.meter import follow
from transcriber.capture.repair import leave_nothing
from transcriber.capture.request import Request, restart
from transcriber.capture.segments import PcmFormat
from transcriber.capture.sink import Sink
from transcriber.capture.status import Status
from transcriber.capture.take import Command, Stop, Take
from transcriber.capture.timeline import Block, bursts
from transcriber.capture.writer import Writer
from transcriber.errors import DeviceError

BLOCK = 0.02
_SEGMENT_BYTES = (1 << 31) - (1 << 16)  # some readers take a WAV file's size for a signed number
_BEAT = 0.1
_RETRY = 0.25
_FIRST_SOUND = 5.0  # PipeWire may need a second; without a session it never delivers
_OPEN_LIMIT = 5.0
_PATIENCE = 1.0
_SERVER_PATIENCE = 4.0  # a sound server that stands still for a while hands over afterwards what it has kept
_ABORT_LIMIT = 0.3


class Lost(Exception):
    """The device delivers no more, or cannot be opened; another try may help."""


class Recorder:
    """One life of the capture process: from finding the device to the last sealed file."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.status = Status()
        self.sink = Sink()
        self.feed = Feed(request.folder)
        self.state: State = "opening"
        self.since = now()
        self.stream: Any = None
        self.heard: float | None = None
        self.patience = _PATIENCE
        self.is_finished = False
        self.writer: Writer
        self.stop_wish: float | None = None

    def run(self) -> None:
        """Record until the end. Raises Lost, TranscriberError."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_term)
        self.publish()
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        if recordings.is_session(self.request.folder):
            self._go_on()
        else:
            self._begin()
        self._watch()

    # ---- opening

    def _begin(self) -> None:
        """A new session: nothing is written before its device delivers."""
        with self._guard(self._give_up):
            sounddevice = devices.portaudio()
            device = self._choose(devices.inputs(sounddevice))
            self.request = msgspec.structs.replace(
                self.request,
                device=device.name,
                host_api=device.host_api,
                rate_hz=self.request.rate_hz or device.own_rate_hz,
                channels=self.request.channels or device.own_channels,
            )
            self._open(device)
        self._write()

    def _go_on(self) -> None:
        """A session that broke off: wait for its very device for as long as it takes."""
        self._write()
        self._say("waiting")
        while self.stop_wish is None:
            self.since = self.status.heard_until or self.since
            self.publish()
            with suppress(DeviceError), self._guard(partial(restart, self.request)):
                found = devices.inputs(devices.portaudio())
                device = devices.same_device(found, self.take.device, host_api=self.take.host_api)
                if device is not None:
                    return self._open(device)
            time.sleep(_RETRY)
            with self._guard(partial(restart, self.request)):
                devices.refresh()
        return None

    @contextmanager
    def _guard(self, when_hung: Callable[[], None]) -> Iterator[None]:
        """Some calls into a driver or a sound server never return."""
        guard = threading.Timer(_OPEN_LIMIT, when_hung)
        guard.daemon = True
        guard.start()
        try:
            yield
        finally:
            guard.cancel()

    def _give_up(self) -> None:
        hint = "Restart the sound system, or plug the device in anew."
        message = f"The driver of {self.request.device or 'the sound inputs'} does not answer."
        self.end(Failure(code=DeviceError.exit_code, message=message, hint=hint))
        leave_nothing(self.request.folder)
        os._exit(DeviceError.exit_code)

    def _choose(self, found: list[devices.InputDevice]) -> devices.InputDevice:
        name, host_api = self.request.device, self.request.host_api
        if name is None and (before := devices.remembered()):
            name, host_api = before.name, before.host_api
        if name is None or host_api is None:
            return devices.choose(found, name)
        same = devices.same_device(found, name, host_api=host_api)
        return same or devices.choose(found, f"{name} ({host_api})")

    def _open(self, device: devices.InputDevice) -> None:
        """Start the stream. Raises DeviceError."""
        sounddevice, form = devices.portaudio(), self.take.form
        self.patience = _SERVER_PATIENCE if device.is_virtual else max(_PATIENCE, 4 * bursts(self.request.latency))
        try:
            self.stream = sounddevice.RawInputStream(
                device=device.index,
                samplerate=form.rate_hz,
                channels=form.channels,
                dtype=f"int{form.bits}",
                blocksize=round(form.rate_hz * BLOCK),
                latency=self.request.latency,
                callback=self._callback(),
                finished_callback=self._finished,
            )
            self.stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            rates_hz = devices.possible_rates(sounddevice, device)
            raise devices.wrong_settings(device, error, rates_hz=rates_hz) from error

    @property
    def take(self) -> Take:
        """What is recorded, once the device is known."""
        request = self.request
        rate_hz = request.rate_hz or 0
        form = PcmFormat(rate_hz=rate_hz, channels=request.channels or 0, bits=request.bits)
        segment_frames = min(round(request.segment_seconds * rate_hz), _SEGMENT_BYTES // max(1, form.frame_bytes))
        return Take(
            folder=request.folder,
            form=form,
            device=request.device or "",
            host_api=request.host_api or "",
            segment_frames=max(1, segment_frames),
            n_frames=None if request.duration is None else round(request.duration * rate_hz),
            burst=bursts(request.latency),
        )

    def _write(self) -> None:
        take = self.take
        self.writer = Writer(take, self.inbox, self.status)
        self.writer.start()
        follow(self.status, take.form)

    def _callback(self) -> Any:
        put = self.inbox.put

        def heard(indata: Any, n_frames: int, _: Any, status: Any) -> None:
            self.heard = moment = now()
            put(Block(moment, n_frames, bytes(indata), bool(status.input_overflow)))

        return heard

    def _finished(self) -> None:
        """Some drivers say that a stream has ended; most just stop delivering."""
        self.is_finished = True

    # ---- watching

    def _watch(self) -> None:
        """Look after the stream until the writer has everything on the disk. Raises Lost, TranscriberError."""
        loss = self._wait_for_end()
        if loss is not None:
            self.inbox.put(Stop(event="lost", why=loss, at=None))
        while self.writer.is_alive():
            self.publish()
            self.writer.join(_BEAT)
        if self.status.failure is not None:
            raise self.status.failure
        if self.status.crash is not None:
            raise Lost(self.status.crash)
        if loss is not None:
            raise Lost(loss)

    def _wait_for_end(self) -> str | None:
        """Until the take's end; says why if it is the device's doing."""
        opened = looked = now()
        while self.writer.is_alive():
            time.sleep(_BEAT)
            self.publish()
            if self.stop_wish is not None:
                self.inbox.put(Stop(event="stop", why="stopped", at=self.stop_wish))
                return None
            moment = now()
            if moment - looked > self.patience / 2:  # it was this process that stood still, not the device
                opened = moment
            looked = moment
            if self.heard is None:
                if moment - opened > _FIRST_SOUND:
                    return f"{self.request.device} delivers no sound"
            elif moment - max(self.heard, opened) > self.patience or self.is_finished:
                return "the microphone was unplugged or its driver stopped"
            elif self.state != "recording":
                self._say("recording")
        return None

    def _listen(self) -> None:
        listener = Listener(self.request.folder)
        while True:
            with suppress(OSError):
                if (received := listener.next()) is None:
                    continue
                caller, event = received
                if event.get("event") == "stop":
                    self.stop_wish = self.stop_wish or now()
                    answer(caller, {"pid": os.getpid()})
                else:
                    self.inbox.put(Command(event=event, at=now(), reply=partial(answer, caller)))

    def _on_term(self, _: int, __: FrameType | None) -> None:
        self.stop_wish = self.stop_wish or now()

    # ---- telling

    def _say(self, state: State) -> None:
        self.state, self.since = state, now()

    def publish(self, failure: Failure | None = None) -> None:
        request, status = self.request, self.status
        self.feed.publish(
            Live(
                pid=os.getpid(),
                state=self.state,
                beat=now(),
                since=self.since,
                device=request.device or "",
                host_api=request.host_api or "",
                rate_hz=request.rate_hz or 0,
                n_channels=request.channels or 0,
                bits=request.bits,
                frames=status.frames,
                synced=status.synced,
                synced_at=status.synced_at,
                heard=self.heard,
                gaps=status.gaps,
                lost=status.lost,
                restarts=status.restarts,
                backlog=self.inbox.qsize(),
                free=status.free,
                ppm=status.ppm,
                meter=msgspec.Raw(msgspec.json.encode(status.meter)),
                notices=tuple(status.notices.values()),
                failure=failure,
            )
        )

    def end(self, failure: Failure | None) -> None:
        self._say("ended")
        self.publish(failure)
        if self.stream is not None:  # neither abort nor stop need return, see the driver's faults
            abort = threading.Thread(target=self.stream.abort, daemon=True)
            abort.start()
            abort.join(_ABORT_LIMIT)
