"""`run`, `transcribe`, `summarise` and `demo`: from a saved recording to documents."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcriber.cli.app import examples, tell
from transcriber.errors import PartialFailure, UsageError
from transcriber.options import DEFAULT_BATCH_SIZE, DEFAULT_BEAM_SIZE, DEFAULT_MODEL, Options

if TYPE_CHECKING:
    from transcriber.pipeline import Result


def _examples(command: str, formats: str) -> str:
    return examples(
        f"transcriber {command} hall-h.wav",
        f"transcriber {command} recordings/isc-2026 --from @17:30 --to @18:00 --output-format {formats}",
        f"transcriber {command} talk.mp4 --plan my-session.toml --language de --model small",
    )


EXAMPLES = {
    "run": _examples("run", "html,srt"),
    "transcribe": _examples("transcribe", "srt,vtt"),
    "summarise": examples("transcriber summarise outputs/hall-h/transcript.json --recording hall-h.wav"),
    "explain": examples(
        "transcriber explain outputs/hall-h q3", "transcriber explain outputs/hall-h q3 --plan my.toml"
    ),
    "demo": examples("transcriber demo", "transcriber demo --output-dir /tmp/demo"),
}

Recordings = Annotated[list[Path], typer.Argument(help="Media files, or session folders.", show_default=False)]
PlanFile = Annotated[Path | None, typer.Option("--plan", help="The session's plan (TOML or JSON).")]
OutputDir = Annotated[Path | None, typer.Option("--output-dir", "-o", help="Where <session>/ goes.")]
Formats = Annotated[str, typer.Option("--output-format", "-f", help="txt, srt, vtt, md, json, html, or all.")]
Model = Annotated[str, typer.Option("--model", help="A model's name or folder.")]
Language = Annotated[str, typer.Option("--language", help="Spoken language (en, de, ...); auto finds it.")]
Languages = Annotated[str, typer.Option("--languages", help="With auto: only these, as in en,de,fr.")]
Task = Annotated[str, typer.Option("--task", help="transcribe, or translate into English.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, or auto.")]
ComputeType = Annotated[str, typer.Option("--compute-type", help="int8, float32, float16, ...; auto picks.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0: one per core.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, max=64, help="Chunks decoded together.")]
BeamSize = Annotated[int, typer.Option("--beam-size", min=1, max=20, help="1: greedy search, faster and rougher.")]
InitialPrompt = Annotated[str, typer.Option("--initial-prompt", help="Text that sets the style of each chunk.")]
Hotwords = Annotated[str, typer.Option("--hotwords", help="Names to listen for, separated by commas.")]
Glossary = Annotated[bool, typer.Option("--glossary/--no-glossary", help="Listen for the plan's glossary too.")]
VadFilter = Annotated[bool, typer.Option("--vad-filter/--no-vad-filter", help="Leave out what is not speech.")]
Start = Annotated[str | None, typer.Option("--from", help="Begin here: 1:02:03, or clock time @17:30.")]
End = Annotated[str | None, typer.Option("--to", help="End here: 1:32:00, or clock time @18:00.")]
StartedAt = Annotated[str | None, typer.Option("--started-at", help="When the recording began, for @ times.")]
LineWidth = Annotated[int, typer.Option("--max-line-width", min=10, max=200, help="Characters per subtitle line.")]
LineCount = Annotated[int, typer.Option("--max-line-count", min=1, max=4, help="Lines per subtitle.")]
Points = Annotated[int, typer.Option("--points", min=1, max=50, help="Key points per question, at most.")]
Words = Annotated[int | None, typer.Option("--words", min=10, help="Words per answer, at most.")]


def _on_recordings(action: str) -> Callable[..., None]:
    """The command that does `run` or `transcribe` for each recording: both take the same options."""

    def command(
        recordings: Recordings,
        plan: PlanFile = None,
        output_dir: OutputDir = None,
        output_format: Formats = "all",
        model: Model = DEFAULT_MODEL,
        language: Language = "auto",
        languages: Languages = "",
        task: Task = "transcribe",
        device: Device = "auto",
        compute_type: ComputeType = "auto",
        threads: Threads = 0,
        batch_size: BatchSize = DEFAULT_BATCH_SIZE,
        beam_size: BeamSize = DEFAULT_BEAM_SIZE,
        initial_prompt: InitialPrompt = "",
        hotwords: Hotwords = "",
        glossary: Glossary = True,
        vad_filter: VadFilter = True,
        start: Start = None,
        end: End = None,
        started_at: StartedAt = None,
        max_line_width: LineWidth = 42,
        max_line_count: LineCount = 2,
        points: Points = 7,
        words: Words = None,
    ) -> None:
        from transcriber import pipeline

        given = {name: value for name, value in locals().items() if name in Options.__slots__}
        options = Options(**{**given, "languages": tuple(filter(None, map(str.strip, languages.split(","))))})
        _each(recordings, options, getattr(pipeline, action))

    return command


def _each(recordings: list[Path], options: Options, work: Callable[..., Result]) -> None:
    """Do the work for every recording; those that fail are named at the end, the others are done."""
    from transcriber.cli.progress import showing

    _refuse_twins(recordings)
    failed: list[tuple[Path, Exception]] = []
    for path in recordings:
        try:
            with showing(path.name) as progress:
                result = work(path, options, progress=progress)
            _tell(result, f"{result.folder.name}: " if len(recordings) > 1 else "")
        except Exception as error:
            if len(recordings) == 1:
                raise
            tell(error)
            failed.append((path, error))
    if len(failed) == len(recordings):
        raise failed[0][1]
    if failed:
        raise PartialFailure(
            f"{len(failed)} of {len(recordings)} recordings failed: {', '.join(path.name for path, _ in failed)}.",
            hint="The others are done; the errors above say what to do about these.",
        )


def _refuse_twins(recordings: list[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in recordings:
        if (same := seen.setdefault(path.resolve(), path)) is not path:
            raise UsageError(f"{path} is named twice.", hint=f"Name it once: {same}")


def _tell(result: Result, prefix: str = "") -> None:
    """Paths on stdout; what the reader should know on stderr."""
    from transcriber.documents.facts import VERDICTS

    for path in result.paths:
        print(path)
    source = result.session.transcript.recording
    for notice in source.notices:
        print(f"{prefix}note: {notice}", file=sys.stderr)
    if result.session.summary:
        for answer in result.session.summary.answers:
            print(f"{prefix}{VERDICTS[answer.verdict].lower()}: {answer.text}", file=sys.stderr)


run = _on_recordings("run")
transcribe = _on_recordings("transcribe")


def summarise(
    transcript: Annotated[Path, typer.Argument(help="A session's folder in outputs/, or its transcript.json.")],
    recording: Annotated[
        Path | None, typer.Option("--recording", help="Its recording, for a report with sound.")
    ] = None,
    plan: PlanFile = None,
    output_dir: OutputDir = None,
    output_format: Formats = "all",
    points: Points = 7,
    words: Words = None,
) -> None:
    from transcriber import pipeline

    options = Options(plan=plan, output_dir=output_dir, output_format=output_format, points=points, words=words)
    _tell(pipeline.summarise(transcript, options, recording=recording))


def demo(output_dir: OutputDir = None) -> None:
    from transcriber import pipeline

    _each([pipeline.sample_session()], Options(output_dir=output_dir), pipeline.run)


def explain(
    session: Annotated[Path, typer.Argument(help="A session's folder in outputs/, or its transcript.json.")],
    question: Annotated[str, typer.Argument(help="A question's id in the plan, such as q3.")],
    plan: PlanFile = None,
    points: Points = 7,
) -> None:
    """Say why each sentence was chosen for a question, and why the close losers were not."""
    from transcriber import pipeline
    from transcriber.timecode import clock

    verdict, sentences = pipeline.explain(session, question, Options(plan=plan, points=points))
    shown = " (none of these is shown as an answer)" if verdict == "not addressed" else ""
    print(f"{question}: {verdict}{shown}")
    for told in sentences:
        mark = "chosen" if told.chosen else "passed over"
        print(f"{told.rank:3}. {mark}, {clock(told.sentence.start)}: “{told.sentence.text.strip()}”")
        print(f"     {told.why}")
