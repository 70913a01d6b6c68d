"""transcript.json and key-points.json: exactly the fields of the structs, and the way back."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from transcriber.datatypes import Summary, Transcript
from transcriber.errors import InputError
from transcriber.workspace import check_regular_file

_SCHEMA = "transcriber/transcript/1"
_SURROGATE = re.compile("[\ud800-\udfff]")  # what is left of a file name that is not UTF-8: no JSON may hold it


def transcript_json(transcript: Transcript) -> str:
    return _pretty(transcript)


def key_points_json(summary: Summary) -> str:
    return _pretty(summary)


def read_transcript(path: Path) -> Transcript:
    """The transcript in a transcript.json; fields this version does not know are passed over.

    Raises InputError that names the damaged field.
    """
    check_regular_file(path)
    try:
        transcript = msgspec.json.decode(path.read_bytes(), type=Transcript)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.", hint="Copy it again.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    if transcript.schema != _SCHEMA:
        raise _damaged(path, f"its `schema` is {transcript.schema!r}, not {_SCHEMA!r}")
    _check_times(path, transcript)
    return transcript


def _check_times(path: Path, transcript: Transcript) -> None:
    latest = float("-inf")
    for at, segment in enumerate(transcript.segments):
        if segment.end < segment.start:
            raise _damaged(path, f"segment ends before it starts - at `$.segments[{at}].end`")
        if segment.start < latest:
            raise _damaged(path, f"segment starts before the one above it - at `$.segments[{at}].start`")
        latest = segment.start


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} is no transcript that can be used: {reason}.",
        hint="Name a transcript.json that `transcriber run` wrote, or make it again from the recording.",
    )


def _pretty(value: Transcript | Summary) -> str:
    try:
        packed = msgspec.json.encode(value)
    except UnicodeEncodeError:
        packed = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    return msgspec.json.format(packed, indent=1).decode("utf-8") + "\n"


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(inner) for inner in value]
    return value
