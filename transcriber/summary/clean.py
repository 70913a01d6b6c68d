"""Spoken text made readable without a word changed: hesitations and false starts give way to […]."""

from __future__ import annotations

import re

CUT = "[…]"

_HESITATIONS = frozenset({"um", "uh", "er", "erm", "hmm", "mm", "uhm", "ah", "eh"})
_PHRASES = (("you", "know"), ("i", "mean"), ("sort", "of", "like"))
_BARE = re.compile(r"[^\w'’-]+")


def readable(text: str) -> str:
    """The text without hesitations, stray phrases between commas and words said twice; each cut shows as […].

    Cuts at the very start are silent but for their mark too, so nothing is dropped in silence. Text without any
    such thing comes back unchanged.

    >>> readable("And, um, we, we paid for it.")
    'And, […] we paid for it.'
    """
    words = text.split()
    keep = [True] * len(words)
    bare = [_BARE.sub("", word).lower() for word in words]
    for n, word in enumerate(bare):
        if word in _HESITATIONS:
            keep[n] = False
    for phrase in _PHRASES:
        for n in range(len(words) - len(phrase) + 1):
            end = n + len(phrase)
            if tuple(bare[n:end]) == phrase and _set_off(words, n, end):
                keep[n:end] = [False] * len(phrase)
    spoken = [n for n in range(len(words)) if keep[n]]
    for size in (3, 2, 1):
        for first in range(len(spoken) - 2 * size + 1):
            one, two = spoken[first : first + size], spoken[first + size : first + 2 * size]
            if [bare[n] for n in one] == [bare[n] for n in two] and _false_start(words, bare, one):
                for n in one:
                    keep[n] = False
        spoken = [n for n in spoken if keep[n]]
    return _joined(words, keep)


def _set_off(words: list[str], first: int, end: int) -> bool:
    """Whether commas part a phrase from what it interrupts."""
    before = first == 0 or words[first - 1].endswith((",", "–", "—", "…"))
    return before and words[end - 1].endswith((",", "–", "—", "…"))


def _false_start(words: list[str], bare: list[str], numbers: list[int]) -> bool:
    """A word said twice is a slip unless it is emphasis ("very very") or a number."""
    if any(word.isdigit() for word in (bare[n] for n in numbers)) or any(words[n][-1:] in ".?!" for n in numbers):
        return False
    return len(numbers) > 1 or bare[numbers[0]] not in {
        "very",
        "really",
        "no",
        "yes",
        "so",
        "far",
        "many",
        "had",
        "that",
    }


def _joined(words: list[str], keep: list[bool]) -> str:
    parts: list[str] = []
    for n, word in enumerate(words):
        if keep[n]:
            parts.append(word)
            continue
        if parts[-1:] != [CUT]:
            parts.append(CUT)
        if n == len(words) - 1 and word[-1:] in ".?!":
            parts[-1] = CUT + word[-1]
    return " ".join(parts)
