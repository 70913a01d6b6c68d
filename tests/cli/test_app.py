"""The frame of the program: lazy, both spellings, two lines for every error, the right exit code for every end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from transcriber import __version__
from transcriber.cli import app as program
from transcriber.errors import BusyError, InputError

HEAVY = {"av", "ctranslate2", "faster_whisper", "sklearn", "onnxruntime", "sounddevice", "huggingface_hub", "numpy"}
MAIN = [sys.executable, "-c", "from transcriber.cli.app import main; main()"]

# A command of the tests' own, put into the table: it does what its argument says.
PROBE = '''
"""A command for tests."""
import os, signal, sys, time
from transcriber.errors import BusyError
EXAMPLES = {"probe": "Examples:"}

def doze():
    for _ in range(300):  # short naps: a signal just before a nap is seen only after it
        time.sleep(0.1)

def probe(what: str, output_dir: str = "here", deep_level: int = 1) -> None:
    if what == "options":
        print(output_dir, deep_level)
    elif what == "own error":
        raise BusyError("It is busy\\x1b[31m.", hint="Wait.")
    elif what == "bug":
        print({}["missing"])
    elif what == "flood":
        for n in range(100_000):
            print(n)
    elif what == "odd name":
        print(os.fsdecode(b"caf\\xe9"))
    elif what == "wait":
        try:
            print("ready", flush=True)
            doze()
        finally:
            print("tidied up", flush=True)
    elif what == "hang":
        try:
            print("ready", flush=True)
            doze()
        except KeyboardInterrupt:
            print("not now", flush=True)
            doze()
'''
RUN_PROBE = (
    "import sys; from transcriber.cli import app; app.COMMANDS['probe'] = ('probe:probe', 'Probe.'); "
    "app.app.command('probe', help='Probe.')(app._stand_in); app.main()"
)


@pytest.fixture
def probe(tmp_path: Path) -> list[str]:
    (tmp_path / "probe.py").write_text(PROBE)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {RUN_PROBE}"
    return [sys.executable, "-c", code, "probe"]


def run(command: list[str], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        errors="surrogateescape",
        check=False,
    )


# ---- lazy


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["models", "--help"], ["plan", "show"]])
def test_nothing_heavy_is_loaded(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom transcriber.cli.app import main\n"
        "try: main()\n"
        f"finally: print('HEAVY', *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = run([sys.executable, "-c", code], *arguments)
    assert done.stderr.splitlines()[-1] == "HEAVY"


def test_the_help_imports_no_command() -> None:
    code = (
        "import sys\nfrom transcriber.cli.app import main\n"
        "try: main()\n"
        "finally: print(*[name for name in sys.modules if name.startswith('transcriber.cli.')], file=sys.stderr)"
    )
    assert run([sys.executable, "-c", code], "--help").stderr.split() == ["transcriber.cli.app"]


def test_every_command_of_the_table_exists_and_shows_examples() -> None:
    runner = CliRunner()
    for name in program.COMMANDS:
        shown = runner.invoke(program.app, [name, "--help"], prog_name="transcriber")
        assert shown.exit_code == 0, name
        assert "Examples:" in shown.stdout
        assert f"transcriber {name}" in shown.stdout


@pytest.mark.parametrize(("name", "commands"), [("models", "list verify import pull"), ("plan", "init check show")])
def test_every_sub_command_shows_examples(name: str, commands: str) -> None:
    for command in commands.split():
        shown = CliRunner().invoke(program.app, [name, command, "--help"], prog_name="transcriber")
        assert shown.exit_code == 0
        assert f"transcriber {name} {command}" in shown.stdout.partition("Examples:")[2]


def test_the_help_lists_all_commands_and_nothing_of_shell_completion() -> None:
    text = CliRunner().invoke(program.app, ["--help"]).stdout
    assert all(f"\n  {name}" in text for name in program.COMMANDS)
    assert "completion" not in text


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version(option: str) -> None:
    done = run(MAIN, option)
    assert (done.returncode, done.stdout) == (0, f"transcriber {__version__}\n")


# ---- spellings and usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output-dir", "there", "--deep-level", "3"],
        ["--output_dir", "there", "--deep_level", "3"],
        ["--output_dir=there", "--deep-level=3"],
    ],
)
def test_both_spellings_of_an_option(probe: list[str], arguments: list[str]) -> None:
    assert run(probe, "options", *arguments).stdout == "there 3\n"


def test_values_keep_their_underscores(probe: list[str]) -> None:
    assert run(probe, "options", "--output_dir", "my_talk_1").stdout == "my_talk_1 1\n"
    assert run(probe, "options", "--output_dir=--a_b").stdout == "--a_b 1\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--nonsense"], ["models", "nonsense"], ["models", "pull"], ["plan", "show", "--x"], []]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(MAIN, *arguments).returncode == 2


def test_a_mistyped_command_is_guessed() -> None:
    assert "'models'" in run(MAIN, "modles").stderr


# ---- errors


def test_an_error_is_two_lines_and_its_exit_code(probe: list[str]) -> None:
    done = run(probe, "own error")
    assert done.returncode == BusyError.exit_code
    assert done.stdout == ""
    assert done.stderr == "error: It is busy�[31m.\nwhat to do: Wait.\n"


def test_a_bug_is_two_lines_that_say_how_to_see_more(probe: list[str]) -> None:
    done = run(probe, "bug")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2
    assert "KeyError" in done.stderr
    assert "TRANSCRIBER_DEBUG=1" in done.stderr


def test_on_request_the_traceback_is_shown(probe: list[str]) -> None:
    assert "Traceback" in run(probe, "bug", TRANSCRIBER_DEBUG="1").stderr
    assert "Traceback" in run([*probe[:-1], "--debug", "probe"], "bug").stderr
    assert "Traceback" in run([*probe[:-1], "--debug", "probe"], "own error").stderr


def test_a_reader_who_leaves_is_no_error(probe: list[str]) -> None:
    with subprocess.Popen([*probe, "flood"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("what", ["options", "flood"])  # found out at the end, and in the midst of it
def test_a_full_disk_behind_stdout_is_exit_code_7(probe: list[str], what: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*probe, what], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 7
    assert done.stderr.startswith("error: The disk is full")
    assert done.stderr.count("\n") == 2


def test_names_that_are_no_text_come_out_as_they_are(probe: list[str]) -> None:
    done = subprocess.run([*probe, "odd name"], capture_output=True, check=True, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.stdout == b"caf\xe9\n"


# ---- signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_lets_the_work_be_tidied_up_and_says_how_to_go_on(
    probe: list[str], number: signal.Signals, code: int
) -> None:
    with subprocess.Popen([*probe, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    assert stdout == "tidied up\n"
    assert stderr.startswith("error: Interrupted.\nwhat to do: Run the same command again")
    assert stderr.count("\n") == 2


def test_a_second_signal_ends_what_the_first_did_not(probe: list[str]) -> None:
    with subprocess.Popen([*probe, "hang"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "not now\n"
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert process.returncode == 130


def test_a_signal_that_is_ignored_from_outside_stays_ignored(probe: list[str]) -> None:
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *probe, "wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
    assert process.returncode == 143


# ---- inside one process


def test_the_runner_sees_the_same_exit_codes() -> None:
    done = CliRunner().invoke(program.app, ["plan", "check", "/none.toml"])
    assert done.exit_code == InputError.exit_code
