"""The only file that knows the order of the stages; the command line and the public functions both call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from transcriber import audio, models, plan, workspace
from transcriber.datatypes import SAMPLE_RATE, Plan, Recording, Session, Settings, Summary, Transcript, Verdict
from transcriber.documents import SUMMARY_FORMATS, Layout, parse_formats, write
from transcriber.documents.sound import encode_aac
from transcriber.documents.tables import read_transcript
from transcriber.errors import InputError, PlanError, UsageError
from transcriber.options import Options
from transcriber.runs import journal_path, session_folder
from transcriber.summary.encoder import SentenceEncoder
from transcriber.summary.explain import Explanation
from transcriber.summary.explain import explain as _explain
from transcriber.summary.model import EvidenceModel
from transcriber.summary.sentences import sentences
from transcriber.summary.summarise import SummaryOptions, read
from transcriber.summary.summarise import summarise as find_key_points
from transcriber.timecode import parse_offset
from transcriber.transcription import engine
from transcriber.transcription import transcribe as loop
from transcriber.transcription.compute import Compute, plan_compute
from transcriber.transcription.prompt import build_prompt

SENTENCE_ENCODER = "minilm-l6-v2-int8"
EVIDENCE_RANKER = "evidence-ranker"
PLAN_FILES = ("plan.toml", "plan.json")  # beside a recording, or in a session's folder of documents
_LIBRARIES = ("faster-whisper", "ctranslate2", "onnxruntime", "av", "numpy")

NO_PLAN = "No plan was given, so the built-in one was used (the ISC session on AI factories)."

ReportProgress = Callable[[loop.Progress, float | None], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run made: the session, its folder, and the files in it."""

    session: Session
    folder: Path
    paths: tuple[Path, ...]


def run(recording: Path, options: Options | None = None, *, progress: ReportProgress | None = None) -> Result:
    """Transcribe a recording, find the key points, write all documents. Each stage is saved before the next begins."""
    options = options or Options()
    parse_formats(options.output_format)
    _check_task(options)
    opened = _open(recording, options)
    session_plan = _plan(options, recording)
    folder = session_folder(opened, options.output_dir or workspace.outputs(), stretch=_stretch(opened, options))
    with workspace.session_lock(folder, doing=f"run {recording}"):
        transcript = _transcript(opened, session_plan, options, folder=folder, progress=progress)
        _keep_plan(session_plan, folder)
        session = Session(plan=session_plan, recording=opened, transcript=transcript)
        formats = parse_formats(options.output_format)
        write(session, folder, [name for name in formats if name != "html"], options=_layout(options))
        return _summarised(session, folder, options)


def transcribe(recording: Path, options: Options | None = None, *, progress: ReportProgress | None = None) -> Result:
    """Transcribe a recording and write the transcript's documents."""
    options = options or Options()
    formats = [name for name in parse_formats(options.output_format) if name not in SUMMARY_FORMATS]
    if not formats:
        raise UsageError("`transcribe` finds no key points.", hint="Use `run`, or another --output-format.")
    _check_task(options)
    opened = _open(recording, options)
    session_plan = _plan(options, recording)
    folder = session_folder(opened, options.output_dir or workspace.outputs(), stretch=_stretch(opened, options))
    with workspace.session_lock(folder, doing=f"transcribe {recording}"):
        transcript = _transcript(opened, session_plan, options, folder=folder, progress=progress)
        _keep_plan(session_plan, folder)
        session = Session(plan=session_plan, recording=opened, transcript=transcript)
        paths = write(session, folder, formats, options=_layout(options), audio=_sound(session, formats))
        return Result(session, folder, paths)


def summarise(transcript: Path, options: Options | None = None, *, recording: Path | None = None) -> Result:
    """Find the key points in a finished transcript (transcript.json) and write its documents anew.

    With the `recording` the report can play its quotes.
    """
    options = options or Options()
    transcript = transcript / "transcript.json" if transcript.is_dir() else transcript
    read = read_transcript(transcript)
    opened = _recording_of(read, recording)
    session = Session(plan=_plan(options, transcript.parent), recording=opened, transcript=read)
    folder = transcript.parent if options.output_dir is None else options.output_dir / workspace.safe_name(read.session)
    with workspace.session_lock(folder, doing=f"summarise {transcript}"):
        _keep_plan(session.plan, folder)
        return _summarised(session, folder, options)


