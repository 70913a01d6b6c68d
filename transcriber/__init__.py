"""Record a discussion, transcribe it offline, find what answers its questions.

    microphone ─capture→ recordings/<session>/ ─audio→ blocks ─transcription→ Transcript
    ─summary→ Summary ─documents→ outputs/<session>/

>>> from pathlib import Path
>>> from transcriber import Options, run
>>> result = run(Path("hall-h.wav"), Options(output_format="html"))  # doctest: +SKIP
>>> [answer.verdict for answer in result.session.summary.answers]  # doctest: +SKIP
['addressed', 'thin', 'not addressed', 'addressed']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from transcriber.datatypes import Plan, Recording, Session, Summary, Transcript
    from transcriber.errors import TranscriberError
    from transcriber.options import Options
    from transcriber.pipeline import Result, key_points, run, summarise, transcribe

__all__ = [
    "Options",
    "Plan",
    "Recording",
    "Result",
    "Session",
    "Summary",
    "TranscriberError",
    "Transcript",
    "key_points",
    "run",
    "summarise",
    "transcribe",
]

_HOMES = {"Plan": "datatypes", "Recording": "datatypes", "Session": "datatypes", "Summary": "datatypes"}
_HOMES |= {"Transcript": "datatypes", "TranscriberError": "errors", "Options": "options"}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that importing the package costs nothing."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"transcriber.{_HOMES.get(name, 'pipeline')}"), name)
