"""Ours against faster-whisper, side by side in one run: wall, CPU, peak memory, word errors, and ratios.

    python benchmarks/transcription.py recordings/sample-session FOLDER ... --threads 2

A FOLDER holds either session.* with truth.json (sentences with `text`), or index.jsonl (lines with `file`,
`reference`, `language`) beside its files. Every system gets the same weights, int8 on the CPU, the same number of
threads, the language, and writes word times. Each runs in a process of its own, one after the other, and its time
counts from before the model is loaded. `floor` is our engine alone on the chunks and batches that ours uses: without
reading, speech detection, guards, retries and journal.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = Path(__file__).parents[1] / "models" / "whisper-base-int8"


@dataclass(frozen=True)
class Clip:
    group: str
    path: Path
    reference: str
    language: str


def clips(folder: Path) -> Iterator[Clip]:
    """The recordings of a folder with their references; speech in different languages is in groups of its own."""
    if (folder / "truth.json").is_file():
        truth = json.loads((folder / "truth.json").read_text("utf-8"))
        (sound,) = (path for path in folder.iterdir() if path.stem == "session" and path.suffix != ".json")
        yield Clip(folder.name, sound, " ".join(sentence["text"] for sentence in truth["sentences"]), "en")
        return
    for line in (folder / "index.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        yield Clip(f"{folder.name} ({item['language']})", folder / item["file"], item["reference"], item["language"])


# ---- the systems: each a function from clip and number of threads to text


def ours(threads: int, batch_size: int = 4) -> Callable[[Clip], str]:
    from transcriber import Options, transcribe

    def work(clip: Clip) -> str:
        with tempfile.TemporaryDirectory() as folder:
            options = Options(
                output_dir=Path(folder),
                output_format="json",
                language=clip.language,
                glossary=False,
                threads=threads,
                batch_size=batch_size,
            )
            return "".join(segment.text for segment in transcribe(clip.path, options).session.transcript.segments)

    return work


def sequential(threads: int) -> Callable[[Clip], str]:
    model = _faster_whisper(threads)

    def work(clip: Clip) -> str:
        segments, _ = model.transcribe(str(clip.path), language=clip.language, word_timestamps=True)
        return "".join(segment.text for segment in segments)

    return work


def batched(threads: int, batch_size: int) -> Callable[[Clip], str]:
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_faster_whisper(threads))

    def work(clip: Clip) -> str:
        segments, _ = pipeline.transcribe(
            str(clip.path), language=clip.language, batch_size=batch_size, word_timestamps=True
        )
        return "".join(segment.text for segment in segments)

    return work


def floor(threads: int) -> Callable[[Clip], str]:
    from transcriber.audio import Reader, open_recording
    from transcriber.transcription import compute, engine, vad
    from transcriber.transcription.chunks import chunks

    planned = compute.plan_compute("cpu", "int8", n_threads=threads)
    loaded = engine.Engine(MODEL, compute=planned)

    def work(clip: Clip) -> str:
        cut = [chunk.samples for chunk in chunks(vad.windows(Reader(open_recording(clip.path))))]
        batches = [cut[:1], *(cut[at : at + 4] for at in range(1, len(cut), 4))]
        request = engine.Request(language=clip.language)
        begun = time.perf_counter()
        with ThreadPoolExecutor(planned.workers) as pool:
            heard = list(pool.map(lambda batch: loaded.decode(batch, request), batches))
        FLOOR_SECONDS.append(time.perf_counter() - begun)
        return "".join(word.text for batch in heard for one in batch for word in one.words)

    return work


FLOOR_SECONDS: list[float] = []


def _faster_whisper(threads: int) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(MODEL), device="cpu", compute_type="int8", cpu_threads=threads)


SYSTEMS: dict[str, Callable[[int], Callable[[Clip], str]]] = {
    "ours": ours,
    "sequential": sequential,
    "batched 1": lambda threads: batched(threads, 1),
    "batched 4": lambda threads: batched(threads, 4),
    "batched 8": lambda threads: batched(threads, 8),
    "floor": floor,
}


# ---- measuring


def measure(system: str, folder: Path, threads: int) -> list[dict[str, Any]]:
    """Run one system over a folder, in this process: a row for each group of clips."""
    found = list(clips(folder))
    before, begun = time.process_time(), time.perf_counter()
    work = SYSTEMS[system](threads)
    texts = [work(clip) for clip in found]
    wall, cpu = time.perf_counter() - begun, time.process_time() - before
    per_mib = 1024 if sys.platform == "linux" else 1024 * 1024
    return [
        {
            "folder": folder.name,
            "wall": sum(FLOOR_SECONDS) if FLOOR_SECONDS else wall,
            "cpu": cpu,
            "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mib,
            "groups": {
                group: errors([(c, t) for c, t in zip(found, texts, strict=True) if c.group == group])
                for group in sorted({clip.group for clip in found})
            },
        }
    ]


def errors(pairs: list[tuple[Clip, str]]) -> dict[str, int]:
    """Word errors, summed over clips: rates are never averaged."""
    import jiwer
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    total = {"substitutions": 0, "deletions": 0, "insertions": 0, "words": 0}
    for clip, text in pairs:
        normal = EnglishTextNormalizer() if clip.language == "en" else BasicTextNormalizer()
        counted = jiwer.process_words(normal(clip.reference), normal(text))
        total["substitutions"] += counted.substitutions
        total["deletions"] += counted.deletions
        total["insertions"] += counted.insertions
        total["words"] += counted.hits + counted.substitutions + counted.deletions
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.folders[0], asked.threads)))
        return
    for folder in asked.folders:
        rows = {system: _in_its_own_process(system, folder, asked.threads) for system in asked.systems}
        print(f"\n{folder.name}, {asked.threads} threads\n")
        print("| system | wall s | ours / it | CPU s | peak MiB | word errors (substituted / missing / added) |")
        print("|---|---|---|---|---|---|")
        for system, row in rows.items():
            ratio = rows["ours"]["wall"] / row["wall"] if "ours" in rows else float("nan")
            print(
                f"| {system} | {row['wall']:.1f} | {ratio:.2f} | {row['cpu']:.1f} | {row['mib']:.0f} | "
                f"{'; '.join(_rate(group, count) for group, count in row['groups'].items())} |",
                flush=True,
            )


def _in_its_own_process(system: str, folder: Path, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(folder), "--one", system, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    if done.returncode:
        raise SystemExit(f"{system} failed:\n{done.stderr}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])[0]
    return row


def _rate(group: str, count: dict[str, int]) -> str:
    wrong = count["substitutions"] + count["deletions"] + count["insertions"]
    parts = f"{count['substitutions']}/{count['deletions']}/{count['insertions']}"
    return f"{group} {100 * wrong / count['words']:.2f} % ({parts})"


if __name__ == "__main__":
    main()
