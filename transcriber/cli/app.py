"""The program `transcriber`: finds the command, runs it, and turns every error into two lines and an exit code.

`COMMANDS` is the table of commands. A command's module is imported when the command is called, so `--help` and
`--version` stay instant. A target is a typer app (a command with sub-commands) or a plain function; a function's
module says in `EXAMPLES`, by command name, the foot of its `--help`. Every long option may be written with
underscores too (`--output_dir`), as in the Whisper family.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from transcriber import __version__
from transcriber.errors import Interrupted, TranscriberError
from transcriber.workspace import storage_error

COMMANDS = {
    "run": ("transcriber.cli.run:run", "Transcribe recordings and find their key points."),
    "transcribe": ("transcriber.cli.run:transcribe", "Transcribe recordings, without key points."),
    "summarise": ("transcriber.cli.run:summarise", "Find the key points in a finished transcript."),
    "explain": ("transcriber.cli.run:explain", "Why was a sentence chosen for a question, or passed over?"),
    "demo": ("transcriber.cli.run:demo", "Run everything on the sample session that ships."),
    "record": ("transcriber.cli.record:record", "Record a session; it survives whatever else dies."),
    "devices": ("transcriber.cli.devices:devices", "List the inputs that can be recorded from."),
    "repair": ("transcriber.cli.repair:repair", "Close what a crash left open in a recorded session."),
    "join": ("transcriber.cli.join:join", "Put parts of one event on one time line."),
    "models": ("transcriber.cli.models:app", "List, verify, import and pull models."),
    "plan": ("transcriber.cli.plan:app", "Write, check and show a session's plan."),
}

EXIT_CODES = (
    "Exit codes: 0 done · 1 unexpected · 2 usage · 3 input missing or unreadable · 4 no usable audio or no speech · "
    "5 model missing or damaged · 6 device trouble · 7 disk full or not writable · 8 plan or settings invalid · "
    "9 session busy · 10 some of several inputs failed · 130, 143, 129 interrupted (finished work is saved)."
)


def examples(*lines: str) -> str:
    """The foot of a command's help; the sign at its beginning keeps the lines as they are."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def group(help_text: str, *, epilog: str | None = None) -> typer.Typer:
    """A command with sub-commands."""
    return typer.Typer(help=help_text, epilog=epilog, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def load(name: str) -> Any:
    """The command of that name, its module imported."""
    target, help_text = COMMANDS[name]
    module_name, _, attribute = target.partition(":")
    module = import_module(module_name)
    found = getattr(module, attribute)
    if not isinstance(found, typer.Typer):
        single = group(help_text)
        single.command(name, help=found.__doc__ or help_text, epilog=getattr(module, "EXAMPLES", {}).get(name))(found)
        found = single
    command = get_command(found)
    command.name = name
    return command


class Root(TyperGroup):
    """Loads commands when they are called, and says errors in two lines."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, known, rest = super().resolve_command(ctx, args)
        return name, load(name) if name and known else known, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (TranscriberError, KeyboardInterrupt, OSError) as error:
            raise typer.Exit(tell(error)) from error


def _with_hyphens(name: str) -> str:
    return name.replace("_", "-")


app = typer.Typer(
    cls=Root,
    help="Record a discussion, transcribe it offline, and find what answers its questions.",
    epilog=EXIT_CODES,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": _with_hyphens},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"transcriber {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose (or set TRANSCRIBER_DEBUG=1).")] = (
        False
    ),
) -> None:
    if debug:
        os.environ["TRANSCRIBER_DEBUG"] = "1"


def _stand_in() -> None:
    """Holds a command's place in the help until `load` brings the real one."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_stand_in)


# ---- errors and signals


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(KeyboardInterrupt):
    """Any of the signals, so that whatever tidies up after Ctrl-C does so after the others."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def tell(error: BaseException) -> int:
    """Say on stderr what happened and what to do next; gives the exit code."""
    if isinstance(error, BrokenPipeError):
        return 128 + signal.SIGPIPE  # whoever read our output has gone: no news, as with any program in a pipe
    if os.environ.get("TRANSCRIBER_DEBUG"):
        traceback.print_exception(error)
    known = _in_our_words(error)
    with suppress(OSError):
        print(f"error: {_printable(known.message)}\nwhat to do: {_printable(known.hint)}", file=sys.stderr)
    return known.exit_code


def _in_our_words(error: BaseException) -> TranscriberError:
    if isinstance(error, TranscriberError):
        return error
    if isinstance(error, KeyboardInterrupt):
        number = error.number if isinstance(error, _Stopped) else signal.SIGINT
        return Interrupted(number, "Interrupted.", hint="Run the same command again to go on: finished work is saved.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return storage_error(error, Path(error.filename or "standard output"))
    return TranscriberError(
        f"Something unexpected: {type(error).__name__}: {error}",
        hint="Run it again with TRANSCRIBER_DEBUG=1 set to see where, and report that.",
    )


def _printable(text: str) -> str:
    """Without what a file name could do to a terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _stop(number: int, _: FrameType | None) -> None:
    """End in good order at the first signal, and at once at the second."""
    for each in _SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, lambda again, _: os._exit(128 + again))
    raise _Stopped(number)


def main() -> NoReturn:
    """The program. A signal that was ignored from outside (nohup) stays ignored."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # paths come out as they are, whatever their bytes
    try:
        app(prog_name="transcriber")
    except SystemExit as done:
        code = done.code
    except Exception as error:
        code = tell(error)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = code or tell(error)
    if isinstance(code, int) and code > 128:
        os._exit(code)  # at once: helper threads may be deep in work that the next run does again
    sys.exit(code)
