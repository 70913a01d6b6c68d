"""Shows a running take on stderr: lines for logs, or one line that stays in place on a terminal."""

from __future__ import annotations

import os
import re
import select
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

from transcriber.capture import display
from transcriber.capture.alarms import alarms
from transcriber.capture.clock import now
from transcriber.capture.live import Live

_PLAIN_EVERY = 5.0
_NUMBERS = re.compile(r"[\d:.]+")


class PlainView:
    """A line every few seconds, and at once when something goes wrong or is well again."""

    def __init__(self) -> None:
        self._due = 0.0
        self._wrong: tuple[str, ...] = ()

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, live: Live) -> str | None:
        """Show the take; there are no keys here."""
        moment = now()
        found = alarms(live, moment=moment)
        wrong = tuple(_NUMBERS.sub("", alarm.text) for alarm in found)
        if wrong == self._wrong and moment < self._due:
            return None
        if wrong != self._wrong:
            lines = [display.announce(alarm) for alarm in found] or ["all well again"]
            self._say(*lines)
        self._due, self._wrong = moment + _PLAIN_EVERY, wrong
        self._say(display.plain(live, moment=moment))
        return None

    def _say(self, *lines: str) -> None:
        with suppress(OSError):  # whoever reads this may be gone; the take goes on
            for line in lines:
                print(line, file=sys.stderr, flush=True)


class TerminalView:
    """The compact line with alarms under it; keys come back from `update`."""

    def __init__(self) -> None:
        self._line: Any = None
        self._typed: Any = None

    def __enter__(self) -> TerminalView:
        from rich.console import Console
        from rich.live import Live as InPlace

        self._line = InPlace(console=Console(stderr=True), auto_refresh=False, transient=False)
        self._line.__enter__()
        self._typed = _single_keys()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._typed is not None:
            import termios

            with suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._typed)
        with suppress(OSError):
            self._line.__exit__(kind, error, trace)

    def update(self, live: Live) -> str | None:
        """Show the take; gives the key that was pressed, if any."""
        from rich.text import Text

        moment = now()
        text = Text(display.compact(live, moment=moment), no_wrap=True, overflow="ellipsis")
        for alarm in alarms(live, moment=moment):
            style = "bold white on red" if alarm.severity == "red" else "black on yellow"
            text.append("\n").append(f" {alarm.text} ", style=style)
        with suppress(OSError):
            self._line.update(text, refresh=True)
        if self._typed is None or not select.select([sys.stdin], [], [], 0)[0]:
            return None
        with suppress(OSError):
            return os.read(sys.stdin.fileno(), 1).decode("ascii", errors="replace")
        return None


def _single_keys() -> Any:
    """Make the terminal give keys one by one; gives the setting to go back to, None without a terminal."""
    import termios
    import tty

    if not sys.stdin.isatty():
        return None
    try:
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
    except termios.error:
        return None
    return before
