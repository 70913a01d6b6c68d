"""Toy models: folders that are whole Whisper models in every respect but that they know nothing."""

from __future__ import annotations

import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VARIABLES = {"encoder/conv1/weight": (4, 3, 2), "decoder/scale": (), "decoder/embeddings/weight": (5, 4)}


def model_bin(*, spec: str = "WhisperSpec", version: int = 6, fill: int = 0) -> bytes:
    """A CTranslate2 model file with a few int8 variables, all `fill`."""

    def name(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    data = struct.pack("<I", version) + name(spec) + struct.pack("<II", 3, len(VARIABLES))
    for variable, shape in VARIABLES.items():
        n_bytes = 1
        for length in shape:
            n_bytes *= length
        data += name(variable) + struct.pack(f"<B{len(shape)}I", len(shape), *shape)
        data += struct.pack("<BI", 1, n_bytes) + bytes([fill]) * n_bytes
    return data + struct.pack("<I", 1) + name("decoder/projection/weight") + name("decoder/embeddings/weight")


def files(*, fill: int = 0) -> dict[str, bytes]:
    return {
        "model.bin": model_bin(fill=fill),
        "config.json": b'{"lang_ids": []}',
        "tokenizer.json": b'{"model": {}}',
        "vocabulary.txt": b"a\nb\n",
    }


def write(folder: Path, contents: dict[str, bytes] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (contents or files()).items():
        (folder / name).write_bytes(data)
    return folder


def known_json(**models: dict[str, bytes]) -> bytes:
    """A list of published models with these files; each repository is lab/faster-whisper-NAME."""
    return json.dumps(
        [
            {
                "name": name,
                "repository": f"lab/faster-whisper-{name}",
                "revision": revision(name),
                "sha256": hashlib.sha256(contents["model.bin"]).hexdigest(),
                "bytes": len(contents["model.bin"]),
                "languages": "multilingual",
                "licence": "MIT",
            }
            for name, contents in models.items()
        ]
    ).encode()


def revision(name: str) -> str:
    return hashlib.sha1(name.encode()).hexdigest()


def write_snapshot(hub: Path, name: str, contents: dict[str, bytes], *, commit: str | None = None) -> Path:
    """A repository as the hub's own cache keeps it: links into a folder of blobs."""
    repository = hub / f"models--lab--faster-whisper-{name}"
    snapshot = repository / "snapshots" / (commit or revision(name))
    snapshot.mkdir(parents=True)
    for file, data in contents.items():
        blob = repository / "blobs" / hashlib.sha256(data).hexdigest()
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(data)
        (snapshot / file).symlink_to(Path("../../blobs") / blob.name)
    return snapshot


@contextmanager
def hub_serving(name: str, contents: dict[str, bytes], *, break_after: int | None = None) -> Iterator[str]:
    """A Hugging Face hub on 127.0.0.1 with one repository; its address. With `break_after`, each answer breaks off."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            prefix = f"/lab/faster-whisper-{name}/resolve/{revision(name)}/"
            data = contents.get(self.path.removeprefix(prefix)) if self.path.startswith(prefix) else None
            if data is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("X-Repo-Commit", revision(name))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", revision(name))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if with_body:
                self.wfile.write(data[:break_after])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
