"""The journal's one promise: after any accident, what is read is a prefix of what was written, and nothing else."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber import journal
from transcriber.errors import StorageError
from transcriber.journal import Journal

RECORDS: list[dict[str, Any]] = [
    {"kind": "header", "of": "Früh — ☕"},
    {"kind": "chunk", "index": 0, "text": "line one\nline two"},
    {"kind": "chunk", "index": 0, "text": "line one\nline two"},  # speech repeats itself
    {"kind": "end", "n": 3, "share": 0.5, "none": None, "list": [1, 2, {"deep": "\x00"}]},
]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as opened:
        for record in RECORDS:
            opened.append(record)
    return path


def is_prefix(records: list[dict[str, Any]]) -> bool:
    return records == RECORDS[: len(records)]


def test_what_was_written_is_read(written: Path) -> None:
    assert journal.read(written) == RECORDS
    with Journal(written) as opened:
        assert opened.records == RECORDS


def test_reading_changes_nothing(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-3])
    before = written.read_bytes()
    assert journal.read(written) == RECORDS[:-1]
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none.jsonl") == []


def test_cut_at_every_byte_it_goes_on_after_the_last_whole_line(written: Path) -> None:
    data = written.read_bytes()
    ends = [index + 1 for index, byte in enumerate(data) if byte == 0x0A]
    for length in range(len(data)):
        written.write_bytes(data[:length])
        n_whole = sum(end <= length for end in ends)
        with Journal(written) as opened:
            assert opened.records == RECORDS[:n_whole], length
            opened.append({"more": length})
        assert journal.read(written) == [*RECORDS[:n_whole], {"more": length}]


def test_a_flip_at_any_byte_ends_the_good_part_there(written: Path) -> None:
    data = written.read_bytes()
    for place in range(len(data)):
        for bit in (0x01, 0x20, 0x80):
            written.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
            found = journal.read(written)
            assert found == RECORDS[: data[:place].count(b"\n")], (place, bit)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("order", [(0, 1, 1, 2, 3), (0, 2, 1, 3), (1, 2, 3), (0, 3), (3, 2, 1, 0), (0, 1, 3, 2)])
def test_lines_that_are_repeated_moved_or_missing_are_not_trusted(written: Path, order: tuple[int, ...]) -> None:
    lines = lines_of(written)
    assert len(set(lines)) == len(lines), "equal records must not make equal lines"
    written.write_bytes(b"".join(lines[index] for index in order))
    n_good = next((place for place, index in enumerate(order) if place != index), len(order))
    assert journal.read(written) == RECORDS[:n_good]


def test_lines_of_another_journal_are_not_trusted(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    with Journal(other) as opened:
        opened.append({"kind": "header", "of": "another session"})
        opened.append(RECORDS[1])
    written.write_bytes(lines_of(written)[0] + lines_of(other)[1])
    assert journal.read(written) == RECORDS[:1]


@pytest.mark.parametrize("payload", [b"[1]", b"3", b'"text"', b"{", b"", b"null"])
def test_a_line_with_a_right_checksum_that_holds_no_object_is_not_trusted(tmp_path: Path, payload: bytes) -> None:
    import zlib

    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(payload), payload))
    assert journal.read(path) == []


def test_whole_lines_behind_damage_are_kept_aside(written: Path) -> None:
    lines = lines_of(written)
    written.write_bytes(lines[0] + b"garbage\n" + b"".join(lines[1:]))
    with Journal(written) as opened:
        assert opened.records == RECORDS[:1]
    aside = written.with_name(written.name + ".damaged")
    assert aside.read_bytes() == b"garbage\n" + b"".join(lines[1:])
    assert written.read_bytes() == lines[0]


def test_damage_of_a_second_accident_does_not_overwrite_that_of_the_first(written: Path) -> None:
    lines = lines_of(written)
    for accident in (b"first\n", b"second\n"):
        written.write_bytes(lines[0] + accident)
        Journal(written).close()
    kept = b"".join(path.read_bytes() for path in sorted(written.parent.glob("*.damaged*")))
    assert b"first" in kept
    assert b"second" in kept


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=5), data=st.data())
def test_any_records_survive_and_any_cut_leaves_a_prefix(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("any") / "journal.jsonl"
    with Journal(path) as opened:
        for record in records:
            opened.append(record, sync=False)
    assert journal.read(path) == records
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    found = journal.read(path)
    assert found == records[: len(found)]


# ---- trouble while writing


def test_a_short_write_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:7]))
    path = tmp_path / "journal.jsonl"
    with Journal(path) as opened:
        for record in RECORDS:
            opened.append(record)
    assert journal.read(path) == RECORDS


def test_a_failed_write_changes_nothing_and_the_next_one_works(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_bytes()
    real = os.write
    calls = 0

    def half_then_full(handle: int, data: memoryview) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, bytes(data)[:5])

    with Journal(written) as opened:
        monkeypatch.setattr(os, "write", half_then_full)
        with pytest.raises(StorageError, match="disk is full") as caught:
            opened.append({"lost": True})
        monkeypatch.setattr(os, "write", real)
        assert caught.value.exit_code == 7
        assert written.read_bytes() == before
        opened.append({"kept": True})
    assert journal.read(written) == [*RECORDS, {"kept": True}]


def test_a_failed_sync_takes_its_record_back(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "fdatasync" if hasattr(os, "fdatasync") else "fsync"

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Journal(written) as opened:
        monkeypatch.setattr(os, name, fail)
        with pytest.raises(StorageError):
            opened.append({"unsure": True})
    assert journal.read(written) == RECORDS


FILL = """
import resource, signal, sys
from pathlib import Path
from transcriber.errors import StorageError
from transcriber.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
n = 0
try:
    while True:
        journal.append({"n": n, "text": "x" * 40})
        n += 1
except StorageError as error:
    assert error.exit_code == 7
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append({"n": n, "text": "y"})
print(n)
"""


def test_at_a_real_limit_of_the_file_system_all_acknowledged_records_are_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", FILL, path], capture_output=True, text=True, check=True)
    n = int(done.stdout)
    assert n > 5
    assert [record["n"] for record in journal.read(path)] == list(range(n + 1))


KILLED = """
import os, signal, sys
from pathlib import Path
from transcriber.journal import Journal
journal = Journal(Path(sys.argv[1]))
n = 0
while True:
    journal.append({"n": n}, sync=False)
    print(n, flush=True)
    n += 1
"""


def test_after_kill_9_every_acknowledged_record_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = -1
        for line in process.stdout:
            told = int(line)
            if told >= 300:
                process.kill()
                break
        told = max([told, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    numbers = [record["n"] for record in journal.read(path)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > told


def test_a_folder_that_may_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        Journal(tmp_path / "file" / "journal.jsonl")


def test_no_handle_is_left_open(written: Path) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(min(soft, 2048) + 10):
        Journal(written).close()
