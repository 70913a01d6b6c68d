"""Small sessions for the tests, spelt as talk: "Ana 1.0: One two." is a turn that starts at 1 s."""

from __future__ import annotations

from transcriber.datatypes import (
    Answer,
    AudioFile,
    Gap,
    KeyPoint,
    Mention,
    Phase,
    Plan,
    Question,
    Recording,
    Segment,
    Session,
    Settings,
    Source,
    Summary,
    Transcript,
    Word,
)

WORD_TIME = 0.4  # s per word
HOSTILE = "<script>alert(1)</script> --> {\\an8} \u202egnp.exe \x1b[31m & *bold* | `code` \ud800"


def words(text: str, start: float) -> tuple[Word, ...]:
    return tuple(
        Word(
            start=round(start + at * WORD_TIME, 3),
            end=round(start + at * WORD_TIME + 0.35, 3),
            text=f" {word}",
            probability=0.9,
        )
        for at, word in enumerate(text.split(" "))
    )


def segment(number: int, start: float, text: str, speaker: str | None = None, flags: tuple[str, ...] = ()) -> Segment:
    found = words(text, start)
    return Segment(
        id=number,
        start=found[0].start,
        end=found[-1].end,
        text="".join(word.text for word in found),
        words=found,
        speaker=speaker,
        confidence=0.9,
        flags=flags,
    )


def transcript(*segments: Segment, gaps: tuple[Gap, ...] = (), start: float = 0.0) -> Transcript:
    latest = max((segment.end for segment in segments), default=start)
    return Transcript(
        session="talks",
        recording=Source(file="hall.wav", sha256="0" * 64, duration=latest + 1 - start, start=start),
        model="whisper-base-int8",
        settings=Settings(language="en", versions={"engine": "1.2"}),
        language="en",
        segments=segments,
        gaps=gaps,
    )


def session(
    transcript: Transcript,
    *,
    title: str = "The Session",
    questions: tuple[Question, ...] = (),
    phases: tuple[Phase, ...] = (),
    summary: Summary | None = None,
) -> Session:
    plan = Plan(title=title, questions=questions, date="2026-06-24", place="Hall H", phases=phases)
    recording = Recording(
        session="talks", segments=(AudioFile(path="hall.wav"),), sample_rate=16_000, n_samples=None, phases=phases
    )
    return Session(plan=plan, recording=recording, transcript=transcript, summary=summary)


def panel() -> Session:
    """A short panel with all that documents must show: phases, a gap, a doubt, an answer of each verdict."""
    segments = (
        segment(0, 1.0, "Welcome to Hall H. How do they differ?", "Ana Lund"),
        segment(1, 6.0, "They start from data, not from the solver, and that changes what we buy.", "Bo Ek"),
        segment(2, 13.0, "We spent a third of it on storage.", "Bo Ek"),
        segment(3, 20.0, "Mumble mumble & so on.", "Bo Ek", ("low-confidence",)),
        segment(4, 26.0, "In the old centre you waited seven months.", "Cleo"),
        segment(5, 31.0, "Storage is a third for us, too.", "Cleo"),
    )
    questions = (
        Question(id="q1", text="How do AI factories differ?"),
        Question(id="q2", text="Who gets in?"),
        Question(id="q3", text="What do they cost?"),
    )
    storage = KeyPoint(
        question_id="q1",
        start=6.0,
        end=16.15,
        text="They start from data, […] We spent a third of it on storage.",
        speaker="Bo Ek",
        score=0.8,
        segment_ids=(1, 2),
        context="How do they differ?",
        also=(Mention(start=31.0, end=33.75, text="Storage is a third for us, too.", speaker="Cleo"),),
    )
    waited = KeyPoint(
        question_id="q2",
        start=26.0,
        end=29.15,
        text="In the old centre you waited seven months.",
        speaker="Cleo",
        score=0.5,
        segment_ids=(4,),
    )
    answers = (
        Answer(id="q1", text=questions[0].text, verdict="addressed", airtime=10.2, voices=1, key_points=(storage,)),
        Answer(id="q2", text=questions[1].text, verdict="thin", airtime=3.2, voices=1, key_points=(waited,)),
        Answer(id="q3", text=questions[2].text, verdict="not addressed", airtime=0.0, voices=0, key_points=()),
    )
    return session(
        transcript(*segments, gaps=(Gap(start=18.0, end=19.0, cause="input overflow"),)),
        questions=questions,
        phases=(
            Phase(id="opening", kind="opening", start=0.0, end=5.5, title="Welcome"),
            Phase(id="talks", kind="talk", start=5.5, end=25.0, title=""),
            Phase(id="open-mic", kind="open-mic", start=25.5),
        ),
        summary=Summary(session="talks", method="bm25+minilm", answers=answers),
    )


def hostile() -> Session:
    """A session in which every text from outside tries to be more than text."""
    spoken = segment(0, 0.0, HOSTILE, HOSTILE, (HOSTILE,))
    point = KeyPoint(
        question_id="q",
        start=spoken.start,
        end=spoken.end,
        text=HOSTILE,
        speaker=HOSTILE,
        score=1.0,
        context=HOSTILE,
        also=(Mention(start=0.0, end=1.0, text=HOSTILE, speaker=HOSTILE),),
    )
    answer = Answer(id="q", text=HOSTILE, verdict="addressed", airtime=1.0, voices=1, key_points=(point,))
    return session(
        transcript(spoken, gaps=(Gap(start=9.0, end=9.5, cause=HOSTILE),)),
        title=HOSTILE,
        questions=(Question(id="q", text=HOSTILE),),
        phases=(Phase(id="x", kind="talk", start=0.0, title=HOSTILE),),
        summary=Summary(session="talks", method=HOSTILE, answers=(answer,)),
    )
