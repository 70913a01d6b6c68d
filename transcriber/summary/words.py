"""Spoken text as words: tokens, the ones that carry content, and their stems."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_SUFFIXES = ("ations", "ation", "ments", "ment", "ingly", "edly", "ings", "ing", "ies", "ed", "es", "ly", "s")

# Words that join rather than say: English function words and the small change of speech.
STOP_WORDS = frozenset(
    """a about above after again against all also am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either
    else ever every few for from further get gets getting go goes going gone gonna got had hadn't has hasn't have
    haven't having he he'd he'll he's her here here's hers herself him himself his how i i'd i'll i'm i've if in into
    is isn't it it'd it'll it's its itself just let let's like may me might mine more most much must my myself no nor
    not now of off oh ok okay on once one only onto or other our ours ourselves out over own perhaps quite rather really
    said same say says shall she she'd she'll she's should shouldn't so some such than that that'd that'll that's the
    their theirs them themselves then there there's these they they'd they'll they're they've thing things think this
    those though through to too uh um under until up upon us very want was wasn't way we we'd we'll we're we've well
    were weren't what what's when where whether which while who who's whom whose why will with won't would wouldn't yeah
    yes yet you you'd you'll you're you've your yours yourself yourselves actually basically hmm er erm mean know kind
    sort lot bit maybe right something somebody anything anybody""".split()  # noqa: SIM905 (a table, not code)
)


def tokens(text: str) -> list[str]:
    """Words in lower case, apostrophes straight, punctuation gone.

    >>> tokens("It’s 3.5 per cent, isn't it?")
    ["it's", '3', '5', 'per', 'cent', "isn't", 'it']
    """
    return [word.replace("’", "'") for word in _TOKEN.findall(text.lower())]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without its commonest English endings; words of other languages pass nearly unchanged.

    >>> [stem(word) for word in ("factories", "training", "trained", "costs", "gas")]
    ['factory', 'train', 'train', 'cost', 'gas']
    """
    word = word.removesuffix("'s")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)] + ("y" if suffix == "ies" else "")
    if word.endswith("s") and len(word) > 3 and word[-2] not in "su":
        return word[:-1]
    return word.removesuffix("e") if len(word) > 5 else word


def content_words(text: str) -> list[str]:
    """Stems of the words that carry content, in order."""
    return [stem(word) for word in tokens(text) if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


def count(text: str) -> int:
    """How many words a reader counts."""
    return len(text.split())