def sample_session() -> Path:
    """The recording that ships with the program."""
    return workspace.shipped() / "recordings" / "sample-session"


def explain(transcript: Path, question: str, options: Options | None = None) -> tuple[Verdict, tuple[Explanation, ...]]:
    """The verdict on a question (its id), and why sentences were chosen for it or passed over, best first."""
    options = options or Options()
    transcript = transcript / "transcript.json" if transcript.is_dir() else transcript
    read_back = read_transcript(transcript)
    session_plan = _plan(options, transcript.parent)
    rows = [row for row, asked in enumerate(session_plan.questions) if asked.id == question]
    if not rows:
        known = ", ".join(asked.id for asked in session_plan.questions)
        raise UsageError(f"The plan has no question {question!r}.", hint=f"Its questions are: {known}.")
    spoken = sentences(read_back)
    if not spoken:
        return "not addressed", ()
    reading = read(spoken, session_plan, encoder=_encoder(), model=_ranker())
    told = _explain(reading, rows[0], points=options.points, words=options.words)
    return reading.judgements[rows[0]].verdict, told


def _summarised(session: Session, folder: Path, options: Options) -> Result:
    chosen = SummaryOptions(points=options.points, words=options.words, phases=session.recording.phases)
    session = msgspec.structs.replace(session, summary=key_points(session.transcript, session.plan, options=chosen))
    formats = parse_formats(options.output_format)
    paths = write(session, folder, formats, options=_layout(options), audio=_sound(session, formats))
    return Result(session, folder, paths)


def key_points(transcript: Transcript, session_plan: Plan, *, options: SummaryOptions | None = None) -> Summary:
    """The key points of a transcript for each of the plan's questions."""
    return find_key_points(transcript, session_plan, encoder=_encoder(), model=_ranker(), options=options)


def _encoder() -> SentenceEncoder:
    return SentenceEncoder(models.find(SENTENCE_ENCODER, kind="sentence-encoder").folder)


def _ranker() -> EvidenceModel:
    return EvidenceModel.load(models.find(EVIDENCE_RANKER, kind="ranker").folder)


def _sound(session: Session, formats: Sequence[str]) -> bytes | None:
    """The transcribed stretch as AAC, for the report; None if there is none to write, or no recording at hand."""
    if "html" not in formats or not session.recording.segments:
        return None
    source = session.transcript.recording
    return encode_aac(audio.Reader(session.recording, start=source.start, end=source.start + source.duration))


def _check_task(options: Options) -> None:
    if options.task not in ("transcribe", "translate"):
        raise UsageError(f"There is no task {options.task!r}.", hint="Use transcribe, or translate (into English).")


def _open(path: Path, options: Options) -> Recording:
    opened = audio.open_recording(path)
    if options.started_at is None:
        return opened
    try:
        moment = datetime.fromisoformat(options.started_at)
    except ValueError as error:
        raise UsageError(
            f"{options.started_at!r} is no date and time.", hint="Write --started-at as 2026-06-24T17:25:00."
        ) from error
    return msgspec.structs.replace(opened, started_at=moment.isoformat())


def _recording_of(transcript: Transcript, path: Path | None) -> Recording:
    if path is not None:
        opened = audio.open_recording(path)
        if audio.fingerprint(opened) != transcript.recording.sha256:
            raise InputError(
                f"{path} is not the recording that this transcript was made from (its SHA-256 differs).",
                hint=f"It was made from {transcript.recording.file}.",
            )
        return opened
    return Recording(session=transcript.session, segments=(), sample_rate=SAMPLE_RATE, n_samples=None)


def _plan(options: Options, beside: Path) -> Plan:
    if options.plan is not None:
        return plan.read(options.plan)
    folder = beside if beside.is_dir() else beside.parent
    own = next((folder / name for name in PLAN_FILES if (folder / name).is_file()), None)
    return plan.read(own) if own else plan.builtin()


