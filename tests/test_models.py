"""Models by name: what is whole is found, what is not never passes, and nothing arrives by halves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import toy_models
from transcriber import models, workspace
from transcriber.errors import BusyError, ModelError, StorageError, TranscriberError, UsageError
from transcriber.models import ctranslate2_file, known, manifest

SMALL, HUGE = toy_models.files(fill=1), toy_models.files(fill=2)
OWN = toy_models.files(fill=3)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty workspace; the published models are toys, "small" and "huge"."""
    monkeypatch.setenv("TRANSCRIBER_HOME", str(tmp_path / "home"))
    (tmp_path / "known.json").write_bytes(toy_models.known_json(small=SMALL, huge=HUGE))
    monkeypatch.setattr(known, "KNOWN_FILE", tmp_path / "known.json")
    known.all_known.cache_clear()
    yield tmp_path / "home"
    known.all_known.cache_clear()


def hub_folder() -> Path:
    return Path(os.environ["HF_HOME"]) / "hub"


def leftovers(home: Path) -> list[str]:
    folder = home / "models"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- what ships


@pytest.mark.parametrize("name", ["whisper-base-int8", "base", "whisper-base"])
def test_the_default_model_ships_under_all_its_names(name: str) -> None:
    model = models.find(name, kind="whisper")
    assert model.name == models.DEFAULT
    assert model.sha256 == "a6b78731e9322e3e7f037d64bed11a60f6d9c7516477e6bdb2fd1a153ae35a8d"
    assert model.licence == "MIT"


def test_what_ships_is_as_its_papers_say() -> None:
    for name in ("whisper-base-int8", "minilm-l6-v2-int8"):
        folder = models.find(name).folder
        assert models.verify(folder) == ()
        card = (folder / "MODEL_CARD.md").read_text()
        papers = json.loads((folder / "manifest.json").read_text())
        assert all(facts["sha256"] in card for facts in papers["files"].values())
        assert (folder / "LICENSE").stat().st_size > 1000


def test_a_model_of_another_kind_is_refused() -> None:
    assert models.find("minilm-l6-v2-int8", kind="sentence-encoder").kind == "sentence-encoder"
    with pytest.raises(ModelError, match="is a sentence encoder, not a Whisper model"):
        models.find("minilm-l6-v2-int8", kind="whisper")


def test_the_published_models_are_pinned() -> None:
    assert {"tiny", "small", "medium", "large-v3", "large-v3-turbo"} <= {model.name for model in known.all_known()}
    for model in known.all_known():
        assert len(model.sha256) == 64
        assert model.revision is None or len(model.revision) == 40
        assert models.lookup(model.repository) is model
    assert models.lookup("turbo") is models.lookup("large-v3-turbo") is models.lookup("whisper-turbo")
    assert models.lookup("large") is models.lookup("whisper-large-v3")
    assert models.lookup("faster-distil-whisper-small.en") is models.lookup("distil-small.en")
    assert models.lookup("nonsense") is None


# ---- where a name is looked up


