"""Opens media files: by content, never by name, never a playlist, never over a network."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from transcriber.datatypes import SAMPLE_RATE, AudioFile, Recording
from transcriber.errors import InputError, NoSpeechError
from transcriber.workspace import check_regular_file

if TYPE_CHECKING:
    import av

# A file is opened as what it contains, whatever its name says, and never as a playlist or over a network.
FORMATS = "wav,w64,flac,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,aiff,caf,amr,asf,avi,flv,mpegts,mpeg,au"
MEDIA_SUFFIXES = frozenset(
    ".wav .w64 .rf64 .flac .mp3 .ogg .oga .opus .m4a .mp4 .mov .mkv .mka .webm .aac .aif .aiff .caf .avi .wma".split()  # noqa: SIM905 (a table, not code)
)
# What recorders write into a WAV header while they do not know its length yet.
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0xFFFFFFFF, 0xFFFFFFFF - 36)


def probe(path: Path, *, session: str) -> Recording:
    """A media file as a recording of one part. Raises InputError, NoSpeechError (no sound in it)."""
    with open_media(path) as container:
        stream = container.streams.audio[0]
        duration = container.duration / 1e6 if container.duration else None
        return Recording(
            session=session,
            segments=(AudioFile(path=str(path.absolute())),),
            sample_rate=stream.rate or SAMPLE_RATE,
            n_samples=None if duration is None else round(duration * (stream.rate or SAMPLE_RATE)),
            started_at=_started_at(container.metadata),
        )


def open_media(path: Path) -> av.container.InputContainer:
    """The file at `path`, opened by its content. Raises InputError (unreadable), NoSpeechError (no sound in it)."""
    import av

    check_regular_file(path)
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        container = av.open(f"file:{path.absolute()}", metadata_errors="ignore", options=options)
    except (av.error.FFmpegError, OSError, ValueError, EOFError, IndexError) as error:
        raise _unreadable(path, error) from error
    if not container.streams.audio or not container.streams.audio[0].rate:
        container.close()
        raise NoSpeechError(f"{path} holds no sound.", hint="Name the file with the session's audio.")
    return container


def _unreadable(path: Path, error: Exception) -> InputError:
    if path.suffix.lower() in (".mp4", ".m4a", ".mov") and not _has_index(path):
        what = f"{path} cannot be read: its index is missing, as when a recorder was stopped by force."
        return InputError(what, hint="Restore it with the recorder's own repair function, or use its backup.")
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(
        f"{path} cannot be read as audio or video ({reason}).",
        hint="Check that it plays in a media player; playlists and raw samples without a header are not accepted.",
    )


def _has_index(path: Path) -> bool:
    """Does an MP4 file hold its index, which lies near its beginning or its end?"""
    with path.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(-min(path.stat().st_size, 1 << 20), 2)
        return b"moov" in head or b"moov" in file.read()


def only_media_file(folder: Path) -> Path:
    """The one media file in a folder. Raises InputError if there is none, or more than one."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in MEDIA_SUFFIXES and p.is_file())
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"{folder} is a folder without a recording in it.", hint="Name a media file instead.")
    raise InputError(
        f"{folder} holds {len(found)} media files, and no journal that tells how they belong together.",
        hint=f"Name the one you mean, for example: {found[0]}",
    )


def _started_at(metadata: dict[str, str]) -> str | None:
    """When the recording began, from its tags: ISO 8601 with the local zone, or None."""
    written = metadata.get("creation_time") or metadata.get("date", "")
    if "origination_date" in metadata:  # Broadcast WAV
        written = f"{metadata['origination_date']}T{metadata.get('origination_time', '').replace('-', ':')}"
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    has_time = len(written) > len("2026-06-24")
    return moment.astimezone().isoformat() if has_time else None


def wav_promise(path: Path) -> float | None:
    """Seconds that a WAV header promises, or None; ffmpeg itself quietly takes what is there."""
    with path.open("rb") as file:
        head = file.read(4096)
    fmt, data = head.find(b"fmt "), head.find(b"data")
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or fmt < 0 or data < fmt or data + 8 > len(head):
        return None
    (bytes_per_second,) = struct.unpack_from("<I", head, fmt + 16)
    (size,) = struct.unpack_from("<I", head, data + 4)
    return None if size in _UNKNOWN_SIZES or not bytes_per_second else size / bytes_per_second
