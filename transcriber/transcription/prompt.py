"""The one prompt each chunk gets: the user's own words first, then as many glossary terms as the budget holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transcriber.transcription.engine import MAX_PROMPT_TOKENS

GLOSSARY_TOKENS = 100


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt's text, and the terms that found no room in it."""

    text: str
    dropped: tuple[str, ...]


def build_prompt(
    initial_prompt: str, terms: Sequence[str], *, count_tokens: Callable[[str], int], budget: int = GLOSSARY_TOKENS
) -> Prompt:
    """A prompt within the budget (tokens); terms are tried in the given order, most useful first.

    Raises ValueError if the initial prompt alone is longer than the decoder's budget.
    """
    opening = initial_prompt.strip()
    if opening and count_tokens(opening) > MAX_PROMPT_TOKENS:
        raise ValueError(f"it has {count_tokens(opening)} tokens, and the decoder has room for {MAX_PROMPT_TOKENS}")
    kept: list[str] = []
    dropped: list[str] = []
    for term in dict.fromkeys(term.strip() for term in terms if term.strip()):
        fits = count_tokens(_text(opening, [*kept, term])) <= max(budget, 0)
        (kept if fits else dropped).append(term)
    return Prompt(_text(opening, kept), tuple(dropped))


def _text(opening: str, terms: Sequence[str]) -> str:
    glossary = f"Glossary: {', '.join(terms)}." if terms else ""
    return " ".join(part for part in (opening, glossary) if part)
