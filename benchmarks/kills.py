"""kill -9 at random moments of a `run`: is every document whole or absent, and the final result the same byte for byte?

    python benchmarks/kills.py recordings/sample-session --kills 50 --seed 1

The run is started, killed after a random time, and started again on the same outputs, as a user would. When one run
comes through, its documents are compared with those of an unbroken run, the outputs are cleared, and it goes on until
all kills are done. A finished chunk that was computed again would stand in the journal twice.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from transcriber import journal

COMMAND = "from transcriber.cli.app import main; main()"


def start(recording: Path, outputs: Path) -> subprocess.Popen[bytes]:
    arguments = [
        sys.executable,
        "-c",
        COMMAND,
        "run",
        str(recording),
        "--output-dir",
        str(outputs),
        "--batch-size",
        "1",
    ]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def documents(outputs: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in outputs.glob("*/*") if path.is_file() and path.name[0] != "."}


def computed(outputs: Path) -> Counter[str]:
    """How often each batch stands in the journals."""
    return Counter(record["key"] for path in outputs.rglob("*.jsonl") for record in journal.read(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        if start(asked.recording, Path(folder) / "whole").wait():
            raise SystemExit("the unbroken run failed")
        length = time.monotonic() - begun
        whole = documents(Path(folder) / "whole")
        outputs = Path(folder) / "killed"
        n_kills = n_whole = n_partial = n_different = n_twice = 0
        while n_kills < asked.kills or n_whole == 0:
            running = start(asked.recording, outputs)
            try:
                if running.wait(timeout=rng.uniform(0.3, length * 0.6) if n_kills < asked.kills else None):
                    raise SystemExit("a resumed run failed")
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                running.wait()
                n_kills += 1
                n_partial += sum(whole[name] != content for name, content in documents(outputs).items())
                continue
            n_whole += 1
            n_different += documents(outputs) != whole
            n_twice += sum(count - 1 for count in computed(outputs).values())
            shutil.rmtree(outputs)
    print(f"seed {asked.seed}: {n_kills} kills, {n_whole} runs came through")
    print(f"documents that were not whole after a kill: {n_partial}")
    print(f"results that differ from the unbroken run: {n_different}")
    print(f"finished chunks that were computed again: {n_twice}")


if __name__ == "__main__":
    main()
