"""docs/http.md lists every operation and every code, and no other; what is made of the door is current."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from recollect.cli.docs import pages
from recollect.core.errors import AlreadyExists, Misconfigured, RecollectError
from recollect.interfaces.http import problems

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "http.md").read_text("utf-8")
COMMAND_LINE_ONLY = {"already_exists", "error", "story_untrue"}
"""Of tenants, which HTTP does not make, of stories, and of the class that only has members."""


def _kinds(base: type[RecollectError]) -> set[type[RecollectError]]:
    return {base, *(kind for child in base.__subclasses__() for kind in _kinds(child))}


async def test_every_operation_is_listed(loft: httpx2.AsyncClient) -> None:
    paths = (await loft.get("/v1/openapi.json")).json()["paths"]
    there = {
        (operation["operationId"], f"{method.upper()} {path}")
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert set(re.findall(r"^\| `(\w+)` \| `([A-Z]+ [^`]+)` \|", TEXT, re.MULTILINE)) == there


def test_every_code_is_listed_with_its_status() -> None:
    assert problems.InternalError in _kinds(RecollectError)
    assert AlreadyExists.code in COMMAND_LINE_ONLY
    there = {
        (kind.code, str(kind.status))
        for kind in _kinds(RecollectError)
        if not issubclass(kind, Misconfigured) and kind.code not in COMMAND_LINE_ONLY
    }
    assert set(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", TEXT, re.MULTILINE)) == there


@pytest.mark.parametrize("name", ["openapi.json", "operations.md"])
def test_what_is_made_of_the_door_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == pages()[name], "run: python -m recollect.cli.docs"
