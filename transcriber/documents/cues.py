"""Subtitle cues from words: what belongs together on the screen, and for how long.

The conventions are those of broadcasters: two lines of 42 characters, at most 20 characters per second where the
speech leaves room, 5/6 to 7 seconds per cue, cues that touch or stand two frames apart, and breaks where sense breaks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import msgspec

from transcriber.datatypes import Transcript
from transcriber.documents.words import Spoken, ends_clause, ends_sentence, gap_note, gaps_within, may_part, spoken
from transcriber.errors import UsageError
from transcriber.timecode import milliseconds

MAX_CUE_MS = 7000
GOOD_CUE_MS = 1000
MIN_CUE_MS = 833  # 5/6 s: below that an eye cannot find the text
MIN_GAP_MS = 80  # two frames at 25 per second: a shorter gap flickers
MAX_PAUSE_MS = 1500  # a longer pause always ends a cue
LINGER_MS = 200  # recognisers end words about this early; readers are glad of it anyway
MAX_LEAD_MS = 400  # a short cue may come on this much before its first word ...
MAX_DELAY_MS = 400  # ... or keep the next one waiting this long
CHARS_PER_SECOND = 20

# English words that lean on the next one: a line or cue ends badly after them.
_LEANING = frozenset(
    word
    for words in (
        "a an the and or but nor so if as of to in on at by for from with into that which who not very",
        "i you he she it we they my your his her its our their this these those",
        "is are was were be been will would can could should",
    )
    for word in words.split()
)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How subtitles are laid out. Raises UsageError for what no word fits into."""

    max_line_width: int = 42
    max_line_count: int = 2

    def __post_init__(self) -> None:
        if self.max_line_width < 10:
            raise UsageError(f"A subtitle line of {self.max_line_width} is too narrow.", hint="Use 10 or more.")
        if self.max_line_count < 1:
            raise UsageError(f"A subtitle of {self.max_line_count} lines is empty.", hint="Use 1 or more.")


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """Lines on the screen from `start_ms` up to `end_ms`."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None


class _Unit(msgspec.Struct, frozen=True, kw_only=True):
    """Text no line may split, with the time of its speech."""

    text: str
    spaced: bool
    start_ms: int
    end_ms: int
    speaker: str | None

    @property
    def width(self) -> int:
        return _width(self.text)


def cues(transcript: Transcript, layout: Layout) -> tuple[Cue, ...]:
    """The whole transcript as cues: monotonic, never overlapping, every word exactly once and in order.

    Only a single word wider than a line exceeds `layout`; only speech itself makes a cue shorter or faster than the
    conventions of this module.
    """
    rough = [
        Cue(start_ms=run[0].start_ms, end_ms=run[-1].end_ms, lines=_lines(run, layout), speaker=run[0].speaker)
        for stretch in _stretches(transcript)
        for run in _grouped(stretch, layout)
    ]
    for gap in gaps_within(transcript):
        words = [_unit_of(word, gap.start, gap.end) for word in gap_note(gap).split(" ")]
        loose = Layout(max_line_width=layout.max_line_width, max_line_count=len(words))
        rough.append(Cue(start_ms=milliseconds(gap.start), end_ms=milliseconds(gap.end), lines=_lines(words, loose)))
    rough.sort(key=lambda cue: cue.start_ms)
    return _timed(rough)


# ---- words to stretches of speech


def _stretches(transcript: Transcript) -> list[list[_Unit]]:
    """Units between the places no cue may cross: a change of speaker, a gap, a long pause."""
    borders = [milliseconds((gap.start + gap.end) / 2) for gap in gaps_within(transcript)]
    stretches: list[list[_Unit]] = []
    latest, previous_id = 0, None
    for word in spoken(transcript):
        unit = _unit(word, not_before=latest)
        latest = unit.start_ms
        if not stretches or _parts(stretches[-1][-1], unit, borders):
            stretches.append([unit])
        elif previous_id == word.segment_id and not may_part(stretches[-1][-1].text, word):
            stretches[-1][-1] = _glued(stretches[-1][-1], unit)
        else:
            stretches[-1].append(unit)
        previous_id = word.segment_id
    return stretches


def _unit(word: Spoken, *, not_before: int) -> _Unit:
    start = max(milliseconds(word.start), not_before)
    end = max(milliseconds(word.end), start)
    return _Unit(text=word.text, spaced=word.spaced, start_ms=start, end_ms=end, speaker=word.speaker)


def _unit_of(text: str, start: float, end: float) -> _Unit:
    return _Unit(text=text, spaced=True, start_ms=milliseconds(start), end_ms=milliseconds(end), speaker=None)


def _glued(left: _Unit, right: _Unit) -> _Unit:
    end = max(left.end_ms, right.end_ms)
    return msgspec.structs.replace(left, text=left.text + right.text, end_ms=end)


def _parts(left: _Unit, right: _Unit, borders: Sequence[int]) -> bool:
    if left.speaker != right.speaker or right.start_ms - left.end_ms > MAX_PAUSE_MS:
        return True
    return any(left.start_ms < border <= right.start_ms for border in borders)


# ---- stretches to cues


def _grouped(stretch: list[_Unit], layout: Layout) -> list[list[_Unit]]:
    """The stretch cut into cues at the least total cost (dynamic programming over the possible cuts)."""
    n = len(stretch)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * n
    for first in range(n):
        fit = _Fit(layout)
        for end in range(first + 1, n + 1):
            too_long = stretch[end - 1].end_ms - stretch[first].start_ms > MAX_CUE_MS
            if not fit.takes(stretch[end - 1]) or (too_long and end > first + 1):
                break
            cost = best[first][0] + _cost(stretch, first, end)
            if cost < best[end][0]:
                best[end] = (cost, first)
    cuts, end = [n], n
    while end:
        end = best[end][1]
        cuts.append(end)
    cuts.reverse()
    return [stretch[first:end] for first, end in pairwise(cuts)]


class _Fit:
    """Counts the lines that a growing cue needs; a line takes its first unit whatever its width."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lines, self._used = 0, 0

    def takes(self, unit: _Unit) -> bool:
        wider = self._used + unit.spaced + unit.width
        if self._lines and wider <= self._layout.max_line_width:
            self._used = wider
            return True
        self._lines, self._used = self._lines + 1, unit.width
        return self._lines <= self._layout.max_line_count