def test_workspace_then_shipped_then_hub_cache(home: Path) -> None:
    snapshot = toy_models.write_snapshot(hub_folder(), "small", SMALL)
    assert models.find("small").folder == snapshot
    assert models.find("small").revision == toy_models.revision("small")
    toy_models.write(home / "models" / "small", SMALL)
    for name in ("small", "whisper-small", "faster-whisper-small", "lab/faster-whisper-small"):
        assert models.find(name).folder == home / "models" / "small"
    toy_models.write(home / "models" / "whisper-base-int8", OWN)
    assert models.find("base").folder == home / "models" / "whisper-base-int8"


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_the_hubs_own_variables_are_honoured(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("HF_HOME")
    below = {"HF_HUB_CACHE": "", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    snapshot = toy_models.write_snapshot(tmp_path / "elsewhere" / below, "small", SMALL)
    assert models.find("small").folder == snapshot


def test_another_revision_counts_only_with_the_published_weights(home: Path) -> None:
    toy_models.write_snapshot(hub_folder(), "small", OWN, commit="0" * 40)
    with pytest.raises(ModelError, match="not on this machine"):
        models.find("small")
    right = toy_models.write_snapshot(hub_folder(), "huge", HUGE, commit="0" * 40)
    assert models.find("huge").folder == right


def test_a_half_downloaded_snapshot_is_as_good_as_absent(home: Path) -> None:
    snapshot = toy_models.write_snapshot(hub_folder(), "small", SMALL)
    for name in SMALL:
        (snapshot / name).rename(snapshot / "away")
        with pytest.raises(ModelError, match="not on this machine"):
            models.find("small")
        (snapshot / "away").rename(snapshot / name)
    blob = (snapshot / "model.bin").resolve()
    blob.write_bytes(SMALL["model.bin"][:-1])
    with pytest.raises(ModelError, match="not on this machine"):
        models.find("small")


def test_a_missing_model_names_the_two_commands_that_get_it(home: Path) -> None:
    with pytest.raises(ModelError) as caught:
        models.find("small")
    assert caught.value.exit_code == 5
    assert "transcriber models pull small" in caught.value.hint
    assert "transcriber models import /path/to/faster-whisper-small" in caught.value.hint
    with pytest.raises(ModelError) as caught:
        models.find("smal")
    assert "small" in caught.value.hint


@pytest.mark.parametrize("name", ["", ".", "..", "../small", "a\0b", "~nobody/x", "models/../../etc", "/", "x" * 5000])
def test_a_name_never_leaves_the_models_folder(home: Path, name: str) -> None:
    toy_models.write(home / "small", SMALL)
    (home / "models").mkdir()
    with pytest.raises(TranscriberError) as caught:
        models.find(name)
    assert caught.value.exit_code == 5


def test_a_path_is_taken_as_it_is(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = toy_models.write(tmp_path / "mine", OWN)
    assert models.find(str(folder)).name == "mine"
    monkeypatch.chdir(tmp_path)
    assert models.find("./mine").sha256 == sha256(OWN["model.bin"])
    with pytest.raises(ModelError, match="no folder"):
        models.find("./other")


# ---- damage


def with_papers(folder: Path, contents: dict[str, bytes], *, name: str = "own") -> Path:
    toy_models.write(folder, contents)
    facts = {file: manifest.FileFacts(sha256=sha256(data), bytes=len(data)) for file, data in contents.items()}
    papers = manifest.Manifest(name=name, kind="whisper", licence="MIT", origin="here", revision=None, files=facts)
    (folder / "manifest.json").write_bytes(manifest.encode(papers))
    return folder


@pytest.mark.parametrize("file", sorted(OWN))
def test_a_missing_shorter_or_longer_file_is_seen_at_once(home: Path, file: str) -> None:
    folder = with_papers(home / "models" / "own", OWN)
    for data in (None, OWN[file][:-1], OWN[file] + b"x", b""):
        (folder / file).unlink()
        if data is not None:
            (folder / file).write_bytes(data)
        with pytest.raises(ModelError, match=f"own is not (whole|complete).*{file}"):
            models.find("own")
        (folder / file).write_bytes(OWN[file])
    assert models.find("own").licence == "MIT"


def test_changed_weights_of_the_same_size_are_seen_at_the_next_use(home: Path) -> None:
    folder = with_papers(home / "models" / "own", OWN)
    assert models.find("own").sha256 == sha256(OWN["model.bin"])
    flipped = bytearray(OWN["model.bin"])
    flipped[-60] ^= 1
    (folder / "model.bin").write_bytes(flipped)
    with pytest.raises(ModelError, match="damaged"):
        models.find("own")


@pytest.mark.parametrize("file", sorted(OWN))
def test_verify_sees_any_flip_even_with_size_and_time_as_before(home: Path, file: str) -> None:
    folder = with_papers(home / "models" / "own", OWN)
    models.find("own")
    stat = (folder / file).stat()
    flipped = bytearray(OWN[file])
    flipped[len(flipped) // 2] ^= 0x10
    (folder / file).write_bytes(flipped)
    os.utime(folder / file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    problems = models.verify(folder)
    assert len(problems) == 1
    assert file in problems[0]


def test_a_hash_is_computed_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_papers(home / "models" / "own", OWN)
    first = models.find("own")
    monkeypatch.setattr(manifest, "hash_file", lambda _: pytest.fail("hashed again"))
    assert models.find("own") == first


def test_a_broken_or_unwritable_cache_does_no_harm(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_papers(home / "models" / "own", OWN)
    models.find("own")
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "transcriber" / "model-hashes.json"
    for content in (b"{", b"[]", b'{"a": 3}', b"\xff"):
        cache.write_bytes(content)
        assert models.find("own").name == "own"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert models.find("own").name == "own"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"name":"own","kind":"whisper","licence":"","origin":"","revision":null,"files":{}}',
        b'{"name":"own","kind":"virus","licence":"","origin":"","revision":null,"files":{}}',
        b'{"name":"own","kind":"whisper","licence":"","origin":"","revision":null,'
        b'"files":{"model.bin":{"sha256":"","bytes":1},"../../x":{"sha256":"","bytes":1}}}',
    ],
)
def test_a_manifest_that_cannot_be_trusted(home: Path, content: bytes) -> None:
    folder = toy_models.write(home / "models" / "own", OWN)
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        models.find("own")


def test_a_model_file_cut_anywhere_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    whole = toy_models.model_bin()
    path.write_bytes(whole)
    assert ctranslate2_file.check(path) == "WhisperSpec"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ctranslate2_file.NotWhole):
            ctranslate2_file.check(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(ctranslate2_file.NotWhole, match="too many"):
        ctranslate2_file.check(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (toy_models.model_bin(spec="TransformerSpec"), "no Whisper model"),
        (toy_models.model_bin(version=99), "no CTranslate2 model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "no CTranslate2 model"),
        (b"\0" * 400, "no CTranslate2 model"),
    ],
)
def test_what_is_no_whisper_model(tmp_path: Path, home: Path, data: bytes, says: str) -> None:
    folder = toy_models.write(tmp_path / "mine", {**OWN, "model.bin": data})
    with pytest.raises(ModelError, match=says):
        models.find(str(folder))
    with pytest.raises(ModelError, match=says):
        models.import_folder(folder)
    assert leftovers(home) == []


# ---- the list


def test_the_list_shows_what_is_here_and_what_could_be(home: Path) -> None:
    toy_models.write_snapshot(hub_folder(), "huge", HUGE)
    with_papers(home / "models" / "own", OWN)
    with_papers(home / "models" / "half", OWN, name="half")
    (home / "models" / "half" / "config.json").unlink()
    (home / "models" / ".small.pull").mkdir()
    listed = {model.name: model for model in models.list_models()}
    assert {name: model.where for name, model in listed.items()} == {
        "whisper-base-int8": "shipped",
        "minilm-l6-v2-int8": "shipped",
        "evidence-ranker": "shipped",
        "half": "workspace",
        "own": "workspace",
        "huge": "hub cache",
        "small": "to pull",
    }
    assert [name for name, model in listed.items() if model.is_default] == ["whisper-base-int8"]
    assert [name for name, model in listed.items() if model.problem] == ["half"]
    assert listed["small"].folder is None


# ---- import


def test_an_imported_model_is_found_by_its_name(tmp_path: Path, home: Path) -> None:
    model = models.import_folder(toy_models.write(tmp_path / "stick" / "my model", {**OWN, "README.md": b"x"}))
    assert (model.name, model.folder) == ("my-model", home / "models" / "my-model")
    shutil.rmtree(tmp_path / "stick")
    assert models.find("my-model") == model
    assert models.verify(model.folder) == ()
    assert sorted(path.name for path in model.folder.iterdir()) == sorted([*OWN, "manifest.json"])
    assert leftovers(home) == ["my-model"]


def test_a_published_model_is_recognised_by_its_hash(tmp_path: Path, home: Path) -> None:
    model = models.import_folder(toy_models.write(tmp_path / "stick", SMALL))
    assert (model.name, model.origin, model.licence) == ("small", "lab/faster-whisper-small", "MIT")
    assert models.import_folder(tmp_path / "stick") == model, "importing it again changes nothing"


def test_a_hub_snapshot_can_be_imported(home: Path, tmp_path: Path) -> None:
    snapshot = toy_models.write_snapshot(tmp_path / "stick", "small", SMALL)
    model = models.import_folder(snapshot)
    assert model.name == "small"
    assert not any(path.is_symlink() for path in model.folder.iterdir())


def test_a_model_with_papers_keeps_them(tmp_path: Path, home: Path) -> None:
    folder = with_papers(tmp_path / "stick", OWN, name="hall")
    assert models.import_folder(folder).name == "hall"
    assert models.import_folder(folder, name="other").name == "other"
    assert models.import_folder(models.find("minilm-l6-v2-int8").folder).kind == "sentence-encoder"


@pytest.mark.parametrize("file", sorted(SMALL))
def test_a_folder_with_a_missing_file_is_refused(tmp_path: Path, home: Path, file: str) -> None:
    folder = toy_models.write(tmp_path / "small", SMALL)
    (folder / file).unlink()
    with pytest.raises(ModelError, match="is missing") as caught:
        models.import_folder(folder)
    assert caught.value.exit_code == 5
    assert leftovers(home) == []


@pytest.mark.parametrize("folder", ["small", "faster-whisper-small"])
def test_weights_that_are_not_what_their_name_claims_are_refused(tmp_path: Path, home: Path, folder: str) -> None:
    toy_models.write(tmp_path / folder, OWN)
    with pytest.raises(ModelError, match="another hash"):
        models.import_folder(tmp_path / folder)
    with pytest.raises(ModelError, match="another hash"):
        models.import_folder(tmp_path / folder, name="huge")
    assert leftovers(home) == []
    assert models.import_folder(tmp_path / folder, name="hall").name == "hall"


def test_a_file_that_is_not_what_the_papers_say_is_refused(tmp_path: Path, home: Path) -> None:
    folder = with_papers(tmp_path / "stick", OWN)
    (folder / "vocabulary.txt").write_bytes(b"a\nc\n")
    with pytest.raises(ModelError, match=r"vocabulary\.txt is not what its manifest\.json says"):
        models.import_folder(folder)
    assert leftovers(home) == []


@pytest.mark.parametrize("file", sorted(OWN))
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path, home: Path, file: str) -> None:
    folder = toy_models.write(tmp_path / "stick", OWN)
    (folder / file).rename(tmp_path / "secret")
    (folder / file).symlink_to("../secret")
    with pytest.raises(ModelError, match="leads to"):
        models.import_folder(folder)
    assert leftovers(home) == []


def test_a_snapshot_may_lead_to_its_own_blobs_only(tmp_path: Path, home: Path) -> None:
    snapshot = toy_models.write_snapshot(tmp_path / "stick", "small", SMALL)
    (tmp_path / "secret").write_bytes(SMALL["config.json"])
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="leads to"):
        models.import_folder(snapshot)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "-x", "con", "x\n"])
