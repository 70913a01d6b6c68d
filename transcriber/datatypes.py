"""The nouns that cross a border between stages: frozen, slotted, read and written by msgspec.

All times are seconds in the session (the recording's own time line) unless a name says otherwise. What can be
given from outside (a plan) and what others read (transcript.json, key-points.json) is exactly these fields.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SAMPLE_RATE = 16_000  # of all sound after `audio`: what Whisper and Silero take

PhaseKind = Literal["opening", "talk", "poll", "discussion", "open-mic", "closing", "break", "other"]
Verdict = Literal["addressed", "thin", "not addressed"]


# ---- the plan: what the organisers know beforehand


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One central question; `cues` are hint words of the organiser's own."""

    id: str
    text: str
    cues: tuple[str, ...] = ()


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the run of show. In a plan its times are hints, in a recording they were marked live."""

    id: str
    kind: PhaseKind
    start: float | None = None
    end: float | None = None
    title: str = ""


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    question: str
    options: tuple[str, ...] = ()


class Person(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: str = ""
    affiliation: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A session as planned: any number of questions, everything else optional."""

    title: str
    questions: tuple[Question, ...]
    date: str = ""
    place: str = ""
    phases: tuple[Phase, ...] = ()
    polls: tuple[Poll, ...] = ()
    roster: tuple[Person, ...] = ()
    glossary: tuple[str, ...] = ()
    takeaways: tuple[str, ...] = ()


# ---- the recording: what was heard


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch where sound was lost; silence of the right length stands in its place."""

    start: float
    end: float
    cause: str


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Something the crew noted while recording."""

    at: float
    label: str


class AudioFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a recording: `start_sample` is its place on the session's time line, at the file's own rate."""

    path: str
    start_sample: int = 0
    n_samples: int | None = None


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A session's sound as one time line. Samples are the truth; `n_samples` is None while it is not yet known."""

    session: str
    segments: tuple[AudioFile, ...]
    sample_rate: int
    n_samples: int | None
    started_at: str | None = None  # ISO 8601 with zone, where known
    device: str | None = None
    gaps: tuple[Gap, ...] = ()
    markers: tuple[Marker, ...] = ()
    phases: tuple[Phase, ...] = ()


# ---- the transcript: what was said


class TimePiece(msgspec.Struct, frozen=True, kw_only=True):
    """Samples `chunk_start` onwards of a chunk are samples `session_start` onwards of the session."""

    chunk_start: int
    session_start: int
    n_samples: int


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """`text` keeps its leading space; `probability` is 0 to 1."""

    start: float
    end: float
    text: str
    probability: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A readable stretch of words. `text` is its words joined; `confidence` is their mean probability."""

    id: int
    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    speaker: str | None = None
    language: str = "en"
    confidence: float = 1.0
    flags: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The recording a transcript was made from; `start` and `duration` are the stretch that was transcribed."""

    file: str
    sha256: str
    duration: float
    start: float = 0.0
    started_at: str | None = None
    notices: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides the words. What only decides speed (threads, batch size) is no part of it."""

    language: str = "auto"
    languages: tuple[str, ...] = ()
    task: Literal["transcribe", "translate"] = "transcribe"
    device: str = "auto"
    compute_type: str = "auto"
    beam_size: int | None = None
    initial_prompt: str = ""
    hotwords: str = ""
    vad_filter: bool = True
    model_sha256: str = ""
    versions: dict[str, str] = {}


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was said, and how that was found out."""

    schema: str = "transcriber/transcript/1"
    session: str
    recording: Source
    model: str
    settings: Settings
    language: str
    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...] = ()


# ---- the summary: what answers the questions


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A spoken sentence rebuilt from words. `index` is its identity: speech repeats itself."""

    index: int
    start: float
    end: float
    text: str
    speaker: str | None = None
    phase: str | None = None
    segment_ids: tuple[int, ...] = ()


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """The same point made elsewhere, by whoever made it."""

    start: float
    end: float
    text: str
    speaker: str | None = None


class KeyPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Verbatim words; `start` opens the sound at their first word. `context` is the talk just before them.

    `readable` is `text` without hesitations, what was left out shown as […]; empty where nothing was left out.
    `against` are passages that may disagree.
    """

    question_id: str
    start: float
    end: float
    text: str
    speaker: str | None = None
    score: float
    segment_ids: tuple[int, ...] = ()
    sentences: tuple[int, ...] = ()
    context: str = ""
    also: tuple[Mention, ...] = ()
    readable: str = ""
    against: tuple[Mention, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was said to one question: `id` and `text` are the question's, `airtime` is in seconds.

    `voices` is 0 where speakers are unknown. `note` is a sentence for the reader where the verdict is in doubt.
    `closest` are the nearest passages to a question that was not addressed: they do not answer it.
    """

    id: str
    text: str
    verdict: Verdict
    airtime: float
    voices: int
    key_points: tuple[KeyPoint, ...]
    note: str = ""
    closest: tuple[KeyPoint, ...] = ()


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for one phase. `inferred` says that its borders come from the talk, not from a marker."""

    phase_id: str
    kind: PhaseKind
    title: str
    start: float
    end: float
    quotes: tuple[Mention, ...] = ()
    inferred: bool = False


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A question from the floor with its answer; `answer` is empty where none was heard."""

    question: tuple[Mention, ...]
    answer: tuple[Mention, ...] = ()
    inferred: bool = False


class PollTalk(msgspec.Struct, frozen=True, kw_only=True):
    """A planned poll and what was said of it."""

    id: str
    question: str
    options: tuple[str, ...] = ()
    quotes: tuple[Mention, ...] = ()


class Takeaway(msgspec.Struct, frozen=True, kw_only=True):
    """A takeaway the organisers hoped for, with the passages that carry it; none means it was not heard."""

    text: str
    evidence: tuple[Mention, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True, rename={"answers": "questions"}):
    """The key points per question, each with its evidence."""

    schema: str = "transcriber/key-points/1"
    session: str
    method: str
    answers: tuple[Answer, ...]
    phases: tuple[Highlight, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    polls: tuple[PollTalk, ...] = ()
    takeaways: tuple[Takeaway, ...] = ()


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one session: what each document writer receives."""

    plan: Plan
    recording: Recording
    transcript: Transcript
    summary: Summary | None = None