def _cost(stretch: list[_Unit], first: int, end: int) -> float:
    """How badly stretch[first:end] makes a cue: unread, hurried, or cut where the sense runs on."""
    units = stretch[first:end]
    chars = sum(unit.width + unit.spaced for unit in units)
    room_ms = (stretch[end].start_ms if end < len(stretch) else units[-1].end_ms + MAX_PAUSE_MS) - units[0].start_ms
    cost = 1.0  # each cue is a new look for the reader
    if end < len(stretch):
        cost += _break_cost(units[-1], stretch[end])
    if room_ms < GOOD_CUE_MS:
        cost += 3.0 if room_ms >= MIN_CUE_MS else 6.0
    hurry = chars * 1000 / max(room_ms, 1) / CHARS_PER_SECOND - 1
    cost += min(4.0, 4 * max(0.0, hurry))
    if chars < 12 and len(stretch) > len(units):
        cost += 1.5  # a lonely word or two
    unfinished = end < len(stretch) and not ends_sentence(units[-1].text)
    inner_ends = sum(ends_sentence(unit.text) for unit in units[:-1])
    return cost + inner_ends * (1.5 if unfinished else 0.4)


def _break_cost(last: _Unit, following: _Unit) -> float:
    pause_ms = following.start_ms - last.end_ms
    if ends_sentence(last.text):
        return 0.0
    if ends_clause(last.text):
        return 0.3 if pause_ms >= 250 else 0.6
    if last.text.lower() in _LEANING:
        return 3.2 if pause_ms < 500 else 2.0
    if pause_ms >= 250:
        return 0.9
    return 1.6 if following.text.lower() in _LEANING else 2.4


