"""Where to compute, in which precision, with how many workers and threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

from transcriber.errors import DeviceError

MAX_WORKERS = 4  # each holds scratch memory of its own


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and how fast to compute. Workers decode batches side by side; neither they nor threads change the words."""

    device: str
    compute_type: str
    workers: int = 1
    threads: int = 1  # per worker


def plan_compute(device: str, compute_type: str, *, n_threads: int = 0) -> Compute:
    """What to use for "auto": the GPU if there is one, the fastest precision it supports; all cores if n_threads is 0.

    On a CPU several workers of few threads beat one of many, since much of decoding does not split.
    """
    import ctranslate2

    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if compute_type == "auto":
        wanted = ("float16", "int8_float16", "float32") if device == "cuda" else ("int8", "float32")
        try:
            supported = ctranslate2.get_supported_compute_types(device)
        except (ValueError, RuntimeError) as error:
            raise DeviceError(f"There is no device {device!r} here: {error}.", hint="Try --device cpu.") from error
        compute_type = next(name for name in wanted if name in supported)
    cores = n_threads or len(
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
    workers = min(cores, MAX_WORKERS) if device == "cpu" else 1
    return Compute(device, compute_type, workers, -(-cores // workers))
