"""The arrow: who may import whom, who owns which library, and how large things may grow.

The rules are functions from source text to complaints, so each is also shown a planted breach and must see it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "transcriber"

# From the bottom up; an import goes to a lower line, or stays in its own room.
RANKS = (
    ("errors", "datatypes"),
    ("timecode",),
    ("workspace", "levels"),
    ("journal",),
    ("recordings", "models", "plan", "media", "mixdown"),
    ("audio",),
    ("capture", "transcription", "summary", "documents", "edits"),
    ("options", "runs"),
    ("pipeline",),
    ("doctor", "evaluate"),
    ("",),  # transcriber/__init__.py: the public names
    ("screen",),
    ("cli",),
)
RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms}

# Whoever owns a library imports it when it is used, never when the module is.
OWNERS = {
    "faster_whisper": ("transcription/engine.py", "transcription/vad.py"),
    "ctranslate2": ("transcription/compute.py", "transcription/engine.py"),
    "av": ("audio.py", "media.py", "documents/sound.py", "capture/"),
    "onnxruntime": ("summary/", "transcription/vad.py"),
    "sklearn": ("summary/", "evaluate.py"),
    "sounddevice": ("capture/", "doctor.py"),
    "huggingface_hub": ("models.py", "models/"),
}
VAD_MAY_IMPORT = {"faster_whisper.vad", "faster_whisper.utils", "faster_whisper.assets"}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
MAX_PARAMETERS = 6
FORBIDDEN_MODULES = {"pickle", "joblib", "shelve", "marshal", "dill", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.load", "yaml.load", "os.system"}

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(name: str) -> str:
    """The room of a file ("summary/choose.py" -> "summary"); the package's own __init__.py is ""."""
    first = name.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported name in full, lazy imports included: "transcriber.models.find", "faster_whisper.WhisperModel"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names)


# ---- the rules


def wrong_direction(name: str, source: str) -> Iterator[str]:
    room = room_of(name)
    if room not in RANK:
        yield f"{name} is in no room of RANKS"
        return
    for _, imported in imports(ast.parse(source)):
        if imported.startswith("."):
            yield f"{name} imports {imported}, which is not absolute"
        if imported.split(".")[0] != "transcriber" or imported == "transcriber.__version__":
            continue
        target = imported.split(".")[1] if "." in imported else ""
        target = target if target in RANK or (PACKAGE / target).exists() or (PACKAGE / f"{target}.py").exists() else ""
        if target not in RANK:
            yield f"{name} imports {imported}, which is in no room of RANKS"
        elif target != room and RANK[target] >= RANK[room]:
            yield f"{name} imports {imported}, which is not below it"


