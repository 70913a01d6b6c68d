"""A bounded end for what a driver writes to stderr: 200,000 lines a second when a device is gone, kept off the disk."""

from __future__ import annotations

import os
import threading

_KEPT_BYTES = 2000


class Sink:
    """Takes over the process's stderr and keeps only its last words."""

    def __init__(self) -> None:
        read_end, write_end = os.pipe()
        os.dup2(write_end, 2)
        os.close(write_end)
        self._last = b""
        threading.Thread(target=self._drain, args=(read_end,), name="sink", daemon=True).start()

    @property
    def last_words(self) -> str:
        return self._last.decode("utf-8", errors="replace").strip()

    def _drain(self, read_end: int) -> None:
        while data := os.read(read_end, 1 << 16):
            self._last = (self._last + data)[-_KEPT_BYTES:]
