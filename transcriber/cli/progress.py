"""How far a run is: a moving bar on a terminal, a line now and then in a log. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from transcriber.timecode import clock

if TYPE_CHECKING:
    from transcriber.pipeline import ReportProgress
    from transcriber.transcription.transcribe import Progress

LINE_EVERY_S = 30.0  # in a log


class _Pace:
    """Estimates the time left from what was computed in this run; chunks from the journal cost nothing."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._done_before = 0.0

    def left(self, progress: Progress, total: float | None) -> float | None:
        if progress.n_chunks == progress.n_resumed:
            self._begun, self._done_before = time.monotonic(), progress.done
            return None
        computed = progress.done - self._done_before
        if total is None or computed <= 0:
            return None
        return max(0.0, total - progress.done) * (time.monotonic() - self._begun) / computed


@contextmanager
def showing(title: str) -> Iterator[ReportProgress]:
    """Shows what is reported while the block runs, and says at its end what a former run had done."""
    latest: Progress | None = None
    with _bar(title) if sys.stderr and sys.stderr.isatty() else nullcontext(_lines(title)) as show:

        def report(progress: Progress, total: float | None) -> None:
            nonlocal latest
            latest = progress
            show(progress, total)

        yield report
    if latest and latest.n_resumed:
        print(f"{latest.n_resumed} of {latest.n_chunks} chunks were done by a former run", file=sys.stderr)


@contextmanager
def _bar(title: str) -> Iterator[ReportProgress]:
    from rich import progress as rich_progress
    from rich.console import Console

    pace = _Pace()
    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TextColumn("{task.fields[left]}"),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, left="loading the model")

        def report(progress: Progress, total: float | None) -> None:
            left = pace.left(progress, total)
            shown = f"{clock(progress.done)} done" + (f", {clock(left)} left" if left is not None else "")
            bar.update(task, completed=progress.done, total=total, left=shown)

        yield report


def _lines(title: str) -> ReportProgress:
    pace = _Pace()
    last = time.monotonic()

    def report(progress: Progress, total: float | None) -> None:
        nonlocal last
        left = pace.left(progress, total)
        if time.monotonic() - last < LINE_EVERY_S:
            return
        last = time.monotonic()
        share = f" ({progress.done / total:.0%})" if total else ""
        eta = f", about {clock(left)} left" if left is not None else ""
        print(f"{title}: {clock(progress.done)} done{share}{eta}", file=sys.stderr, flush=True)

    return report
