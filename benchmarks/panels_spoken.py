"""Key points of a spoken panel through the public JSON, graded by time overlap (condition s).

    python -m benchmarks.panels_spoken PANEL.json TRUTH.json key-points.json [key-points.json ...]
    python -m benchmarks.panels_spoken PANEL.json TRUTH.json --transcript transcript.json

PANEL grades the sentences, TRUTH says when each was spoken. A key point has the best grade among the sentences it
overlaps by half of either. The last line gives the same panel's true text through the same chain.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.metrics_panels import Panel, read
from transcriber.datatypes import Plan, Segment, Settings, Source, Summary, Transcript, Word
from transcriber.summary.encoder import SentenceEncoder
from transcriber.summary.model import EvidenceModel
from transcriber.summary.summarise import summarise


def main() -> None:
    parser = argparse.ArgumentParser(description="Key points of a spoken panel, graded by time overlap.")
    parser.add_argument("panel", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("key_points", type=Path, nargs="*")
    parser.add_argument("--transcript", type=Path)
    parser.add_argument("--encoder", type=Path, default=Path("models/minilm-l6-v2-int8"))
    parser.add_argument("--model", type=Path, default=Path("models/evidence-ranker"))
    options = parser.parse_args()
    panel, truth = read(options.panel), json.loads(options.truth.read_text("utf-8"))["sentences"]
    print("P@7 >= 2 / points / P@7 = 3 / grade 0; verdicts")
    for path in options.key_points:
        _show(path.name, panel, truth, msgspec.json.decode(path.read_bytes(), type=Summary))
    if options.transcript:
        encoder, model = SentenceEncoder(options.encoder), EvidenceModel.load(options.model)
        plan = msgspec.convert(panel.raw["plan"], Plan)
        unplaced = msgspec.structs.replace(plan, phases=())  # planned times are not those of the recording
        heard = msgspec.json.decode(options.transcript.read_bytes(), type=Transcript)
        for name, talk in ((options.transcript.name, heard), ("true text", _true_transcript(truth))):
            _show(name, panel, truth, summarise(talk, unplaced, encoder=encoder, model=model))


def _show(name: str, panel: Panel, truth: Sequence[dict[str, Any]], summary: Summary) -> None:
    figures = grade(panel, truth, summary)
    said = " ".join(f"{a.id}={a.verdict} ({truly})" for a, truly in zip(summary.answers, panel.verdicts, strict=True))
    print(f"  {name:24s}" + " / ".join(f"{figure:.3f}" for figure in figures) + f"  {said}")


def grade(panel: Panel, truth: Sequence[dict[str, Any]], summary: Summary) -> list[float]:
    """Means over the questions that were addressed or thin, as in `benchmarks.panels`."""
    rows = []
    for q, answer in enumerate(summary.answers):
        if panel.verdicts[q] == "not addressed":
            continue
        matched = [_overlapping(point.start, point.end, truth) for point in answer.key_points]
        grades = np.array([max((panel.grades[q, n] for n in places), default=0) for places in matched] or [0])
        found = {n for places in matched for n in places}
        covered = [bool(point & found) for point in panel.points[q]]
        rows.append([np.mean(grades >= 2), np.mean(covered), np.mean(grades == 3), np.mean(grades == 0)])
    return [float(figure) for figure in np.mean(rows, 0)]


def _overlapping(start: float, end: float, truth: Sequence[dict[str, Any]]) -> list[int]:
    places = []
    for n, sentence in enumerate(truth):
        shared = min(end, sentence["end"]) - max(start, sentence["start"])
        if shared > 0 and shared >= 0.5 * min(end - start, sentence["end"] - sentence["start"]):
            places.append(n)
    return places


def _true_transcript(truth: Sequence[dict[str, Any]]) -> Transcript:
    """The true words, spread evenly over each sentence's true time; nobody knows who speaks."""
    segments = []
    for number, sentence in enumerate(truth):
        texts = sentence["text"].split()
        step = (sentence["end"] - sentence["start"]) / len(texts)
        words = tuple(
            Word(
                start=sentence["start"] + n * step,
                end=sentence["start"] + (n + 1) * step,
                text=f" {text}",
                probability=1.0,
            )
            for n, text in enumerate(texts)
        )
        segments.append(
            Segment(id=number, start=words[0].start, end=words[-1].end, text=f" {sentence['text']}", words=words)
        )
    return Transcript(
        session="true text",
        recording=Source(file="truth", sha256="", duration=segments[-1].end),
        model="none",
        settings=Settings(),
        language="en",
        segments=tuple(segments),
    )


if __name__ == "__main__":
    main()
