"""Finds lost sound by the clock, so that time in the files stays time on the wall.

Sound cannot arrive before it exists. So of all blocks, the one that came with the least delay tells when sample 0
was heard, and a block's lateness against that is delay (the driver delivers in bursts, the machine is busy) or
loss. Delay goes away: the backlog is handed over at once and lateness falls back to nothing. Loss stays. The
driver's own overflow flag is not needed for this, and not trusted: some drivers never set it.

Lateness too large for a burst holds the blocks back in memory for a moment (HOLD); if it stays, silence of that
length goes in before them. Smaller losses show as a lateness that no block in WINDOW falls below.
"""

from __future__ import annotations

from typing import NamedTuple

THRESHOLD = 0.020  # shorter stretches are taken for drift of the device's clock
HOLD = 0.5  # blocks under suspicion wait this long: a backlog is handed over faster than that
SETTLE = 0.15  # at a new start: longer than one burst, as only a burst's last block comes without delay
WINDOW = 2.0
MAX_DRIFT = 0.001  # no sound card is this far off; a steadier loss than that is loss
FALSE_ALARM = 0.005  # a block this much too early shows that silence was put in for what was only delay


class Block(NamedTuple):
    """What the driver handed over: `heard` is when, on the take's clock."""

    heard: float
    n_frames: int
    pcm: bytes
    overflow: bool


class Silence(NamedTuple):
    """Stands for sound that was lost."""

    n_frames: int
    cause: str


Piece = Block | Silence


class Timeline:
    """Turns blocks into the pieces of the time line. `position` counts the frames given out so far, silence included.

    `zero_at` is when frame 0 was heard. To go on with a session give the `position` it had reached and its
    `zero_at`: the first blocks then wait until the silence before them can be measured.
    """

    def __init__(
        self, *, rate_hz: int, burst: float, position: int = 0, zero_at: float | None = None, cause: str = "restart"
    ) -> None:
        self.rate_hz = rate_hz
        self.position = position
        self.zero_at = zero_at
        self._suspect = burst * 1.2 + 0.03
        self._cause = cause
        self._settling = zero_at is not None
        self._held: list[Block] = []
        self._held_frames = 0
        self._window_start = 0.0
        self._window_least: float | None = None
        self._window_overflow = False
        self._excess = 0.0  # seconds of silence that turned out to stand for delay
        self._inserted = 0.0

    @property
    def reach(self) -> float:
        """Up to when the take has been heard, as a reading of its clock; what is held back is counted."""
        return (self.zero_at or 0.0) + (self.position + self._held_frames) / self.rate_hz

    def feed(self, block: Block) -> list[Piece]:
        """Take a block in; give out what has its place: often just this block, sometimes nothing yet."""
        if self.zero_at is None:
            self.zero_at = block.heard - block.n_frames / self.rate_hz
        late = self._lateness(block, self._held_frames + block.n_frames)
        if late < 0 and not self._settling:
            self._earlier(-late)
            late = 0.0
        if not self._settling and late < self._suspect:  # what was held was only delayed
            return [*self._release(), *self._pass(block, late)]
        self._held.append(block)
        self._held_frames += block.n_frames
        if block.heard - self._held[0].heard >= (SETTLE if self._settling else HOLD):
            return self._decide()
        return []

    def flush(self) -> list[Piece]:
        """Give out what is held back: the take ends here."""
        if self._settling or (self._held and self._least_lateness() >= HOLD):
            return self._decide()
        return self._release()

    def _lateness(self, block: Block, frames_after: int) -> float:
        assert self.zero_at is not None
        return block.heard - self.zero_at - (self.position + frames_after) / self.rate_hz

    def _least_lateness(self) -> float:
        least, frames = float("inf"), 0
        for block in self._held:
            frames += block.n_frames
            least = min(least, self._lateness(block, frames))
        return least

    def _decide(self) -> list[Piece]:
        """The held blocks stayed late: put the silence in before them."""
        if not self._held:
            return []
        overflow = any(block.overflow for block in self._held)
        cause = self._cause if self._settling else "overflow" if overflow else "the device stopped delivering"
        gap = self._least_lateness()
        if self._settling and gap < 0:  # the clock was read wrong before (by the wall, after a power cut)
            self._earlier(-gap)
        self._settling = False
        self._window_least = None
        return [*self._silence(gap, cause), *self._release()]

    def _release(self) -> list[Piece]:
        held, self._held, self._held_frames = self._held, [], 0
        self.position += sum(block.n_frames for block in held)
        return list(held)

    def _pass(self, block: Block, late: float) -> list[Piece]:
        """A block in good time; once per window, see whether any block of it was."""
        pieces: list[Piece] = []
        if self._window_least is None:
            self._window_start, self._window_least, self._window_overflow = block.heard, late, False
        self._window_least = min(self._window_least, late)
        self._window_overflow |= block.overflow
        elapsed = block.heard - self._window_start
        if elapsed >= WINDOW:
            if self._window_least > THRESHOLD:
                cause = "overflow" if self._window_overflow else "the device lost samples"
                pieces = self._silence(self._window_least, cause)
            else:
                self._later(min(self._window_least, MAX_DRIFT * elapsed))
            self._window_least = None
        self.position += block.n_frames
        return [*pieces, block]

    def _silence(self, gap: float, cause: str) -> list[Piece]:
        """Silence for `gap` seconds, less what was put in too much before."""
        owed = min(max(gap, 0.0), self._excess)
        self._excess -= owed
        self._later(owed)
        n_frames = round((gap - owed) * self.rate_hz)
        if n_frames <= 0:
            return []
        self.position += n_frames
        self._inserted += n_frames / self.rate_hz
        return [Silence(n_frames, cause)]

    def _later(self, amount: float) -> None:
        assert self.zero_at is not None
        self.zero_at += amount

    def _earlier(self, amount: float) -> None:
        assert self.zero_at is not None
        self.zero_at -= amount
        if self._window_least is not None:
            self._window_least += amount
        if amount > FALSE_ALARM:
            self._excess = min(self._excess + amount, self._inserted)


def bursts(latency: float) -> float:
    """How long a burst is for a latency asked for, in seconds: PortAudio hands over a quarter of its ring at a time."""
    return max(0.02, latency / 4)
