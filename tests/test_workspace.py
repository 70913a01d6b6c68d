"""Folders, safe names, whole writes and the lock of a session."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transcriber import workspace
from transcriber.errors import BusyError, InputError, StorageError

# ---- names


@given(st.text())
@example("con")
@example("COM1.txt")
@example("../../etc/passwd")
@example("-rf")
@example("." * 300)
@example("nul." + "x" * 200)
@example("a" * 119 + ".-b")
def test_a_safe_name_can_do_no_harm(name: str) -> None:
    safe = workspace.safe_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", safe)
    assert len(safe.encode()) <= 128
    assert safe not in (".", "..")
    assert not safe.endswith((".", "-"))
    assert safe.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.text())
@example("con")
@example("-" + "con" * 60)
@example("é" * 200)
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    safe = workspace.safe_name(name)
    assert workspace.safe_name(safe) == safe


@given(st.text(alphabet="abcXYZ019_", min_size=1, max_size=120))
def test_a_plain_name_is_kept(name: str) -> None:
    if not name.lower().startswith(("com", "lpt", "con", "aux", "nul", "prn")):
        assert workspace.safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [("Früh am Tag", "Fruh-am-Tag"), ("a/b\\c", "a-b-c"), ("", "session"), ("日本", "session"), ("aux", "session-aux")],
)
def test_safe_names(name: str, safe: str) -> None:
    assert workspace.safe_name(name) == safe


# ---- places


def test_the_workspace_is_where_home_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRANSCRIBER_HOME", str(tmp_path))
    assert workspace.models() == tmp_path / "models"
    monkeypatch.setenv("TRANSCRIBER_HOME", "")
    monkeypatch.chdir(tmp_path)
    assert workspace.outputs() == tmp_path / "outputs"


def test_what_ships_is_found() -> None:
    assert (workspace.shipped() / "models" / "whisper-base-int8" / "model.bin").is_file()


# ---- writes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(st.binary() | st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_there(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    path = tmp_path_factory.mktemp("write") / "file"
    workspace.write_atomic(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert names(path.parent) == ["file"]


def fail_with(number: int) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(("where", "step"), [(Path, "open"), (os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Any, step: str, number: int
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(where, step, fail_with(number))
    with pytest.raises(StorageError) as caught:
        workspace.write_atomic(path, "new")
    monkeypatch.undo()
    assert caught.value.exit_code == 7
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    error = workspace.storage_error(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    assert "disk is full" in error.message


LIMITED = """
import resource, signal, sys
from pathlib import Path
from transcriber import workspace
from transcriber.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    workspace.write_atomic(Path(sys.argv[1]), "x" * 5000)
except StorageError as error:
    print(error.exit_code)
"""


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_reader_sees_the_old_or_the_new_file_never_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "file"
    workspace.write_atomic(path, "0" * 100_000)
    code = (
        "import sys\nfrom pathlib import Path\nfrom transcriber import workspace\n"
        "for n in range(200): workspace.write_atomic(Path(sys.argv[1]), str(n % 10) * 100_000)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path]) as writer:
        n_reads = 0
        while writer.poll() is None:
            text = path.read_text()
            assert len(text) == 100_000
            assert len(set(text)) == 1
            n_reads += 1
    assert writer.returncode == 0
    assert n_reads > 0


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        workspace.make_folder(tmp_path / "file" / "folder")


# ---- what may be opened


def test_only_regular_readable_files_with_content_pass(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("x")
    workspace.check_regular_file(tmp_path / "good")
    (tmp_path / "link").symlink_to(tmp_path / "good")
    workspace.check_regular_file(tmp_path / "link")
    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    for name in ("none", "empty", "dangling", "pipe", "."):
        with pytest.raises(InputError) as caught:
            workspace.check_regular_file(tmp_path / name)
        assert caught.value.exit_code == 3, name


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read anything
    with pytest.raises(InputError, match="permission"):
        workspace.check_regular_file(tmp_path / "secret")


# ---- the lock

HOLD = """
import sys
from pathlib import Path
from transcriber.workspace import session_lock
with session_lock(Path(sys.argv[1]), doing="run hall.wav"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_run_is_refused_and_told_who_holds_the_session(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        with pytest.raises(BusyError) as caught, workspace.session_lock(tmp_path, doing="run again"):
            pass
        holder.kill()
    assert caught.value.exit_code == 9
    assert str(holder.pid) in caught.value.message
    assert "run hall.wav" in caught.value.message


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        holder.kill()
    with workspace.session_lock(tmp_path, doing="run"):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), workspace.session_lock(tmp_path, doing="run"):
            raise ZeroDivisionError


def test_of_many_runs_exactly_one_gets_in(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom transcriber.errors import BusyError\n"
        "from transcriber.workspace import session_lock\n"
        "try:\n"
        "    with session_lock(Path(sys.argv[1]), doing='run'):\n"
        "        print('in', flush=True); sys.stdin.read()\n"
        "except BusyError: print('busy', flush=True); sys.stdin.read()\n"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    said = [run.stdout.readline() for run in runs if run.stdout]
    for run in runs:
        run.communicate()
    assert sorted(said) == [b"busy\n"] * 5 + [b"in\n"]


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    with workspace.session_lock(tmp_path, doing="run"):
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
        assert child.stdout is not None
        child.stdout.readline()
    with child, workspace.session_lock(tmp_path, doing="run again"):
        child.kill()