def foreign_library(name: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    at_once = {id(node) for node in _run_on_import(tree)}
    for node, imported in imports(tree):
        library = imported.split(".")[0]
        if library not in OWNERS:
            continue
        if not name.startswith(OWNERS[library]):
            yield f"{name} imports {library}, which it does not own"
        if id(node) in at_once:
            yield f"{name} imports {library} when it is imported, not when it is used"
        if name == "transcription/vad.py" and not _is_silero(imported):
            yield f"{name} imports {imported}: only Silero's parts are its business"


def _is_silero(imported: str) -> bool:
    return not imported.startswith("faster_whisper.") or imported.rpartition(".")[0] in VAD_MAY_IMPORT


def _run_on_import(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: all but function bodies and what is only for the type checker."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _run_on_import(node)


def too_large(name: str, source: str) -> Iterator[str]:
    lines = source.splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield f"{name} has {len(lines)} lines"
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (n_lines := _code_lines(node, lines)) > MAX_FUNCTION_LINES:
            yield f"{name}: {node.name} has {n_lines} lines of code"
        arguments = node.args
        named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        n_parameters = len([argument for argument in named if argument not in ("self", "cls")])
        if n_parameters > MAX_PARAMETERS and room_of(name) != "cli":
            yield f"{name}: {node.name} has {n_parameters} parameters"


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    text = lines[body[0].lineno - 1 : node.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text)


def dangerous(name: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    for _, imported in imports(tree):
        if imported.split(".")[0] in FORBIDDEN_MODULES:
            yield f"{name} imports {imported}, which can run code from data"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{name} has a bare except in line {node.lineno}"
        if isinstance(node, ast.Call):
            if (called := ast.unparse(node.func)) in FORBIDDEN_CALLS:
                yield f"{name} calls {called}"
            for keyword in node.keywords:
                if keyword.arg in ("allow_pickle", "shell") and ast.unparse(keyword.value) != "False":
                    yield f"{name} calls {called} with {keyword.arg}"


def badly_named(name: str, source: str) -> Iterator[str]:
    if Path(name).stem in ("utils", "helpers", "misc", "common"):
        yield f"{name} says nothing about what is in it"
    if "from __future__ import annotations" not in source and ("def " in source or "class " in source):
        yield f"{name} lacks `from __future__ import annotations`"


RULES: tuple[Callable[[str, str], Iterator[str]], ...] = (
    wrong_direction,
    foreign_library,
    too_large,
    dangerous,
    badly_named,
)


# ---- the tests


@pytest.mark.parametrize("path", FILES, ids=name_of)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rules(rule: Callable[[str, str], Iterator[str]], path: Path) -> None:
    complaints = list(rule(name_of(path), path.read_text("utf-8")))
    assert not complaints, "\n".join(complaints)


def test_every_room_is_ranked_once() -> None:
    rooms = [room for rank in RANKS for room in rank]
    assert len(rooms) == len(set(rooms))
    assert {room_of(name_of(path)) for path in FILES} <= set(rooms)


LONG = "\n".join(f"    a = {n}" for n in range(MAX_FUNCTION_LINES + 1))


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (wrong_direction, "errors.py", "from transcriber.datatypes import Plan"),
        (wrong_direction, "errors.py", "from transcriber import workspace"),
        (wrong_direction, "audio.py", "import transcriber.pipeline"),
        (wrong_direction, "audio.py", "def late():\n    from transcriber.summary.choose import choose"),
        (wrong_direction, "summary/choose.py", "from transcriber.transcription.engine import Engine"),
        (wrong_direction, "documents/text.py", "from transcriber.edits import apply"),
        (wrong_direction, "pipeline.py", "from transcriber.cli.app import main"),
        (wrong_direction, "models/find.py", "from transcriber import transcribe"),
        (wrong_direction, "summary/choose.py", "from . import talk"),
        (wrong_direction, "newcomer.py", ""),
        (foreign_library, "audio.py", "def f():\n    from faster_whisper import decode_audio"),
        (foreign_library, "pipeline.py", "def f():\n    import ctranslate2"),
        (foreign_library, "transcription/engine.py", "from faster_whisper import WhisperModel"),
        (foreign_library, "transcription/vad.py", "def f():\n    from faster_whisper import WhisperModel"),
        (foreign_library, "audio.py", "try:\n    import av\nexcept ImportError:\n    pass"),
        (foreign_library, "audio.py", "class Reader:\n    import av"),
        (too_large, "plan.py", "\n" * (MAX_FILE_LINES + 1)),
        (too_large, "plan.py", f"def long():\n{LONG}"),
        (too_large, "plan.py", "def many(a, b, c, *, d, e, f, g): ..."),
        (too_large, "plan.py", "class A:\n    def many(self, a, b, c, d, e, f, g): ..."),
        (dangerous, "plan.py", "import pickle"),
        (dangerous, "plan.py", "def f():\n    from joblib import load"),
        (dangerous, "plan.py", "np.load(path, allow_pickle=True)"),
        (dangerous, "plan.py", "torch.load(path)"),
        (dangerous, "plan.py", "yaml.load(text)"),
        (dangerous, "plan.py", "subprocess.run(command, shell=True)"),
        (dangerous, "plan.py", "try:\n    f()\nexcept:\n    pass"),
        (badly_named, "summary/utils.py", ""),
        (badly_named, "plan.py", "def f(): ..."),
    ],
)
def test_a_planted_breach_is_seen(rule: Callable[[str, str], Iterator[str]], name: str, source: str) -> None:
    assert list(rule(name, source))


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (
            wrong_direction,
            "summary/choose.py",
            "from transcriber.summary.talk import Talk\nfrom transcriber import plan, __version__",
        ),
        (wrong_direction, "cli/app.py", "from transcriber import __version__\nimport transcriber.pipeline"),
        (foreign_library, "audio.py", "def f():\n    import av"),
        (foreign_library, "audio.py", "if TYPE_CHECKING:\n    import av"),
        (foreign_library, "transcription/vad.py", "def f():\n    from faster_whisper.vad import get_vad_model"),
        (too_large, "cli/run.py", "def many(a, b, c, d, e, f, g, h): ..."),
        (too_large, "plan.py", f'def short():\n    """{LONG}"""\n    return 1'),
        (dangerous, "plan.py", "np.load(path, allow_pickle=False)\njson.load(file)"),
    ],
)
def test_what_is_allowed_is_not_complained_of(
    rule: Callable[[str, str], Iterator[str]], name: str, source: str
) -> None:
    assert not list(rule(name, source))
