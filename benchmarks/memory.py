"""Does memory stay flat? Peak memory of a whole `run` on a short and on a long recording made of the same speech.

    python benchmarks/memory.py recordings/sample-session/session.opus --minutes 10 180

The speech is repeated until the length is reached. Peak memory is the largest resident set of the run's process.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from transcriber.audio import Reader, open_recording
from transcriber.datatypes import SAMPLE_RATE

COMMAND = "from transcriber.cli.app import main; main()"


def repeated(source: Path, target: Path, *, minutes: float) -> None:
    """A 16 kHz WAV file of the source's sound over and over."""
    sound = np.concatenate(list(Reader(open_recording(source))))
    left = round(minutes * 60 * SAMPLE_RATE)
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        while left > 0:
            file.writeframes(sound[:left].tobytes())
            left -= len(sound)


def peak_mib(recording: Path, outputs: Path, options: list[str]) -> tuple[float, float]:
    """Peak memory (MiB) and wall seconds of one run."""
    arguments = [sys.executable, "-c", COMMAND, "run", str(recording), "--output-dir", str(outputs), *options]
    begun = time.monotonic()
    process = os.posix_spawn(sys.executable, arguments, os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"the run failed with status {status}")
    per_mib = 1024 if sys.platform == "linux" else 1024 * 1024
    return usage.ru_maxrss / per_mib, time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a recording of speech")
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 180])
    parser.add_argument("--options", default="", help="further options for `run`, in one string")
    asked = parser.parse_args()
    found = []
    for minutes in asked.minutes:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "speech.wav"
            repeated(asked.source, recording, minutes=minutes)
            mib, wall = peak_mib(recording, Path(folder), asked.options.split())
        found.append(mib)
        print(f"{minutes:6.0f} min of sound: peak {mib:7.1f} MiB, {wall:7.1f} s", flush=True)
    print(f"growth: {found[-1] - found[0]:.1f} MiB")


if __name__ == "__main__":
    main()
