"""Throwaway environments for the contestants, kept in a folder outside of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MB = 1_000_000
NOT_THEIRS = {"pip", "setuptools"}


def make_environment(folder: Path, packages: Sequence[str], *, keep: bool) -> Path:
    """An environment with the packages, as it is in the folder if that may be kept, or made now; its Python.

    Raises:
        CalledProcessError: the packages cannot be installed; `stderr` says why.
    """
    python = folder / "bin" / "python"
    done = folder / "installed"
    if keep and done.exists() and done.read_text() == " ".join(packages):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *packages])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *packages])
    done.write_text(" ".join(packages))
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def weigh(folder: Path) -> dict[str, Any]:
    """MB of the installed packages without bytecode, the part that drives graphics cards, and their count."""
    (site,) = folder.glob("lib/python*/site-packages")
    total = graphics = 0
    for path in site.rglob("*"):
        top = path.relative_to(site).parts[0].split("-")[0].lower()
        if top in NOT_THEIRS or path.suffix == ".pyc" or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        total += size
        graphics += size if top.startswith(("nvidia", "triton")) else 0
    packages = {path.name.split("-")[0].lower() for path in site.glob("*.dist-info")} - NOT_THEIRS
    return {"install MB": total / MB, "for graphics cards MB": graphics / MB, "packages": len(packages)}


def version_of(folder: Path, package: str) -> str:
    """The installed version of a package."""
    name = package.replace("-", "_")
    (info,) = folder.glob(f"lib/python*/site-packages/{name}-*.dist-info")
    return info.name.removesuffix(".dist-info").partition("-")[2]
