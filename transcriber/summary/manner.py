"""How a sentence is said, by whom and when: what can be seen of it without looking at any question."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from transcriber.summary.lexical import WordIndex
from transcriber.summary.talk import Talk, is_question, moderator, turns
from transcriber.summary.words import STOP_WORDS, count, tokens

Matrix = NDArray[np.float32]

PHASE_KINDS = ("opening", "talk", "poll", "discussion", "open-mic", "closing")

LENGTH, ASKS, COURTESY = 1, 2, 12  # columns of `Signals.own` that readers outside this file use

_NUMBER = re.compile(
    r"\d|\b(percent|per cent|half|third|quarter|twice|dozens?|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|twenty|thirty|forty|fifty|sixty|hundreds?|thousands?|millions?|billions?)\b"
)
_REASON = re.compile(r"\b(because|so that|which means|instead|not|but|unless|only|without|therefore|since|until|if)\b")
_ADVICE = re.compile(r"\b(need|needs|must|should|have to|has to|would|ought|can't|cannot|don't|never|always|every)\b")
_DEED = re.compile(r"\b(we|i|they) (\w+ed|had|did|made|built|took|got|gave|put|cut|paid|found|went|spent|lost|ran)\b")
_COURTESY = re.compile(
    r"\b(thank|thanks|question|questions|sorry|please|great|hello|welcome|microphone|mic|minutes?|panel|poll|next|talk"
    r"|good (?:morning|afternoon|evening)|applause|slide|slides|coffee|lunch|floor|stage|room)\b"
)
_PROMISE = re.compile(
    r"\b(come (?:back )?to|get to|later|afterwards|in a (?:minute|moment|second)|we'll see|will tell"
    r"|going to (?:talk|say)"
    r"|important|key|crucial|depends|discuss|look into|working group|interesting|topic|happy to|hope)\b"
)
_HESITATION = re.compile(r"\b(um|uh|er|erm|hmm|you know|i mean|well)\b")
_POINTS_BACK = re.compile(
    r"^(?:and |but |so |well,? |um,? |uh,? )*(?:it|that|this|they|these|those|he|she|which|them)\b"
)
_CONNECTS = re.compile(r"^(?:and|but|so|because|or|then|which|well|now|yes|no)\b")
_OWN = re.compile(r"\b(i|my|me|i'm|i've|i'd)\b")
_OURS = re.compile(r"\b(we|our|us|we're|we've|we'd)\b")
_YOURS = re.compile(r"\b(you|your|you're|you've)\b")

_RATE_PATTERNS = (_REASON, _ADVICE, _COURTESY, _PROMISE, _HESITATION, _OWN, _OURS, _YOURS)
_FLAG_PATTERNS = (_NUMBER, _DEED, _POINTS_BACK, _CONNECTS)


def manner(talk: Talk, vectors: Matrix, index: WordIndex) -> Matrix:
    """Columns of length, wording and likeness to the rest; shape (sentences, F). `vectors` are unit vectors."""
    n_sentences = len(talk)
    centre = vectors.mean(0)
    centre = centre / max(1e-9, float(np.linalg.norm(centre)))
    rows = []
    since_question = 9
    for n, text in enumerate(talk.texts):
        words = tokens(text)
        size = max(1, len(words))
        low = text.lower()
        asks = is_question(text)
        since_question = 0 if asks else since_question + 1
        rarity = [index.rarity(word) for word in index.words[n]]
        rows.append(
            [
                np.log1p(size),
                min(size, 60) / 20,
                float(asks),
                min(since_question, 9) / 5,
                sum(word in STOP_WORDS for word in words) / size,
                sum(map(len, words)) / size,
                float(np.mean(rarity)) if rarity else 0.0,
                max(rarity, default=0.0),
                _names(text) / size,
                n / n_sentences,
                *(len(pattern.findall(low)) / np.sqrt(size) for pattern in _RATE_PATTERNS),
                *(float(pattern.search(low) is not None) for pattern in _FLAG_PATTERNS),
            ]
        )
    near = vectors @ vectors.T
    np.fill_diagonal(near, 0)
    table = np.column_stack(
        [
            np.array(rows, np.float32),
            vectors @ centre,
            near.max(1) if n_sentences > 1 else np.zeros(1),
            np.array([near[n, max(0, n - 4) : n].max(initial=0) for n in range(n_sentences)]),
        ]
    ).astype(np.float32)
    shape = table[:, [0, 2, 4]]  # length, question mark, function words of the neighbours
    return np.concatenate([table, _shift(shape, 1), _shift(shape, -1)], 1)


def _names(text: str) -> int:
    """Words with a capital that no sentence start explains."""
    return sum(word[:1].isupper() and word not in ("I", "I'm", "I've", "I'd", "I'll") for word in text.split()[1:])


def _shift(table: Matrix, by: int) -> Matrix:
    moved = np.zeros_like(table)
    if by > 0:
        moved[by:] = table[:-by]
    else:
        moved[:by] = table[-by:]
    return moved


def hints(talk: Talk) -> Matrix:
    """Columns of speakers and phases, zeros where they are unknown; shape (sentences, F)."""
    n_sentences = len(talk)
    known = [speaker is not None for speaker in talk.speakers]
    stretches = turns(talk.speakers)
    chair = moderator(talk)
    airtime: dict[str | None, int] = {}
    for speaker, text in zip(talk.speakers, talk.texts, strict=True):
        airtime[speaker] = airtime.get(speaker, 0) + count(text)
    total = max(1, sum(airtime.values()))
    table = np.zeros((n_sentences, 9 + len(PHASE_KINDS)), np.float32)
    for first, last in stretches:
        for n in range(first, last):
            if known[n]:
                share = airtime[talk.speakers[n]] / total
                place = (min(n - first, 12) / 6, min(last - n, 12) / 6, min(last - first, 20) / 10)
                table[n, :6] = (1.0, float(talk.speakers[n] == chair), *place, np.sqrt(share))
                table[n, 6] = float(share < 0.03)  # a voice from the floor
                table[n, 7] = float(first > 0 and is_question(talk.texts[first - 1]))
    for n, kind in enumerate(talk.kinds):
        if kind is not None:
            table[n, 8] = 1.0
            if kind in PHASE_KINDS:
                table[n, 9 + PHASE_KINDS.index(kind)] = 1.0
    return table
