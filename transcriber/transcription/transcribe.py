"""The loop: blocks -> windows -> chunks -> batches -> engine -> journal -> Transcript.

Reading and cutting run ahead in a thread of their own, so the engine never waits for them; the queue between them is
short, so memory stays flat. Which chunks form a batch depends on their numbers alone. A batch is one journal record,
on the disk before the next one is taken up; a resumed run reads the sound again, checks each chunk's samples against
the journal, and asks the engine only for what is missing.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock

import msgspec

from transcriber.audio import Reader, fingerprint
from transcriber.datatypes import SAMPLE_RATE, Gap, Recording, Settings, Source, Transcript
from transcriber.errors import NoSpeechError
from transcriber.journal import Journal
from transcriber.timecode import clock, samples
from transcriber.transcription import vad
from transcriber.transcription.ahead import ahead
from transcriber.transcription.allocator import release
from transcriber.transcription.chunks import Chunk, chunks
from transcriber.transcription.engine import Request
from transcriber.transcription.ladder import Decoder, Outcome, decode_chunks
from transcriber.transcription.segments import Passage, segments
from transcriber.transcription.words import place

LONG_SILENCE_S = 20.0  # without speech: worth a word to the reader


@dataclass(frozen=True, slots=True)
class Job:
    """What to transcribe, and how. `start` and `end` are seconds of the recording."""

    recording: Recording
    settings: Settings
    request: Request
    model: str
    journal: Path
    start: float = 0.0
    end: float | None = None
    batch_size: int = 4
    workers: int = 1
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: seconds of the recording done, chunks done, and of those the ones a former run had done."""

    done: float
    n_chunks: int
    n_resumed: int
    text: str  # of the last chunk


@dataclass
class _Run:
    """What a run gathers: the words of each chunk, and what the reader of the transcript should know."""

    passages: list[Passage] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    n_chunks: int = 0
    n_resumed: int = 0
    n_redone: int = 0
    spoken_until: float = 0.0


Batch = tuple[Chunk, ...]


def transcribe(
    job: Job, *, load_engine: Callable[[], Decoder], progress: Callable[[Progress], None] | None = None
) -> Transcript:
    """The transcript of a recording, resumed from the job's journal if that holds finished chunks.

    `load_engine` is called only if there is something left to compute. Raises InputError, NoSpeechError, ModelError,
    DeviceError, StorageError.
    """
    reader = Reader(job.recording, start=job.start, end=job.end)
    run = _Run(spoken_until=job.start)
    with ThreadPoolExecutor(1) as hashing, Journal(job.journal) as journal:
        sha256 = hashing.submit(fingerprint, job.recording)
        found = chunks(vad.windows(reader), keep_all=not job.settings.vad_filter)
        with closing(ahead(_batches(found, job.batch_size), depth=2)) as batches:
            for batch, outcomes, resumed in _decoded(batches, job, journal, load_engine):
                _collect(run, batch, outcomes, offset=job.start)
                run.n_chunks += len(batch)
                run.n_resumed += len(batch) * resumed
                if progress:
                    progress(_progress(run, job))
        release()  # the engine is gone by now
        _note_silence(run, job.start + reader.n_samples / SAMPLE_RATE)
        return _transcript(job, reader, run, sha256.result())


def _batches(found: Iterable[Chunk], size: int) -> Iterator[Batch]:
    """The first chunk alone, for an early first text; then `size` chunks at a time."""
    rest = iter(found)
    yield from ((chunk,) for chunk in islice(rest, 1))
    while batch := tuple(islice(rest, size)):
        yield batch


