"""Which documents are written, under which names, and how a command names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.documents.build import hostile, panel, session, transcript
from transcriber.documents import FILE_NAMES, WRITERS, Layout, parse_formats, write
from transcriber.errors import StorageError, UsageError


def test_all_formats_are_written_under_their_names(tmp_path: Path) -> None:
    written = write(panel(), tmp_path / "new" / "talks", parse_formats("all"), options=Layout(), audio=b"sound")
    assert [path.name for path in written] == [FILE_NAMES[name] for name in WRITERS]
    assert {path.name for path in (tmp_path / "new" / "talks").iterdir()} == set(FILE_NAMES.values())
    assert all(path.read_bytes().endswith(b"\n") for path in written)


def test_written_again_the_bytes_are_equal(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(panel(), tmp_path / folder, WRITERS, audio=b"sound")
    for name in FILE_NAMES.values():
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_without_a_summary_key_points_are_left_out(tmp_path: Path) -> None:
    written = write(replace(panel(), summary=None), tmp_path, parse_formats("key-points.md,key-points.json,txt"))
    assert [path.name for path in written] == ["transcript.txt"]


def test_the_layout_reaches_the_subtitles(tmp_path: Path) -> None:
    (path,) = write(panel(), tmp_path, ["srt"], options=Layout(max_line_width=20, max_line_count=1))
    lines = [line for line in path.read_text("utf-8").splitlines() if "-->" not in line]
    assert max(map(len, lines)) <= 20


def test_any_text_can_be_written(tmp_path: Path) -> None:
    assert len(write(hostile(), tmp_path, WRITERS)) == len(WRITERS)


def test_a_session_without_a_word_can_be_written(tmp_path: Path) -> None:
    silent = session(transcript())
    assert len(write(silent, tmp_path, WRITERS, audio=b"sound")) == len(WRITERS) - 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        write(panel(), tmp_path / "file" / "talks", ["txt"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("all", tuple(WRITERS)),
        ("srt", ("srt",)),
        (" HTML, .txt ,txt,", ("txt", "html")),
        ("key-points.md", ("key-points.md",)),
    ],
)
def test_formats_are_named_in_a_comma_list(asked: str, found: tuple[str, ...]) -> None:
    assert parse_formats(asked) == found


@pytest.mark.parametrize("asked", ["", ",", "docx", "srt,nope"])
def test_an_unknown_format_is_refused_with_the_valid_ones(asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_formats(asked)
    assert all(name in caught.value.hint for name in WRITERS)
