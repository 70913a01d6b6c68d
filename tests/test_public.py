"""The public names, and that they cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import transcriber

HEAVY = ("av", "ctranslate2", "faster_whisper", "sklearn", "onnxruntime", "sounddevice", "numpy")


def test_public_names() -> None:
    assert {"run", "transcribe", "summarise", "Options", "Plan", "Transcript"} <= set(transcriber.__all__)
    for name in transcriber.__all__:
        assert getattr(transcriber, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = transcriber.nothing


def test_importing_the_package_and_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, transcriber.cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
