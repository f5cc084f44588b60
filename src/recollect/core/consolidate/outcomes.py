"""How a conversation in which somebody needed something ended for them."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from recollect.core.consolidate.insight import Resolution, speaker
from recollect.core.consolidate.sentiment import feeling
from recollect.core.model import Memory

LONGEST_READ = 2_000

_GREETING = re.compile(
    r"how (?:are|is it|have you|was your)|what's up|how can i help|can i help|may i help|help you"
)


class _State(enum.Enum):
    """Where a need stands; ANSWERED: the other spoke of it, and nobody said yet whether that helps."""

    NONE = enum.auto()
    ASKED = enum.auto()
    ANSWERED = enum.auto()
    DONE = enum.auto()
    DENIED = enum.auto()
    FAILED = enum.auto()
    ESCALATED = enum.auto()
    SOLVED = enum.auto()


_OUTCOME = {
    _State.NONE: Resolution.NONE,
    _State.ASKED: Resolution.OPEN,
    _State.ANSWERED: Resolution.OPEN,
    _State.DONE: Resolution.RESOLVED,
    _State.DENIED: Resolution.UNRESOLVED,
    _State.FAILED: Resolution.UNRESOLVED,
    _State.ESCALATED: Resolution.ESCALATED,
    _State.SOLVED: Resolution.RESOLVED,
}


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    read = tomllib.loads((files("recollect.core.consolidate") / "insight.toml").read_text("utf-8"))
    return {name: re.compile(pattern) for name, pattern in read["outcome"].items()}


def resolution(turns: Sequence[Memory]) -> Resolution:
    """What became of what the first who needed something needed.

    It is resolved when that speaker says that it works, or thanks for an answer, or when the other says that
    it is done; it is open while there is neither. To an assistant, any question is a need; between people
    with names, only trouble is. What an assistant asks for counts until a person needs something.
    """
    served = len({turn.name for turn in turns if turn.role != "assistant" and turn.name}) < 2
    asker: str | None = None
    by_assistant = False
    state = _State.NONE
    for turn in turns:
        small = turn.content[:LONGEST_READ].lower().replace("’", "'")
        assists = turn.role == "assistant"
        if (asker is None or (by_assistant and not assists)) and _begins(small, turn, served=served):
            asker, by_assistant, state = speaker(turn), assists, _State.ASKED
        elif asker == speaker(turn):
            state = _asker_said(state, small)
        elif asker is not None:
            state = _other_said(state, small)
    return _OUTCOME[state]


def _begins(small: str, turn: Memory, *, served: bool) -> bool:
    """Whether somebody needs something, who did not before."""
    plain = _GREETING.sub("", small)
    if turn.role == "assistant":
        return bool(_patterns()["asked"].search(plain))
    if not served:
        return bool(_patterns()["trouble"].search(plain))
    return (
        _needs(small)
        or bool(_patterns()["trouble"].search(plain))
        or plain.rstrip().endswith("?")
        or feeling(turn.content) < 0
    )


def _needs(small: str) -> bool:
    plain = _GREETING.sub("", small)
    return bool(_patterns()["need"].search(plain))


def _asker_said(state: _State, small: str) -> _State:
    """Where it stands after the one who needs something spoke."""
    patterns = _patterns()
    if patterns["failed"].search(small):
        return state if state is _State.ESCALATED else _State.FAILED
    if patterns["works"].search(small):
        return _State.SOLVED
    thanked = patterns["thanks"].search(small)
    if thanked and not patterns["trying"].search(small) and state in {_State.ANSWERED, _State.DONE}:
        return _State.SOLVED
    settled = state in {_State.ESCALATED, _State.FAILED, _State.DENIED}
    if not thanked and _needs(small) and not settled:
        return _State.ASKED
    return state


def _other_said(state: _State, small: str) -> _State:
    """Where it stands after somebody else spoke."""
    patterns = _patterns()
    if patterns["escalated"].search(small):
        return _State.ESCALATED
    if state in {_State.ESCALATED, _State.SOLVED}:
        return state
    if patterns["done"].search(small):
        return _State.DONE
    if patterns["denied"].search(small):
        return _State.DENIED
    if small.rstrip().endswith("?"):
        return state
    return _State.ANSWERED if state in {_State.ASKED, _State.ANSWERED, _State.FAILED} else state
