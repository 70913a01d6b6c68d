"""Evidence and wording against QMSum: real meetings, questions asked of them, the spans that answer.

    python -m benchmarks.qmsum DATA --split val [--meetings 12] [--product]

Evidence (specific questions): turns ranked by their best sentence against the annotated spans: precision of the picked
turns, nDCG@10. Wording (all questions): ROUGE-1/2/Lsum of readable picks, stemmed, one sentence per line, as the field
prints it (needs `rouge-score`, else left out). The ranker is used as it ships: nothing here is trained on QMSum.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.metrics_panels import bootstrap
from transcriber.datatypes import Question
from transcriber.summary.baselines import BASELINES
from transcriber.summary.encoder import SentenceEncoder
from transcriber.summary.features import Signals, signals
from transcriber.summary.model import EvidenceModel
from transcriber.summary.talk import Talk
from transcriber.summary.words import count

WORD_BUDGET, OVERSHOOT = 75, 8  # words per summary, as in the published extractive studies of this set
GENERAL_BUDGET = 140
READABLE_WORDS = 8


@dataclass(frozen=True)
class Meeting:
    """A meeting as sentences; `turns` gives each sentence's turn, `spans` the answering turns of each question."""

    talk: Talk
    turns: tuple[int, ...]
    questions: tuple[Question, ...]
    answers: tuple[str, ...]
    spans: tuple[frozenset[int], ...]


def main() -> None:
    parser = argparse.ArgumentParser(description="Evidence and wording against QMSum.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--meetings", type=int, default=None)
    parser.add_argument("--encoder", type=Path, default=Path("models/minilm-l6-v2-int8"))
    parser.add_argument("--model", type=Path, default=Path("models/evidence-ranker"))
    options = parser.parse_args()
    encoder = SentenceEncoder(options.encoder)
    model = EvidenceModel.load(options.model)
    rows: dict[str, list[list[float]]] = {}
    for meeting in list(_meetings(options.data / f"{options.split}.jsonl.gz"))[: options.meetings]:
        seen = signals(meeting.talk, meeting.questions, encoder=encoder)
        for name, scores in _rankings(meeting, seen, model).items():
            rows.setdefault(name, []).append(_measures(meeting, scores))
    _report(rows)


def _meetings(path: Path) -> Iterator[Meeting]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            texts, speakers, turns = [], [], []
            for turn, item in enumerate(raw["meeting_transcripts"]):
                for sentence in _sentences(item["content"]):
                    texts.append(sentence)
                    speakers.append(item["speaker"])
                    turns.append(turn)
            asked = [*raw["specific_query_list"], *raw["general_query_list"]]
            yield Meeting(
                talk=Talk(tuple(texts), tuple(speakers), (None,) * len(texts)),
                turns=tuple(turns),
                questions=tuple(Question(id=str(n), text=item["query"]) for n, item in enumerate(asked)),
                answers=tuple(item["answer"] for item in asked),
                spans=tuple(_span(item.get("relevant_text_span", ())) for item in asked),
            )


def _sentences(content: str) -> list[str]:
    """A turn's sentences, sounds in braces left out and tokenised punctuation closed up."""
    plain = re.sub(r"\{[^}]*\}", " ", content)
    plain = re.sub(r"\s+([.,?!;:])", r"\1", re.sub(r"\s+('\w|n't)", r"\1", re.sub(r"\s+", " ", plain)))
    return [part for part in re.split(r"(?<=[.?!])\s+", plain.strip()) if re.search(r"\w", part)]


def _span(pairs: Sequence[Sequence[str]]) -> frozenset[int]:
    return frozenset(turn for first, last in pairs for turn in range(int(first), int(last) + 1))


def _rankings(meeting: Meeting, seen: Signals, model: EvidenceModel) -> dict[str, Any]:
    found: dict[str, Any] = {name: rank(meeting.talk, meeting.questions, seen) for name, rank in BASELINES.items()}
    found["fusion, untrained"] = EvidenceModel.untrained().ranker.rank(seen).scores
    found["trained ranker"] = model.ranker.rank(seen).scores
    return found


def _measures(meeting: Meeting, scores: Any) -> list[float]:
    """Means over a meeting's questions: precision, nDCG@10, then ROUGE-1/2/Lsum (nan where not to be had)."""
    evidence, wording = [], []
    for q, span in enumerate(meeting.spans):
        order = [
            int(n) for n in np.argsort(-scores[q], kind="stable") if count(meeting.talk.texts[n]) >= READABLE_WORDS
        ]
        picks = _within(meeting, order, WORD_BUDGET if span else GENERAL_BUDGET)
        if span:
            turns = list(dict.fromkeys(meeting.turns[n] for n in order))[:10]
            discount = 1 / np.log2(np.arange(2, 12))
            gained = sum(discount[rank] for rank, turn in enumerate(turns) if turn in span)
            picked = {meeting.turns[n] for n in picks}
            evidence.append([len(picked & span) / max(1, len(picked)), gained / discount[: len(span)].sum()])
        wording.append(_rouge(meeting.answers[q], [meeting.talk.texts[n] for n in sorted(picks)]))
    return [*np.mean(evidence, 0), *np.mean(wording, 0)]


def _within(meeting: Meeting, order: Sequence[int], budget: int) -> list[int]:
    picks: list[int] = []
    total = 0
    for n in order:
        size = count(meeting.talk.texts[n])
        if total + size <= budget + OVERSHOOT:
            picks.append(n)
            total += size
        if total >= budget:
            break
    return picks


def _rouge(reference: str, lines: Sequence[str]) -> list[float]:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        return [float("nan")] * 3
    kinds = ["rouge1", "rouge2", "rougeLsum"]
    split = "\n".join(part for part in re.split(r"(?<=[.?!])\s+", reference.strip()) if part)
    scores = RougeScorer(kinds, use_stemmer=True).score(split, "\n".join(lines))
    return [scores[kind].fmeasure for kind in kinds]


def _report(rows: dict[str, list[list[float]]]) -> None:
    print("evidence precision / nDCG@10 / ROUGE-1 / ROUGE-2 / ROUGE-Lsum")
    for name, per_meeting in rows.items():
        print(f"  {name:20s}" + " / ".join(f"{100 * figure:.1f}" for figure in np.mean(per_meeting, 0)))
    gains = [a[1] - b[1] for a, b in zip(rows["trained ranker"], rows["MiniLM"], strict=True)]
    low, high = bootstrap(gains)
    print(f"  trained less MiniLM, nDCG@10: {100 * np.mean(gains):+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]")


if __name__ == "__main__":
    main()