# ---- cues to lines


def _lines(units: Sequence[_Unit], layout: Layout) -> tuple[str, ...]:
    """As few lines as will do, of nearly equal width, the lower ones the longer."""
    fit, count = _Fit(msgspec.structs.replace(layout, max_line_count=1)), 1
    for unit in units:
        if not fit.takes(unit):
            fit, count = _Fit(msgspec.structs.replace(layout, max_line_count=1)), count + 1
            fit.takes(unit)
    total = sum(unit.width + unit.spaced for unit in units)

    @cache
    def best(first: int, line: int) -> tuple[float, tuple[str, ...]]:
        """The cheapest way to set units[first:] on the lines from number `line` on."""
        ideal = total / count * (1 + 0.12 * (line - (count - 1) / 2))
        found: tuple[float, tuple[str, ...]] = (float("inf"), ())
        last_line = line == count - 1
        for end in (len(units),) if last_line else range(first + 1, len(units) - (count - line - 2)):
            text = "".join(
                f"{' ' if unit.spaced and at else ''}{unit.text}" for at, unit in enumerate(units[first:end])
            )
            if _width(text) > layout.max_line_width and end > first + 1:
                if last_line:
                    break
                return found
            cost = (_width(text) - ideal) ** 2 / ideal + (0.0 if last_line else _line_break_cost(units[end - 1].text))
            cost += 6.0 if end == first + 1 and len(text) < 10 and count > 1 else 0.0  # an orphan
            rest = (0.0, ()) if last_line else best(end, line + 1)
            if cost + rest[0] < found[0]:
                found = (cost + rest[0], (text, *rest[1]))
        return found

    return best(0, 0)[1]


def _text(units: Sequence[_Unit]) -> str:
    return "".join(f"{' ' if unit.spaced and at else ''}{unit.text}" for at, unit in enumerate(units))


def _line_break_cost(text: str) -> float:
    if ends_sentence(text):
        return 0.0
    if ends_clause(text):
        return 1.0
    return 7.0 if text.lower() in _LEANING else 3.0


def _width(text: str) -> int:
    """Columns on a screen: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


# ---- times


def _timed(rough: Sequence[Cue]) -> tuple[Cue, ...]:
    """The cues with times a reader can follow: each stays on into the silence after it, none overlaps the next."""
    timed: list[Cue] = []
    for at, cue in enumerate(rough):
        free_from = timed[-1].end_ms if timed else 0
        start = max(cue.start_ms, free_from)
        following = rough[at + 1].start_ms if at + 1 < len(rough) else None
        end = _end(start, cue, following)
        if end - start < GOOD_CUE_MS and start - free_from >= MIN_GAP_MS:
            earliest = max(start - MAX_LEAD_MS, free_from + MIN_GAP_MS if timed else 0)
            start = min(start, max(earliest, end - GOOD_CUE_MS))
        timed.append(msgspec.structs.replace(cue, start_ms=start, end_ms=end))
    return tuple(timed)


def _end(start: int, cue: Cue, following: int | None) -> int:
    """When the cue leaves: read in comfort, at most 7 s, touching the next cue or two frames before it."""
    reading_ms = -(-sum(map(_width, cue.lines)) * 1000 // CHARS_PER_SECOND)
    wanted = min(max(cue.end_ms + LINGER_MS, start + reading_ms, start + GOOD_CUE_MS), start + MAX_CUE_MS)
    if following is None:
        return wanted
    latest = max(following, min(start + MIN_CUE_MS, following + MAX_DELAY_MS), start + 1)
    if wanted >= latest:
        return latest
    if latest - wanted >= MIN_GAP_MS:
        return wanted
    return latest if latest - start <= MAX_CUE_MS else latest - MIN_GAP_MS
