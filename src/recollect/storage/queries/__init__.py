"""The named queries of the .sql files in this folder, each with its fragments filled in, read once."""

from __future__ import annotations

import re
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FRAGMENT = re.compile(r"\{(\w+)\}")


def _read() -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            _, *parts = _NAME.split(file.read_text("utf-8"))
            texts |= dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return texts


_TEXTS = _read()
FRAGMENTS = frozenset(name for name, text in _TEXTS.items() if text.startswith("-- Fragment:"))


def _fill(text: str) -> str:
    return _FRAGMENT.sub(lambda match: _fill(_TEXTS[match[1]]), text)


QUERIES: dict[str, bytes] = {
    name: _fill(text).encode() for name, text in _TEXTS.items() if name not in FRAGMENTS
}
"""Every query by its name."""
