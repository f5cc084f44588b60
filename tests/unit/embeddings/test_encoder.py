"""The encoder agrees with the float64 reference, whatever the texts: in floats exactly, in 8 bits nearly."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bert_reference import Reference
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from toy_bert import MAX_TOKENS, make_model

from recollect.adapters.embeddings import DEFAULT_MODEL
from recollect.adapters.embeddings.arithmetic import Int8, quantise
from recollect.adapters.embeddings.bert import build_encoder, read_architecture
from recollect.adapters.embeddings.encoder import Encoder, load_session, multiplies_signed
from recollect.adapters.embeddings.model_files import find_model
from recollect.core.errors import ModelUnavailable
from recollect.settings import default_home

EXACT = 0.99999
NEAR = 0.99
NEARLY_ALL = 0.985

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
    return Encoder(toy)


@pytest.fixture(scope="module")
def exact(toy: Path) -> Encoder:
    return Encoder(toy, exact=True)


@pytest.fixture(scope="module")
def reference(toy: Path) -> Reference:
    return Reference(toy)


@pytest.fixture(scope="module")
def known() -> Path:
    """The folder of the model that users get, where it has been fetched."""
    cache = default_home() / "models"
    if not (cache / DEFAULT_MODEL).exists():
        pytest.skip(f"{DEFAULT_MODEL} is not in {cache}: `recollect doctor` fetches it")
    return find_model(DEFAULT_MODEL, cache, lambda _: None).folder


def cosine(encoder: Encoder, reference: Reference, text: str) -> float:
    tokens = encoder.tokenize(text)
    vector = encoder.encode(tokens)
    assert vector.shape == (encoder.dimensions,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    return float(vector @ reference.encode(tokens))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=2 * MAX_TOKENS))
def test_in_floats_any_text_agrees_with_the_reference(
    exact: Encoder, reference: Reference, text: str
) -> None:
    assert cosine(exact, reference, text) >= EXACT


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=2 * MAX_TOKENS))
def test_in_8_bits_any_text_nearly_agrees(encoder: Encoder, reference: Reference, text: str) -> None:
    assert cosine(encoder, reference, text) >= NEARLY_ALL


def test_the_known_model_agrees_with_the_reference(known: Path) -> None:
    encoder, exact, reference = Encoder(known), Encoder(known, exact=True), Reference(known)
    assert (encoder.dimensions, encoder.max_tokens) == (384, 256)
    wanted = [reference.encode(encoder.tokenize(text)) for text in TEXTS]
    assert min(exact.embed(text) @ vector for text, vector in zip(TEXTS, wanted, strict=True)) >= EXACT
    near = [encoder.embed(text) @ vector for text, vector in zip(TEXTS, wanted, strict=True)]
    assert min(near) >= NEARLY_ALL
    assert np.mean(near) >= NEAR


def test_bytes_with_a_sign_and_without_make_the_same_vectors(toy: Path) -> None:
    if not multiplies_signed():
        pytest.skip("this processor overflows with signed bytes")
    architecture = read_architecture(toy)
    ids = np.arange(2, 40, dtype=np.int32)[None]
    signed, unsigned = (
        load_session(build_encoder(toy, architecture, Int8(signed=sign)), toy).run(None, {"ids": ids})[0]
        for sign in (True, False)
    )
    np.testing.assert_allclose(signed, unsigned, atol=1e-6)


def test_many_threads_share_an_encoder(encoder: Encoder) -> None:
    texts = [f"text {number} " * (1 + number % 7) for number in range(300)]
    alone = [encoder.embed(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        np.testing.assert_array_equal(list(threads.map(encoder.embed, texts)), alone)


matrices = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
)


@given(matrices)
def test_a_matrix_in_8_bits_is_off_by_half_a_step_at_most(matrix: np.ndarray) -> None:
    whole, scales = quantise(matrix)
    assert whole.dtype == np.int8
    assert np.abs(whole.astype(int)).max() <= 127
    assert (scales > 0).all()
    assert (np.abs(whole * scales.astype(float) - matrix) <= 0.5001 * scales).all()


def test_a_text_is_cut_at_the_models_length(encoder: Encoder) -> None:
    ids = encoder.tokenize("a" * 1000)
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
