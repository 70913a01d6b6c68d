"""Sentence vectors: MiniLM-L6 (int8 ONNX) on one core, in batches of like length, and a store that keeps them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transcriber.errors import ModelError
from transcriber.workspace import make_folder, write_atomic

Vectors = NDArray[np.float32]

DIMENSIONS = 384
MAX_TOKENS = 128
BATCH_TOKENS = 512  # tokens per call, padding counted: stays in the cache, keeps memory flat
_REPAIR = "Check it with `transcriber models verify`; `transcriber models pull` or a fresh checkout brings it back."


class Encoder(Protocol):
    """Anything that turns texts into unit vectors of shape (texts, DIMENSIONS)."""

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEncoder:
    """MiniLM from a folder with `model.onnx` and `tokenizer.json`. Deterministic for a given text and company."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Raises ModelError where the folder holds no usable model."""
        import onnxruntime
        from tokenizers import Tokenizer

        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise ModelError(f"The sentence encoder in {folder} lacks {name}.", hint=_REPAIR)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # neither library promises the types of its errors
            raise ModelError(f"The sentence encoder in {folder} cannot be loaded: {error}.", hint=_REPAIR) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._inputs = [item.name for item in self._session.get_inputs()]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), DIMENSIONS), in the order given. Texts beyond MAX_TOKENS are cut."""
        found = np.zeros((len(texts), DIMENSIONS), np.float32)
        encoded = [item.ids for item in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda n: (len(encoded[n]), texts[n]))
        while order:
            longest = len(encoded[order[-1]])
            size = max(1, BATCH_TOKENS // longest)
            batch, order = order[-size:], order[:-size]
            found[batch] = self._run([encoded[n] for n in batch])
        return found

    def _run(self, batch: list[list[int]]) -> Vectors:
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        output = self._session.run(None, {name: feed[name] for name in self._inputs})[0]
        if output.ndim == 3:  # token vectors: the sentence is their mean
            output = (output * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        return np.asarray(output / np.linalg.norm(output, axis=1, keepdims=True), np.float32)


class VectorStore:
    """An encoder that remembers: vectors kept in one .npz file by the text's hash, so that a corrected transcript
    is summarised again in seconds. A damaged store is begun anew: it can always be computed again."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path
        self._known = _read(path)
        self._used: set[bytes] = set()

    def encode(self, texts: Sequence[str]) -> Vectors:
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            self._known.update(zip(missing, self._encoder.encode(list(missing.values())), strict=True))
        self._used.update(keys)
        return np.array([self._known[key] for key in keys], np.float32).reshape(len(texts), DIMENSIONS)

    def save(self) -> None:
        """Write the vectors asked for since the start, and only those. Raises StorageError."""
        keys = sorted(self._used)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            keys=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16),
            vectors=np.array([self._known[key] for key in keys], np.float32).reshape(-1, DIMENSIONS),
        )
        make_folder(self._path.parent)
        write_atomic(self._path, buffer.getvalue())


def _read(path: Path) -> dict[bytes, Vectors]:
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            keys, vectors = file["keys"], file["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if keys.ndim != 2 or keys.shape[1] != 16 or vectors.shape != (len(keys), DIMENSIONS):
        return {}
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}
