"""Everything a run can be told: one set of options for the command line and for Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_MODEL = "whisper-base-int8"
DEFAULT_BEAM_SIZE = 5
DEFAULT_BATCH_SIZE = 4


@dataclass(frozen=True, slots=True)
class Options:
    """Everything a run can be told. Names and meanings are those of the Whisper family.

    `start` and `end` are times as people write them ("1:02:03", "@17:30"); `plan` is a TOML or JSON file (default:
    the recording's own plan.toml, else the built-in plan); `output_format` is a comma list or "all".
    """

    plan: Path | None = None
    output_dir: Path | None = None
    output_format: str = "all"
    model: str = DEFAULT_MODEL
    language: str = "auto"
    languages: tuple[str, ...] = ()
    task: str = "transcribe"
    beam_size: int = DEFAULT_BEAM_SIZE
    batch_size: int = DEFAULT_BATCH_SIZE
    initial_prompt: str = ""
    hotwords: str = ""
    glossary: bool = True
    vad_filter: bool = True
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0
    start: str | None = None
    end: str | None = None
    started_at: str | None = None
    max_line_width: int = 42
    max_line_count: int = 2
    points: int = 7
    words: int | None = None
