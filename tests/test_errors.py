"""The error tree: one exit code per class, and the tree in the docstring is the real one."""

from __future__ import annotations

import re
import signal

import pytest

from transcriber import errors
from transcriber.errors import Interrupted, TranscriberError

CLASSES = {name: found for name, found in vars(errors).items() if isinstance(found, type)}


def test_every_class_is_a_transcriber_error() -> None:
    assert all(issubclass(found, TranscriberError) for found in CLASSES.values())


def test_no_two_classes_share_an_exit_code() -> None:
    codes = [found.exit_code for name, found in CLASSES.items() if name != "Interrupted"]
    assert sorted(codes) == list(range(1, len(codes) + 1))


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    drawn = dict(re.findall(r"(\w+) +(\d+)(?:/\d+)* +\S", errors.__doc__ or ""))
    real = {name: str(found.exit_code) for name, found in CLASSES.items()}
    real["Interrupted"] = "130"
    assert drawn == real


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_has_the_code_a_shell_gives_it(number: int, code: int) -> None:
    assert Interrupted(number, "Stopped.", hint="Go on.").exit_code == code
    assert TranscriberError.exit_code == 1


def test_an_error_says_what_happened_and_what_to_do() -> None:
    error = errors.InputError("It is gone.", hint="Look elsewhere.")
    assert (error.message, error.hint, str(error)) == ("It is gone.", "Look elsewhere.", "It is gone. Look elsewhere.")
    with pytest.raises(TypeError):
        errors.InputError("no hint")  # type: ignore[call-arg]
