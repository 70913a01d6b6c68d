"""A session's documents: one pure function per format, and one place that writes them.

Session ─→ transcript.txt .srt .vtt .md .json, key-points.md .json, report.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from transcriber.datatypes import Session
from transcriber.documents import report, subtitles, tables, text
from transcriber.documents.cues import Layout
from transcriber.errors import UsageError
from transcriber.workspace import make_folder, write_atomic

__all__ = ["FILE_NAMES", "SUMMARY_FORMATS", "WRITERS", "Layout", "parse_formats", "write"]

Writer = Callable[[Session, Layout, bytes | None], str | None]

# Each gives the document's text; None where the session has nothing for it (key points without a summary).
# The last argument is the sound of the transcribed stretch as an .m4a file, which only the page takes along.
WRITERS: dict[str, Writer] = {
    "txt": lambda session, layout, audio: text.transcript_txt(session),
    "srt": lambda session, layout, audio: subtitles.srt(session, layout),
    "vtt": lambda session, layout, audio: subtitles.vtt(session, layout),
    "md": lambda session, layout, audio: text.transcript_md(session),
    "json": lambda session, layout, audio: tables.transcript_json(session.transcript),
    "key-points.md": lambda session, layout, audio: (
        text.key_points_md(session, session.summary) if session.summary else None
    ),
    "key-points.json": lambda session, layout, audio: (
        tables.key_points_json(session.summary) if session.summary else None
    ),
    "html": lambda session, layout, audio: report.render(session, audio=audio),
}

SUMMARY_FORMATS = ("key-points.md", "key-points.json")

FILE_NAMES: dict[str, str] = {
    **{name: f"transcript.{name}" for name in ("txt", "srt", "vtt", "md", "json")},
    **{name: name for name in SUMMARY_FORMATS},
    "html": "report.html",
}


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats an `--output-format` names: a comma list, or "all". Raises UsageError that names the valid ones.

    >>> parse_formats("srt, txt,srt")
    ('txt', 'srt')
    """
    asked = {name.strip().lower().lstrip(".") for name in text.split(",")} - {""}
    if unknown := sorted(asked - {*WRITERS, "all"}):
        raise UsageError(f"There is no output format {', '.join(unknown)}.", hint=f"Use {_valid()}.")
    if not asked:
        raise UsageError("No output format is named.", hint=f"Use {_valid()}.")
    return tuple(name for name in WRITERS if name in asked or "all" in asked)


def _valid() -> str:
    return f"all, or a comma list of: {', '.join(WRITERS)}"


def write(
    session: Session, folder: Path, formats: Iterable[str], *, options: Layout | None = None, audio: bytes | None = None
) -> tuple[Path, ...]:
    """Write the session's documents into a folder, each whole or not at all; the paths written, in order.

    Without a summary there are no key points to write. `audio` is the transcribed stretch as an .m4a file
    (see `sound.encode_aac`) and goes into the page. Raises StorageError.
    """
    make_folder(folder)
    written = []
    for name in formats:
        content = WRITERS[name](session, options or Layout(), audio)
        if content is None:
            continue
        path = folder / FILE_NAMES[name]
        write_atomic(path, content)
        written.append(path)
    return tuple(written)
