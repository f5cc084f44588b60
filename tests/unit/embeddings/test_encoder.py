"""The encoder agrees with the float64 reference, whatever the texts, their lengths and their neighbours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from bert_reference import Reference
from hypothesis import given, settings, strategies as st
from toy_bert import MAX_TOKENS, make_model

from recollect.adapters.embeddings import DEFAULT_MODEL
from recollect.adapters.embeddings.encoder import Encoder
from recollect.adapters.embeddings.model_files import find_model
from recollect.core.errors import ModelUnavailable
from recollect.settings import default_home

AGREES = 0.99999

TEXTS = [
    "",
    "x",
    "What style of furniture do they like?",
    "Ich habe mir gestern zwei Sessel aus Eichenholz angesehen, sie waren wunderschön!",
    "我们刚搬到上海，想买一张现代风格的沙发。",
    "昨日、渋谷で新しい椅子を見つけました。",
    "เมื่อวานนี้เราไปดูบ้านใหม่",
    "نحب الأثاث الحديث والألوان الهادئة",
    "Мы переехали в Казань 3 мая 2024 года; диван стоил 45 900 ₽.",
    "हमें आधुनिक फर्नीचर पसंद है",
    "👩‍👩‍👧 moved in 🏡 – naïve café\t\n\u200b end",
    "word " * 100,
    "a long story about the sea and the harbour. " * 60,
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="module")
def encoder(toy: Path) -> Encoder:
    return Encoder(toy, threads=1)


@pytest.fixture(scope="module")
def reference(toy: Path) -> Reference:
    return Reference(toy)


def cosines(encoder: Encoder, reference: Reference, texts: Sequence[str]) -> list[float]:
    tokens = encoder.tokenize(texts)
    vectors = encoder.encode(tokens)
    assert vectors.shape == (len(texts), encoder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    return [float(vector @ reference.encode(ids)) for vector, ids in zip(vectors, tokens, strict=True)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=2 * MAX_TOKENS), min_size=1, max_size=12))
def test_any_batch_agrees_with_the_reference(
    encoder: Encoder, reference: Reference, texts: list[str]
) -> None:
    assert min(cosines(encoder, reference, texts)) >= AGREES


def test_the_known_model_agrees_with_the_reference() -> None:
    cache = default_home() / "models"
    if not (cache / DEFAULT_MODEL).exists():
        pytest.skip(f"{DEFAULT_MODEL} is not in {cache}: `recollect doctor` fetches it")
    folder = find_model(DEFAULT_MODEL, cache, lambda _: None).folder
    known = Encoder(folder)
    assert (known.dimensions, known.max_tokens) == (384, 256)
    assert min(cosines(known, Reference(folder), TEXTS)) >= AGREES


def test_a_text_is_cut_at_the_models_length(encoder: Encoder) -> None:
    (ids,) = encoder.tokenize(["a" * 1000])
    assert len(ids) == encoder.max_tokens == MAX_TOKENS


def test_without_a_stated_length_the_positions_are_the_limit(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "toy")
    (folder / "sentence_bert_config.json").unlink()
    assert Encoder(folder).max_tokens == 80


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "roberta"}, "model_type is 'roberta'"),
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new'"),
        ({"num_hidden_layers": 3}, r"has no tensor encoder\.layer\.2"),
        ({"vocab_size": 259}, r"F32 \[260, 24\]; F32 \[259, 24\] is needed"),
    ],
)
def test_a_model_that_is_none_of_ours_is_refused(
    tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    folder = make_model(tmp_path / "toy")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))
    with pytest.raises(ModelUnavailable, match=message):
        Encoder(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("size", [None, 0, 5, 3000])
def test_a_missing_or_cut_file_is_named(tmp_path: Path, name: str, size: int | None) -> None:
    path = make_model(tmp_path / "toy") / name
    whole = path.read_bytes()
    path.unlink()
    if size is not None:
        path.write_bytes(whole[: min(size, len(whole) - 1)])
    with pytest.raises(ModelUnavailable, match=name):
        Encoder(path.parent)


def test_weights_that_are_cut_at_the_end_are_refused(tmp_path: Path) -> None:
    path = make_model(tmp_path / "toy") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelUnavailable, match="cut short"):
        Encoder(path.parent)


def test_another_pooling_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "toy")
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling | {"pooling_mode_cls_token": True}))
    with pytest.raises(ModelUnavailable, match="does not pool by the mean"):
        Encoder(folder)
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps(pooling | {"pooling_mode_mean_tokens": True})
    )
    assert Encoder(folder).dimensions == 24
