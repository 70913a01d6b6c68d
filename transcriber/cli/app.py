"""Finds the command, runs it, and turns every end into an exit code and at most two lines on stderr.

Commands are named in a table and imported only when they are called, so `--help` is instant.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

from transcriber.errors import Interrupted, TranscriberError, UsageError

# name: (where its function or Typer app is, what `transcriber --help` says of it)
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("transcriber.cli.run:run", "Transcribe recordings and find their key points."),
    "transcribe": ("transcriber.cli.run:transcribe", "Transcribe recordings, without key points."),
    "summarise": ("transcriber.cli.run:summarise", "Find the key points in a finished transcript."),
    "demo": ("transcriber.cli.run:demo", "Run everything on the sample session that ships."),
    "plan": ("transcriber.cli.plan:app", "Write, check and show session plans."),
    "models": ("transcriber.cli.models:app", "List, verify, import and pull models."),
}
ALIASES = {"summarize": "summarise"}

USAGE = """\
Usage: transcriber COMMAND [OPTIONS] ...

Records a discussion, transcribes it offline, and finds verbatim key points for each of its central questions.

Commands:
{commands}

Options:
  --version, -V   Show the version.
  --debug         Show the traceback of an unexpected error (or set TRANSCRIBER_DEBUG=1).
  --help, -h      Show this. `transcriber COMMAND --help` shows a command's options, with examples.

Examples:
  transcriber demo
  transcriber run hall-h.wav
  transcriber run recordings/isc-2026 --from @17:30 --to @18:00
"""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The program: runs a command and exits."""
    arguments = [_hyphenated(word) for word in (sys.argv[1:] if argv is None else argv)]
    debug = bool(os.environ.get("TRANSCRIBER_DEBUG"))
    if "--debug" in arguments:
        arguments.remove("--debug")
        debug = True
    try:
        _handle_signals()
        code = _dispatch(arguments)
    except TranscriberError as error:
        _tell(error.message, error.hint)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        _tell(f"unexpected: {type(error).__name__}: {error}", "Run it again with --debug and report what it prints.")
        code = 1
    _leave(code)


def _dispatch(arguments: list[str]) -> int:
    name = next(iter(arguments), "--help")
    if name in ("--help", "-h"):
        print(_usage(), end="")
        return 0
    if name in ("--version", "-V"):
        from transcriber import __version__

        print(f"transcriber {__version__}")
        return 0
    name = ALIASES.get(name, name)
    if name not in COMMANDS:
        raise UsageError(f"There is no command {name!r}.", hint="`transcriber --help` lists the commands.")
    return _run(name, arguments[1:])


def _run(name: str, arguments: list[str]) -> int:
    """Run a command through typer; its own usage errors come back as the exit code 2."""
    import typer

    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    if isinstance(command, typer.Typer):
        app = command
    else:
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        epilog = getattr(import_module(module), "EXAMPLES", {}).get(name)
        app.command(help=COMMANDS[name][1], epilog=epilog)(command)
    try:
        app(arguments, prog_name=f"transcriber {name}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _usage() -> str:
    width = max(map(len, COMMANDS))
    return USAGE.format(commands="\n".join(f"  {name:{width}}   {text}" for name, (_, text) in COMMANDS.items()))


def _hyphenated(word: str) -> str:
    """--output_dir=x -> --output-dir=x: both spellings are common in the Whisper family."""
    if not word.startswith("--"):
        return word
    option, equals, value = word.partition("=")
    return option.replace("_", "-") + equals + value


def _tell(message: str, hint: str) -> None:
    print(f"error: {message}\nwhat to do: {hint}", file=sys.stderr)


def _handle_signals() -> None:
    """The first signal ends the run in good order, a second one at once."""

    def stop(number: int, _: FrameType | None) -> None:
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, lambda again, _: os._exit(128 + again))
        raise Interrupted(
            number,
            f"Stopped by {signal.Signals(number).name}; what was finished is saved.",
            hint="Run the same command again to go on where it stopped.",
        )

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _leave(code: int) -> NoReturn:
    """Exit; after a signal without waiting for the engine, whose unfinished chunk is done again by the next run."""
    if code > 128:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    sys.exit(code)
