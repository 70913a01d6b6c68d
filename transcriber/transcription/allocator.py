"""glibc's allocator, set so that the encoder's large scratch buffers are reused instead of returned to the kernel.

By default glibc maps each buffer over 32 MiB anew and unmaps it after use; Whisper's encoder then spends a third of its
time in page faults. The output is identical. `TRANSCRIBER_ALLOCATOR=system` leaves everything as it is.
"""

from __future__ import annotations

import ctypes
import os
import platform
from contextlib import suppress

# From <malloc.h>
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def tune_allocator() -> bool:
    """Tune before the model is loaded; true if that was done (Linux with glibc, not switched off)."""
    if os.environ.get("TRANSCRIBER_ALLOCATOR") == "system" or platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1, _M_ARENA_MAX: 1}
    return all([mallopt(option, value) for option, value in settings.items()])


def release() -> None:
    """Give memory that is not used any more back to the system: what the engine held is much."""
    if platform.libc_ver()[0] == "glibc":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
