from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.summary.talks import WordEncoder
from transcriber import workspace
from transcriber.errors import ModelError
from transcriber.summary.encoder import DIMENSIONS, SentenceEncoder, VectorStore

MODEL = workspace.shipped() / "models" / "minilm-l6-v2-int8"


def test_meaning_is_closer_than_words() -> None:
    answer, paraphrase, other = SentenceEncoder(MODEL).encode(
        ["Who pays the power bill?", "The electricity costs are covered by the region.", "The buses leave at ten."]
    )
    assert answer @ paraphrase > answer @ other + 0.2


def test_order_and_company_do_not_change_a_vector() -> None:
    texts = ["Short.", "A much longer sentence about the cost of cooling water in summer.", "", "Another one here."]
    encoder = SentenceEncoder(MODEL)
    together, alone = encoder.encode(texts), np.concatenate([encoder.encode([text]) for text in texts])
    assert together.shape == (4, DIMENSIONS)
    assert np.allclose(together, alone, atol=1e-4)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("content", [None, b"not an onnx file"])
def test_a_missing_or_damaged_model_is_a_model_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError):
        SentenceEncoder(tmp_path)


class _Counting(WordEncoder):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):  # type: ignore[no-untyped-def]
        self.asked += texts
        return super().encode(texts)


def test_the_store_asks_for_each_text_once_and_survives_damage(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    first = VectorStore(_Counting(), path)
    vectors = first.encode(["one power", "two power", "one power"])
    first.save()
    counting = _Counting()
    again = VectorStore(counting, path)
    assert np.array_equal(again.encode(["one power", "two power", "one power"]), vectors)
    assert counting.asked == []
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(VectorStore(WordEncoder(), path).encode(["two power"]), vectors[1:2])
