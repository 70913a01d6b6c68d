"""`transcriber record`: record until stopped, follow a running take, or tell it something."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, get_args

import typer

from transcriber import recordings, workspace
from transcriber.capture import display, live
from transcriber.capture.repair import repair_left
from transcriber.capture.request import Request
from transcriber.capture.supervisor import LOOK_EVERY, Supervisor, holder, wait
from transcriber.capture.view import PlainView, TerminalView
from transcriber.datatypes import PhaseKind
from transcriber.errors import DeviceError, InputError, Interrupted, UsageError
from transcriber.timecode import clock, parse_offset

EXAMPLES = {
    "record": "\b\nExamples:\n"
    "  transcriber record panel-17h                          until Ctrl-C, from the input used last\n"
    "  transcriber record panel-17h --device 'USB' --flac    from the input with USB in its name\n"
    "  transcriber record --mark 'good point'                into the running recording, from elsewhere\n"
    "  transcriber record panel-17h --attach                 take it back after the terminal died"
}

BITS = (16, 24)


def record(
    name: Annotated[
        str | None, typer.Argument(help="The session's name; the date and time if there is none.", show_default=False)
    ] = None,
    *,
    device: Annotated[
        str | None,
        typer.Option(help="The input: part of its name, see `transcriber devices`. Remembered.", show_default=False),
    ] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="How many channels (all of them if not said).")] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="Sample rate in Hz (the device's own if not said).")] = None,
    bits: Annotated[int, typer.Option(help="16, or 24 where the device has them.")] = 16,
    segment_minutes: Annotated[float, typer.Option(min=0.01, max=60, help="Length of one sound file.")] = 10.0,
    duration: Annotated[
        str | None, typer.Option(help="Stop by itself after this time: 1:30:00 or 90s.", show_default=False)
    ] = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Follow a running recording, or go on with one that broke off.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End a running recording.")] = False,
    mark: Annotated[str | None, typer.Option(help="Put a marker into a running recording.", show_default=False)] = None,
    phase: Annotated[
        str | None,
        typer.Option(help="Say what begins in a running recording: KIND or KIND:TITLE.", show_default=False),
    ] = None,
    flac: Annotated[bool, typer.Option("--flac", help="Make FLAC copies too, once they are proven exact.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Status as lines of text, for logs.")] = False,
) -> None:
    """Record a session until Ctrl-C, into recordings/NAME.

    The recording is a process of its own: it goes on if this terminal dies, and --attach takes it back.
    On a terminal, m sets a marker and q stops.
    """
    if attach + stop + (mark is not None) + (phase is not None) > 1:
        raise UsageError("--attach, --stop, --mark and --phase exclude each other.", hint="Give one of them.")
    if mark is not None:
        return _tell(_running(name), {"event": "marker", "label": mark})
    if phase is not None:
        return _tell(_running(name), _phase(phase))
    if stop:
        return _stop(_running(name))
    if attach:
        folder = _running(name) if name is None else _folder(name)
        return _look_after(lambda: Supervisor.attach(folder), plain=plain, flac=flac)
    if bits not in BITS:
        raise UsageError(f"{bits} bits are not possible.", hint="Choose 16 or 24.")
    request = Request(
        folder=_folder(name or f"{datetime.now():%Y-%m-%d-%H%M%S}"),
        device=device,
        rate_hz=rate,
        channels=channels,
        bits=bits,
        segment_seconds=segment_minutes * 60,
        duration=None if duration is None else parse_offset(duration),
    )
    _look_after(lambda: _start(request), plain=plain, flac=flac)


def _start(request: Request) -> Supervisor:
    """Begin the take; then there is time to close what an earlier one left open."""
    supervisor = Supervisor.start(request)
    for folder in repair_left(workspace.recordings()):
        print(f"{folder.name} had broken off: its files are closed now.", file=sys.stderr)
    return supervisor


def _folder(name: str) -> Path:
    """A name is a folder in recordings/; a path is taken as it is."""
    return Path(name) if "/" in name else workspace.recordings() / workspace.safe_name(name)


def _running(name: str | None) -> Path:
    """The named session, or the only one that is running."""
    if name is not None:
        folder = _folder(name)
        if holder(folder) is None:
            raise InputError(f"{folder.name} is not being recorded.", hint="See recordings/ for what there is.")
        return folder
    found = [path.parent for path in workspace.recordings().glob("*/.lock") if holder(path.parent)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(path.name for path in found)) or "none"
    raise InputError(f"Which recording? Running: {names}.", hint="Give its name.")


def _phase(words: str) -> dict[str, object]:
    kind, _, title = words.partition(":")
    if kind not in get_args(PhaseKind):
        raise UsageError(f"{kind!r} is no kind of phase.", hint=f"Choose one of: {', '.join(get_args(PhaseKind))}.")
    return {"event": "phase", "kind": kind, "title": title.strip()}


def _tell(folder: Path, event: dict[str, object]) -> None:
    reply = live.send(folder, event)
    if "error" in reply:
        raise DeviceError(f"Not noted: {reply['error']}.", hint="Try again when sound comes in.")
    print(f"{folder.name} {clock(float(reply['at']))} {event.get('label') or event.get('kind')}")


def _stop(folder: Path) -> None:
    supervisor = Supervisor.attach(folder)
    supervisor.stop()
    wait(supervisor)
    print(folder)


# ---- looking after a take


def _look_after(begin: Callable[[], Supervisor], *, plain: bool, flac: bool) -> None:
    """Begin, show the take until it has ended, and report. Signals are minded from before it begins."""
    with _signals() as received:
        supervisor = begin()
        view = PlainView() if plain or not sys.stderr.isatty() else TerminalView()
        with view:
            while supervisor.look():
                if received and (received[0] == signal.SIGHUP or len(received) > 1):
                    _leave(supervisor, received[-1])
                if received and not supervisor.is_stopping:
                    supervisor.stop()
                if supervisor.live is not None:
                    _obey(view.update(supervisor.live), supervisor)
                time.sleep(LOOK_EVERY)
        _report(supervisor, flac=flac)
    if received:
        kept = (
            f"everything is in {supervisor.folder}" if recordings.is_session(supervisor.folder) else "nothing came in"
        )
        raise Interrupted(
            received[0], f"Stopped; {kept}.", hint=f"Transcribe a session with: transcriber run {supervisor.folder}"
        )


def _obey(key: str | None, supervisor: Supervisor) -> None:
    if key == "q" and not supervisor.is_stopping:
        supervisor.stop()
    elif key == "m":
        with suppress(DeviceError):
            live.send(supervisor.folder, {"event": "marker", "label": "marker"})


def _leave(supervisor: Supervisor, number: int) -> None:
    """Go without ending the take: the terminal is gone, or the user will not wait for its files to be closed."""
    name = supervisor.folder.name
    what = "is being closed" if supervisor.is_stopping else "goes on"
    raise Interrupted(number, f"The recording {name} {what}.", hint=f"See: transcriber record {name} --attach")


def _report(supervisor: Supervisor, *, flac: bool) -> None:
    if not recordings.is_session(supervisor.folder):
        return
    with suppress(InputError):  # it ended before its first sound
        print(display.outcome(recordings.load(supervisor.folder)), file=sys.stderr)
    if flac:
        from transcriber.capture.flac import copy_session

        copy_session(supervisor.folder)
    print(supervisor.folder)


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The stop signals that came in, in order."""
    received: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
