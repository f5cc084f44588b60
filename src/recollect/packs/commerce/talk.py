"""What is said in the sample store: phrases put together from slots, each with the facts of its occasion."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from recollect.core.model import Message, Turns
from recollect.packs.commerce.catalogue import Product, read_catalogue
from recollect.packs.commerce.customers import Customer
from recollect.packs.commerce.orders import Issue, Order

MOST_TURNS = 14
PAUSE = 20, 110
"""Seconds between two turns."""

ASIDE, CLOSING = 0.15, 0.7
"""How often each other thing is asked in between, and how often somebody says good-bye."""

BARE, SLIP, EMOJI, HURRIED = 0.15, 0.08, 0.08, 0.06
"""The shares of what customers write in small letters, with a slip, with an emoji, with "!!"."""

Slots = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"\{(\w+)\}")
_FIRST_LETTER = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")
_LONE_I = re.compile(r"\bi\b(?!\.)")
_PLAIN_WORD = re.compile(r"\b[a-z]{6,}\b")


@cache
def read_phrases() -> Mapping[str, Any]:
    """phrases.toml."""
    return tomllib.loads(files("recollect.packs.commerce").joinpath("phrases.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why somebody writes, when, and what it is about. `other`: something that goes with the product."""

    kind: str
    customer: Customer
    at: datetime
    product: Product
    other: Product
    order: Order | None = None
    issue: Issue | None = None

    @property
    def slots(self) -> Slots:
        """What may be said on this occasion: the words of everyone, and its own facts."""
        facts = {**self._of_customer(), **_of_product(self.product), **self._of_order(), **self._of_issue()}
        other = {"other": self.other.name, "other_detail": self.other.detail, "verdict": self._verdict()}
        known = {name: (str(fact),) for name, fact in (facts | other).items() if fact is not None}
        said = {"said": tuple(self.issue.trouble["said"])} if self.issue else {}
        return {**read_phrases()["words"], **known, **said, "who": self.customer.circle}

    def _of_customer(self) -> dict[str, object]:
        one, taste = self.customer, self.customer.taste(self.at)
        told = {part: getattr(taste, part) for part in one.says}
        styles = {"old_style": one.tastes[0].style, "new_style": one.tastes[-1].style}
        return {
            "first": one.first,
            "name": one.name,
            "city": one.city,
            "style": taste.style,
            "room": one.favourite,
            "wall": one.wall,
            "budget": one.budget,
            "pet": one.pet,
            "slot": one.slot,
            **told,
            **styles,
        }

    def _of_order(self) -> dict[str, object]:
        if not self.order:
            return {}
        one = self.order
        return {
            "order": one.number,
            "items": ", ".join(_line(line.product, line.quantity) for line in one.lines),
            "total": f"{one.total:,}",
            "state": "on its way" if self.at >= one.shipped_at else "being packed",
            "placed": _day(one.placed_at),
            "arrives": _day(one.delivered_at),
            "delivered": _day(one.delivered_at),
        }

    def _of_issue(self) -> dict[str, object]:
        if not self.issue:
            return {}
        one = self.issue
        return {
            "issue": one.number,
            "title": one.trouble["title"],
            "fix": one.trouble["fix"],
            "opened": _day(one.opened_at),
        }

    def _verdict(self) -> str:
        spare = self.customer.wall - self.product.width
        return f"it fits with {spare} cm to spare" if spare >= 0 else f"it is {-spare} cm too wide"


def _of_product(one: Product) -> dict[str, object]:
    plural = one.noun.endswith("s")
    article = "an" if one.noun[0] in "aeiou" else "a"
    return {
        "product": one.name,
        "noun": one.noun,
        "a_noun": one.noun if plural else f"{article} {one.noun}",
        "detail": one.detail,
        "price": f"{one.price:,}",
        "width": one.width,
        "depth": one.depth,
        "height": one.height,
        "seats": one.seats,
        "material": one.material,
        "p_colour": one.colour,
        "p_style": one.style,
        "p_room": one.room,
        "collection": one.collection.name,
        "care": read_catalogue()["care"][one.material],
        "extra": one.extra[0],
    }


def _line(product: Product, quantity: int) -> str:
    return product.name if quantity == 1 else f"{quantity} × {product.name}"


def _day(at: datetime) -> str:
    return f"{at.day} {read_phrases()['months'][at.month - 1]}"


class Voice:
    """Makes conversations: the same ones of the same `Random`."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._talks = {talk["kind"]: talk["step"] for talk in read_phrases()["talk"]}

    def converse(self, occasion: Occasion, session_id: str) -> Turns:
        """What was said on an occasion: 4 to `MOST_TURNS` turns, the customer's first."""
        slots, at = occasion.slots, occasion.at
        messages = []
        for step in self._steps(occasion.kind, slots):
            for role, name in (("user", occasion.customer.name), ("assistant", None)):
                text = _capitalise(self._say(step[role], slots))
                messages.append(Message(self._roughen(text) if name else text, role, name, at))
                at += timedelta(seconds=self._rng.randint(*PAUSE))
        return Turns(session_id, messages, user_id=occasion.customer.user_id)

    def _steps(self, kind: str, slots: Slots) -> list[Mapping[str, Any]]:
        """The steps of a talk, with what else is asked in between, and a good-bye."""
        phrases, rng = read_phrases(), self._rng
        steps = [step for step in self._talks[kind] if rng.random() < step.get("chance", 1)]
        asides = [one for one in phrases["aside"] if rng.random() < ASIDE and _sayable(one, slots)]
        for aside in asides[: MOST_TURNS // 2 - len(steps) - 1]:
            steps.insert(rng.randint(1, len(steps)), aside)
        if rng.random() < CLOSING:
            steps += phrases["closing"]
        return [step for step in steps if _sayable(step, slots)]

    def _say(self, options: Sequence[str], slots: Slots) -> str:
        chosen = self._rng.choice([one for one in options if _known(one, slots)])
        return _SLOT.sub(lambda slot: self._say(slots[slot[1]], slots), chosen)

    def _roughen(self, text: str) -> str:
        """As it may be written in a hurry, on a telephone."""
        rng = self._rng
        if rng.random() < BARE:
            text = text.lower().rstrip(".")
        if rng.random() < SLIP and (words := list(_PLAIN_WORD.finditer(text))):
            at = rng.choice(words).start() + rng.randint(1, 4)
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if rng.random() < HURRIED:
            text = f"{text.rstrip('.')}!!"
        return f"{text} {rng.choice(read_phrases()['emoji'])}" if rng.random() < EMOJI else text


def _sayable(step: Mapping[str, Any], slots: Slots) -> bool:
    return all(any(_known(one, slots) for one in step[role]) for role in ("user", "assistant"))


def _known(text: str, slots: Slots) -> bool:
    """Whether there is something for each slot."""
    return all(any(_known(one, slots) for one in slots.get(name, ())) for name in _names(text))


@cache
def _names(text: str) -> tuple[str, ...]:
    return tuple(_SLOT.findall(text))


def _capitalise(text: str) -> str:
    """As one writes who takes the trouble.

    >>> _capitalise("hi there. i'm in Omaha. is it far?")
    "Hi there. I'm in Omaha. Is it far?"
    """
    return _FIRST_LETTER.sub(lambda letter: letter[0].upper(), _LONE_I.sub("I", text))
