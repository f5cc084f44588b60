"""What language models are told to do: one file for each version, which never changes once it has shipped."""

from __future__ import annotations

from importlib.resources import files


def read_prompt(name: str) -> str:
    """The text of a prompt; its name ends in its version, and stands with whatever came of it."""
    return files(__name__).joinpath(f"{name}.md").read_text("utf-8")