def _decoded(
    batches: Iterable[Batch], job: Job, journal: Journal, load_engine: Callable[[], Decoder]
) -> Iterator[tuple[Batch, tuple[Outcome, ...], bool]]:
    """Each batch with its outcomes, in order, and whether they came from the journal."""
    finished = dict(_readable(journal))
    engine: Decoder | None = None
    writing = Lock()

    def compute(decoder: Decoder, batch: Batch, key: str) -> tuple[Outcome, ...]:
        outcomes = decode_chunks(decoder, batch, job.request)
        with writing:
            release()  # else what each batch leaves behind adds up to a higher peak
            journal.append({"key": key, "outcomes": msgspec.to_builtins(outcomes)})
        return outcomes

    waiting: deque[tuple[Batch, tuple[Outcome, ...] | Future[tuple[Outcome, ...]]]] = deque()
    pool = ThreadPoolExecutor(job.workers, thread_name_prefix="engine")
    try:
        for batch in batches:
            key = _key(batch)
            if key in finished:
                waiting.append((batch, finished[key]))
            else:
                engine = engine or load_engine()
                waiting.append((batch, pool.submit(compute, engine, batch, key)))
            if len(waiting) > job.workers:
                yield _settled(waiting.popleft())
        while waiting:
            yield _settled(waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # what is being computed is still saved


def _readable(journal: Journal) -> Iterator[tuple[str, tuple[Outcome, ...]]]:
    """What the journal holds; a record of another make is as good as none."""
    for record in journal.records:
        with suppress(msgspec.ValidationError, KeyError):
            yield record["key"], msgspec.convert(record["outcomes"], tuple[Outcome, ...])


def _settled(
    item: tuple[Batch, tuple[Outcome, ...] | Future[tuple[Outcome, ...]]],
) -> tuple[Batch, tuple[Outcome, ...], bool]:
    batch, outcomes = item
    if isinstance(outcomes, Future):
        return batch, outcomes.result(), False
    return batch, outcomes, True


def _key(batch: Batch) -> str:
    """What a batch's result depends on, besides what names the journal: the chunks' places and samples."""
    digest = hashlib.sha256()
    for chunk in batch:
        digest.update(f"{chunk.index} {chunk.start_sample} {chunk.time_map} {chunk.voiced} ".encode())
        digest.update(chunk.samples.tobytes())
    return digest.hexdigest()


def _collect(run: _Run, batch: Batch, outcomes: tuple[Outcome, ...], *, offset: float) -> None:
    for chunk, outcome in zip(batch, outcomes, strict=True):
        words = place(outcome.words, chunk, offset_samples=samples(offset))
        begin = offset + chunk.start_sample / SAMPLE_RATE
        if chunk.voiced and not words:
            end = begin + chunk.time_map[-1].session_start / SAMPLE_RATE - chunk.start_sample / SAMPLE_RATE
            run.notices.append(f"Speech between {clock(begin)} and {clock(end)} could not be made out.")
            run.spoken_until = max(run.spoken_until, end)
        run.n_redone += bool(outcome.attempts)
        for text in outcome.left_out:
            run.notices.append(f"Left out near {clock(begin)}, since nobody seems to speak there: “{text}”")
        if words:
            _note_silence(run, words[0].start)
            run.spoken_until = words[-1].end
            run.passages.append(Passage(words, outcome.language, outcome.flags))


def _note_silence(run: _Run, until: float) -> None:
    if until - run.spoken_until > LONG_SILENCE_S:
        run.notices.append(f"No speech from {clock(run.spoken_until)} to {clock(until)}.")


def _progress(run: _Run, job: Job) -> Progress:
    text = "".join(word.text for word in run.passages[-1].words).strip() if run.passages else ""
    return Progress(run.spoken_until - job.start, run.n_chunks, run.n_resumed, text)


def _transcript(job: Job, reader: Reader, run: _Run, sha256: str) -> Transcript:
    duration = reader.n_samples / SAMPLE_RATE
    found = segments(run.passages)
    redone = [f"{run.n_redone} of {run.n_chunks} chunks looked wrong at first and were decoded again."]
    notices = (*job.notices, *reader.trouble.notices(), *run.notices, *(redone if run.n_redone else []))
    if not found:
        raise NoSpeechError(
            " ".join([f"No speech was found in {job.recording.session} ({clock(duration)} of sound).", *notices]),
            hint="Listen to the recording; if somebody speaks very softly, try --no-vad-filter.",
        )
    spoken = [segment.language for segment in found for _ in segment.words]
    return Transcript(
        session=job.recording.session,
        recording=Source(
            file=Path(job.recording.segments[0].path).name
            if len(job.recording.segments) == 1
            else job.recording.session,
            sha256=sha256,
            duration=round(duration, 3),
            start=job.start,
            started_at=job.recording.started_at,
            notices=notices,
        ),
        model=job.model,
        settings=job.settings,
        language=max(sorted(set(spoken)), key=spoken.count),
        segments=found,
        gaps=_gaps(job, [*job.recording.gaps, *reader.trouble.gaps], job.start + duration),
    )


def _gaps(job: Job, found: list[Gap], end: float) -> tuple[Gap, ...]:
    """The gaps inside the stretch, in order."""
    inside = [gap for gap in found if gap.end > job.start and gap.start < end]
    return tuple(sorted(inside, key=lambda gap: (gap.start, gap.end)))