def test_an_impossible_name_is_refused(tmp_path: Path, home: Path, name: str) -> None:
    folder = toy_models.write(tmp_path / "stick", OWN)
    with pytest.raises(UsageError):
        models.import_folder(folder, name=name)
    with pytest.raises(ModelError, match="impossible name"):
        models.import_folder(with_papers(tmp_path / "papers", OWN, name=name))
    assert leftovers(home) == []


def test_a_model_of_that_name_is_not_overwritten(tmp_path: Path, home: Path) -> None:
    models.import_folder(toy_models.write(tmp_path / "one", OWN), name="hall")
    with pytest.raises(ModelError, match="another model"):
        models.import_folder(toy_models.write(tmp_path / "two", toy_models.files(fill=9)), name="hall")
    assert models.find("hall").sha256 == sha256(OWN["model.bin"])
    assert leftovers(home) == ["hall"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = toy_models.write(tmp_path / "stick", OWN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        models.import_folder(folder)
    assert caught.value.exit_code == 7
    assert leftovers(home) == []


def test_what_a_killed_import_left_is_swept_by_the_next(tmp_path: Path, home: Path) -> None:
    folder = toy_models.write(tmp_path / "stick", OWN)
    toy_models.write(home / "models" / ".stick.import", {"model.bin": b"half", "junk": b""})
    assert models.import_folder(folder).name == "stick"
    assert sorted(path.name for path in (home / "models" / "stick").iterdir()) == sorted([*OWN, "manifest.json"])
    assert leftovers(home) == ["stick"]


def test_two_imports_of_one_model_do_not_mix(tmp_path: Path, home: Path) -> None:
    folder = toy_models.write(tmp_path / "stick", OWN)
    with workspace.session_lock(home / "models" / ".stick.import", doing="import"), pytest.raises(BusyError):
        models.import_folder(folder)


# ---- pull, from a hub on this machine


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    yield monkeypatch
    from huggingface_hub import close_session

    close_session()


def pull_from(address: str, patch: pytest.MonkeyPatch, name: str = "small") -> models.Model:
    from huggingface_hub import constants

    patch.setattr(constants, "ENDPOINT", address)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    return models.pull(name)


def test_a_pulled_model_is_found_by_its_name(home: Path, online: pytest.MonkeyPatch) -> None:
    with toy_models.hub_serving("small", {**SMALL, "README.md": b"not wanted"}) as address:
        model = pull_from(address, online)
    assert (model.name, model.revision) == ("small", toy_models.revision("small"))
    assert models.find("small") == model
    assert models.verify(model.folder) == ()
    assert sorted(path.name for path in model.folder.iterdir()) == sorted([*SMALL, "manifest.json"])
    assert leftovers(home) == ["small"]
    assert models.pull("small") == model, "what is here is not pulled again"


def test_pulled_weights_with_another_hash_are_thrown_away(home: Path, online: pytest.MonkeyPatch) -> None:
    with (
        toy_models.hub_serving("small", OWN) as address,
        pytest.raises(ModelError, match="does not have the published hash"),
    ):
        pull_from(address, online)
    assert leftovers(home) == []


@pytest.mark.parametrize("file", sorted(SMALL))
def test_a_repository_with_a_missing_file_is_refused(home: Path, online: pytest.MonkeyPatch, file: str) -> None:
    contents = {name: data for name, data in SMALL.items() if name != file}
    with toy_models.hub_serving("small", contents) as address, pytest.raises(ModelError, match="is missing"):
        pull_from(address, online)
    assert leftovers(home) == []


def test_without_a_network_a_pull_says_what_to_do(home: Path, online: pytest.MonkeyPatch) -> None:
    online.setattr(time, "sleep", lambda _: None)  # the hub waits longer and longer between its tries
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ModelError, match="could not be fetched") as caught:
            pull_from(f"http://127.0.0.1:{nobody.getsockname()[1]}", online)
    assert caught.value.exit_code == 5
    assert "models import" in caught.value.hint
    assert leftovers(home) == []


def test_an_offline_switch_is_obeyed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        models.pull("small")
    assert leftovers(home) == []


def test_a_broken_download_is_kept_for_the_next_pull(home: Path) -> None:
    big = b"x" * (2 << 20)

    def breaks(repo_id: str, filename: str, *, revision: str | None, local_dir: Path) -> None:
        (local_dir / f"{filename}.incomplete").write_bytes(big)
        raise ConnectionError("the line went dead")

    with pytest.raises(ModelError, match="the line went dead"):
        models.pull("small", download=breaks)
    assert leftovers(home) == [".small.pull"]
    with pytest.raises(ModelError, match="not on this machine"):
        models.find("small")

    def whole(repo_id: str, filename: str, *, revision: str | None, local_dir: Path) -> None:
        assert (local_dir / "vocabulary.json.incomplete").read_bytes() == big
        if filename in SMALL:
            (local_dir / filename).write_bytes(SMALL[filename])

    model = models.pull("small", download=whole)
    assert sorted(path.name for path in model.folder.iterdir()) == sorted([*SMALL, "manifest.json"])


def test_a_full_disk_while_pulling_is_a_storage_error(home: Path) -> None:
    def full(repo_id: str, filename: str, *, revision: str | None, local_dir: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError):
        models.pull("small", download=full)


def test_only_known_names_can_be_pulled(home: Path) -> None:
    for name in ("nonsense", "../small", "lab/other", ""):
        with pytest.raises(UsageError, match="not a known model"):
            models.pull(name)
    assert models.pull(models.DEFAULT).name == models.DEFAULT


def test_a_taken_place_is_said_before_the_download(home: Path) -> None:
    toy_models.write(home / "models" / "small", OWN)
    with pytest.raises(ModelError, match="there already"):
        models.pull("small", download=lambda *_, **__: pytest.fail("downloaded"))
