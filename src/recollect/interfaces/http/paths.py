"""Ids in paths: percent-encoded, so that one may hold any character, a slash too."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import quote, unquote

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

from recollect.interfaces.http.requests import Id


class IdConvertor(Convertor[str]):
    """One segment of a path, decoded. Bytes that are not UTF-8 become what no id may hold."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """The id of a segment."""
        return unquote(value, errors="surrogateescape")

    def to_string(self, value: str) -> str:
        """The segment of an id."""
        return quote(value, safe="")


register_url_convertor("id", IdConvertor())

SessionId: TypeAlias = Annotated[Id, Path(description="The session's id: yours, unique in the tenant.")]
UserId: TypeAlias = Annotated[Id, Path(description="The user's id: yours, unique in the tenant.")]
