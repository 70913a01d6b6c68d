"""How well a transcript agrees with a reference: word error rate, and words matched one to one."""

from __future__ import annotations

import difflib
import re

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from transcriber.datatypes import Transcript, Word

_normal = EnglishTextNormalizer()


def wer(reference: str, hypothesis: str) -> float:
    """Word error rate after Whisper's English normaliser, 0 to 1 and more."""
    return float(jiwer.process_words(_normal(reference), _normal(hypothesis)).wer)


def words(transcript: Transcript) -> list[Word]:
    return [word for segment in transcript.segments for word in segment.words]


def bare(text: str) -> str:
    return re.sub(r"[^\w']", "", text.lower())


def matched(reference: list[str], hypothesis: list[str]) -> list[tuple[int, int]]:
    """Index pairs of the words that both have, in order."""
    matcher = difflib.SequenceMatcher(
        a=[bare(word) for word in reference], b=[bare(word) for word in hypothesis], autojunk=False
    )
    return [(m.a + at, m.b + at) for m in matcher.get_matching_blocks() for at in range(m.size)]
