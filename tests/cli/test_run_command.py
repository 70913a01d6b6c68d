"""`run` as a user calls it: bad input, exit codes, several files, a real kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.transcription.test_transcribe import write_wav
from transcriber.pipeline import sample_session

DATA = Path(__file__).parents[1] / "data"
JFK = DATA / "jfk.flac"
COMMAND = [sys.executable, "-c", "from transcriber.cli.app import main; main()"]


def transcriber(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=folder, env=environment(), capture_output=True, text=True, timeout=240
    )


def start(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*COMMAND, *arguments], cwd=folder, env=environment(), stdout=quiet, stderr=quiet)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("missing.wav", 3, "does not exist"),
        ("text.wav", 3, "cannot be read as audio"),
        ("empty.wav", 3, "is empty"),
        ("folder", 3, "without a recording"),
        ("quiet.wav", 4, "No speech was found"),
    ],
)
def test_bad_recordings(tmp_path: Path, name: str, code: int, says: str) -> None:
    (tmp_path / "text.wav").write_text("no sound at all " * 100)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder").mkdir()
    write_wav(tmp_path / "quiet.wav", np.zeros(16_000 * 3, np.int16))
    done = transcriber("run", name, folder=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "what to do:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--model", "small"], 5, "models pull small"),
        (["--output_format", "pdf"], 2, "no output format"),
        (["--from", "0:09", "--to", "0:03"], 2, "not after"),
        (["--from", "@17:30"], 2, "--started-at"),
        (["--from", "1:00:00"], 2, "past the recording's end"),
        (["--plan", "nowhere.toml"], 3, "does not exist"),
        (["--language", "klingon"], 2, "klingon"),
        (["--compute-type", "int4"], 6, "int4"),
        (["--task", "sing"], 2, "no task"),
        (["--initial-prompt", "word " * 300], 8, "too long"),
    ],
)
def test_bad_options(tmp_path: Path, options: list[str], code: int, says: str) -> None:
    done = transcriber("run", JFK, *options, folder=tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    done = transcriber("run", "missing.wav", JFK, "--output-format", "txt,key-points.json", folder=tmp_path)
    assert done.returncode == 10
    made = [tmp_path / "outputs/jfk" / name for name in ("transcript.txt", "key-points.json")]
    assert [Path(line) for line in done.stdout.splitlines()] == made
    assert "ask what you can do for your" in made[0].read_text()
    assert "missing.wav" in done.stderr


def test_two_recordings_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    shutil.copy(JFK, tmp_path / "talk.flac")
    sound = np.concatenate([np.zeros(8000, np.int16), _jfk_samples()])
    write_wav(tmp_path / "card" / "talk.wav", sound)
    done = transcriber("transcribe", "talk.flac", "card/talk.wav", "-f", "json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "outputs").iterdir()) == ["talk", "talk-2"]


def _jfk_samples() -> np.ndarray:
    from transcriber.audio import Reader, open_recording

    return np.concatenate(list(Reader(open_recording(JFK))))


def test_killed_and_run_again_gives_the_same_bytes(tmp_path: Path) -> None:
    stretch = ["transcribe", str(sample_session()), "--to", "1:40", "--batch-size", "1", "-o"]
    whole = transcriber(*stretch, "whole", folder=tmp_path)
    assert whole.returncode == 0, whole.stderr
    killed = start(*stretch, "killed", folder=tmp_path)
    journal = _wait_for_journal(tmp_path / "killed", n_lines=2)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = journal.read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]
    assert not list((tmp_path / "killed").rglob("transcript.*"))
    again = transcriber(*stretch, "killed", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert journal.read_bytes().startswith(kept)
    n_kept, n_lines = (text.count(b"\n") for text in (kept, journal.read_bytes()))
    assert f"{n_kept} of {n_lines} chunks were done by a former run" in again.stderr
    for name in ("transcript.json", "transcript.srt", "transcript.md"):
        made = [tmp_path / run / "sample-session" / name for run in ("whole", "killed")]
        assert made[0].read_bytes() == made[1].read_bytes()


def _wait_for_journal(folder: Path, *, n_lines: int) -> Path:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for path in folder.rglob("*.jsonl"):
            if path.read_bytes().count(b"\n") >= n_lines:
                return path
        time.sleep(0.05)
    raise AssertionError("the run wrote no journal")


def test_a_second_run_on_the_same_session_names_the_first(tmp_path: Path) -> None:
    first = start("transcribe", str(sample_session()), folder=tmp_path)
    try:
        _wait_for_journal(tmp_path / "outputs", n_lines=1)
        second = transcriber("transcribe", sample_session(), folder=tmp_path)
        assert second.returncode == 9
        assert str(first.pid) in second.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=10) == 130
    finally:
        first.kill()
        first.wait()


def test_clock_time_and_a_stretch(tmp_path: Path) -> None:
    recording = tmp_path / "day.wav"
    write_wav(recording, np.concatenate([np.zeros(16_000 * 60, np.int16), _jfk_samples(), np.zeros(16_000, np.int16)]))
    done = transcriber(
        "transcribe", recording, "--started-at", "2026-06-24T17:29:00", "--from", "@17:30", "-f", "txt", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "ask not" in (tmp_path / "outputs/day/transcript.txt").read_text()
    assert "1:0" in (tmp_path / "outputs/day/transcript.txt").read_text()


def test_summarise_takes_the_plan_of_the_run_and_only_its_own_recording(tmp_path: Path) -> None:
    shutil.copy(JFK, tmp_path / "talk.flac")
    shutil.copy(DATA / "plan-harbour.toml", tmp_path / "plan.toml")
    done = transcriber("run", "talk.flac", "-f", "json,key-points.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    before = (tmp_path / "outputs/talk/key-points.json").read_bytes()
    again = transcriber("summarise", "outputs/talk", "-f", "key-points.json", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "outputs/talk/key-points.json").read_bytes() == before
    write_wav(tmp_path / "other.wav", np.zeros(16_000, np.int16))
    wrong = transcriber("summarise", "outputs/talk", "--recording", "other.wav", folder=tmp_path)
    assert wrong.returncode == 3
    assert "is not the recording" in wrong.stderr


def test_two_stretches_of_a_recording_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for start in ("0", "2"):
        done = transcriber("transcribe", JFK, "--from", start, "-f", "txt", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "outputs").iterdir()) == ["jfk", "jfk-2"]