def _keep_plan(session_plan: Plan, folder: Path) -> None:
    """The plan lies beside the documents made with it, so that `summarise` and `explain` find it."""
    workspace.write_atomic(folder / PLAN_FILES[-1], msgspec.json.format(msgspec.json.encode(session_plan), indent=1))


def _layout(options: Options) -> Layout:
    return Layout(max_line_width=options.max_line_width, max_line_count=options.max_line_count)


def _transcript(
    recording: Recording,
    session_plan: Plan,
    options: Options,
    *,
    folder: Path,
    progress: ReportProgress | None,
) -> Transcript:
    engine.check_languages({options.language, *options.languages} - {"auto"})
    model = models.find(options.model)
    start, end = _stretch(recording, options)
    compute = plan_compute(options.device, options.compute_type, n_threads=options.threads)
    is_guess = session_plan == plan.builtin()  # its glossary is English, and perhaps of another session
    wanted = options.glossary and not (is_guess and options.language not in ("auto", "en"))
    prompt, notices = _prompt(session_plan if wanted else None, options, model.folder)
    request = engine.Request(
        language=None if options.language == "auto" else options.language,
        languages=options.languages,
        task=options.task,
        beam_size=options.beam_size,
        prompt=prompt,
        prompt_language="en" if is_guess and wanted else None,
        prompt_elsewhere=_prompt(None, options, model.folder)[0],
    )
    settings = _settings(options, model.sha256, compute, prompt)
    job = loop.Job(
        recording=recording,
        settings=settings,
        request=request,
        model=model.name,
        journal=journal_path(folder, recording, [settings, request, options.batch_size], stretch=(start, end)),
        start=start,
        end=end,
        batch_size=options.batch_size,
        workers=compute.workers,
        notices=(*notices, *([NO_PLAN] if is_guess else [])),
    )
    total = _length(recording, start, end)
    report = None if progress is None else lambda done: progress(done, total)
    return loop.transcribe(job, load_engine=lambda: engine.Engine(model.folder, compute=compute), progress=report)


def _stretch(recording: Recording, options: Options) -> tuple[float, float | None]:
    started_at = datetime.fromisoformat(recording.started_at) if recording.started_at else None
    start = parse_offset(options.start, started_at=started_at) if options.start else 0.0
    end = parse_offset(options.end, started_at=started_at) if options.end else None
    if end is not None and end <= start:
        raise UsageError(f"--to {options.end} is not after --from {options.start or '0'}.", hint="Swap them?")
    length = _length(recording, 0.0, None)
    if length is not None and start >= length:
        raise UsageError(f"--from {options.start} is past the recording's end.", hint="Give an earlier time.")
    return start, end


def _length(recording: Recording, start: float, end: float | None) -> float | None:
    """Seconds to transcribe, as far as the recording's length is known."""
    if recording.n_samples is None:
        return None if end is None else end - start
    whole = recording.n_samples / recording.sample_rate
    return max(0.0, min(whole, end if end is not None else whole) - start)


def _prompt(session_plan: Plan | None, options: Options, model: Path) -> tuple[str, tuple[str, ...]]:
    terms = [*options.hotwords.split(","), *(session_plan.glossary if session_plan else ())]
    try:
        prompt = build_prompt(options.initial_prompt, terms, count_tokens=engine.token_counter(model))
    except ValueError as error:
        raise PlanError(f"--initial-prompt is too long: {error}.", hint="Shorten it.") from error
    if not prompt.dropped:
        return prompt.text, ()
    return prompt.text, (f"No room in the prompt for these glossary terms: {', '.join(prompt.dropped)}.",)


def _settings(options: Options, model_sha256: str, compute: Compute, prompt: str) -> Settings:
    return Settings(
        language=options.language,
        languages=options.languages,
        task="translate" if options.task == "translate" else "transcribe",
        device=compute.device,
        compute_type=compute.compute_type,
        beam_size=options.beam_size,
        initial_prompt=prompt,
        hotwords=options.hotwords,
        vad_filter=options.vad_filter,
        model_sha256=model_sha256,
        versions={name: version(name) for name in _LIBRARIES},
    )
