"""Which phase each sentence belongs to, and whether that was known or worked out from the talk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from transcriber.datatypes import Phase, Sentence

NEAR = 0.75  # seconds between a phase's planned start and a sentence's for the plan to be taken as what happened
END_SLACK = 90.0  # seconds by which the last planned phase may miss the transcript's end


def known_phases(marked: Sequence[Phase], planned: Sequence[Phase], sentences: Sequence[Sentence]) -> tuple[Phase, ...]:
    """The marked phases; else planned ones whose every start meets the start of a sentence; else none.

    Planned times are hints, a session runs minutes early or late: whole minutes of a programme do not all fall on
    sentence starts, times that were written after the event do.
    """
    if marked:
        return tuple(phase for phase in marked if phase.start is not None and phase.end is not None)
    if not planned or not sentences:
        return ()
    starts = [item.start for item in sentences]
    for phase in planned:
        if phase.start is None or phase.end is None:
            return ()
        if min(abs(phase.start - start) for start in starts) > NEAR:
            return ()
    last = max(phase.end or 0.0 for phase in planned)
    return tuple(planned) if abs(last - sentences[-1].end) <= END_SLACK else ()


def with_phases(sentences: Sequence[Sentence], phases: Sequence[Phase]) -> tuple[Sentence, ...]:
    """The sentences, each with the phase its middle lies in."""
    return tuple(
        msgspec.structs.replace(item, phase=phase_at((item.start + item.end) / 2, phases)) for item in sentences
    )


def phase_at(time: float, phases: Sequence[Phase]) -> str | None:
    for phase in phases:
        if phase.start is not None and phase.end is not None and phase.start <= time < phase.end:
            return phase.id
    return None
