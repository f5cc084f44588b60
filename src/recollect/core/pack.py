"""What a pack may declare: a domain as data, in one folder. The core knows no domain.

```
recollect_garden/
  __init__.py     PACK = read_pack(__name__), of core.manifest, named by the entry point in "recollect.packs"
  pack.toml       all that this module describes
  prompts/        understanding.md: beside ours, when a language model reads a conversation; others by name
  story.toml      what `recollect demo <pack>` plays
  cases.toml      what its rules must read, and what they must not
  routes.py       a router, with the interface kit of `recollect.interfaces.http`
```

Only `pack.toml` is needed, and in it only a name and what the pack is about. What is code stands in
`pack.toml` as "module:name" within the folder, and is imported when it is first wanted.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from recollect.core.consolidate.linking import persons
from recollect.core.errors import Misconfigured
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.model import Entity, JsonObject, Note, Turns

GROUP = "recollect.packs"
"""The group of entry points by which packs are found."""

FAULTS = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError)
"""What goes wrong in a pack's code while it is imported."""

MOST: Mapping[str, int] = {
    "facts": 60,
    "entities": 50,
    "summaries": 10,
    "notes": 20,
    "recalled": 20,
    "turns": 20,
}
"""So much of each source there is at most."""


@dataclass(frozen=True, slots=True)
class EntityKind:
    """A kind of entity. `person`: it is what the person remembered is called here."""

    kind: str
    about: str
    person: bool = False


@dataclass(frozen=True, slots=True)
class ContextSection:
    """A part of a context.

    `source`: "facts" (those of `attributes`, or all), "entities" (what is the person's, and what that is tied
    to, of `kinds`, the newest first; and the person, by the pack's word for them), "summaries", "notes" (what
    was kept and nobody said in a session), "recalled" (what answers the query) or "turns" (the last ones).
    """

    title: str
    source: Literal["facts", "entities", "summaries", "notes", "recalled", "turns"]
    kinds: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    limit: int = 10


@dataclass(frozen=True, slots=True)
class ContextTemplate:
    """What goes into a prompt, in which order, in at most so many tokens.

    `person`: what the person remembered is called in it, as `Pack.context` says.
    """

    name: str
    section: tuple[ContextSection, ...]
    budget: int = 1_500
    person: str = ""


@dataclass(frozen=True, slots=True)
class ItemField:
    """Something that an item of the domain has. `one_of`: the values that there are, if they are few.

    `say`: how a {value} of it is said where it is a reason. `also`: which other facts speak of it, beside
    those whose attribute has its name.
    """

    name: str
    type: Literal["text", "number", "flag", "list"]
    about: str = ""
    unit: str = ""
    one_of: tuple[str, ...] = ()
    say: str = "{value}"
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reasons:
    """How it is said to the person why an item is shown: one template for each way to be related.

    `together`: it was taken with {other} in {count} groups; `together_once`: in one. `asked`, `owned`: it has
    a {value} as {other} has it, which is asked about, or which they own. `said`: they said so on a {date};
    `meant`: in other words; `noted`: it was put down. `within`: a number of it is within a limit that they
    gave on a {date}.
    """

    together: str = "taken together with {other} {count} times"
    together_once: str = "taken together with {other} once"
    asked: str = "{value}, like {other}"
    owned: str = "{value}, like {other}, which you own"
    said: str = "{value}, as you said on {date}"
    meant: str = "{value}: you said {said} on {date}"
    noted: str = "{value}, noted on {date}"
    within: str = "{value}, within the limit that you gave on {date}"


PLAINLY = Reasons()


@dataclass(frozen=True, slots=True)
class ItemLimit:
    """Facts of this attribute say how large a number of an item may be at most."""

    attribute: str
    field: str


@dataclass(frozen=True, slots=True)
class ItemSchema:
    """What is recommended, shown or sold here: entities of one kind, and what their attributes mean.

    What relates them to people is in the graph, by kinds of relations: `groups`, of a group with the items
    that were taken together; `owned`, of the person with an item; `stated`, of the person with an entity
    whose attributes say what they like: {"about": a field, "value": a value of it}. Facts whose attribute is
    a field say so too. `limit`: what bounds its numbers.
    """

    kind: str
    field: tuple[ItemField, ...]
    groups: str = ""
    owned: str = ""
    stated: str = ""
    limit: tuple[ItemLimit, ...] = ()
    reasons: Reasons = PLAINLY

    def check(self, attributes: JsonObject) -> Iterator[str]:
        """A sentence for each attribute that is not as its field has it; others are free."""
        for each in self.field:
            if each.name in attributes and (fault := _fault(each, attributes[each.name])):
                yield f"{each.name} must be {fault}."


_WORDS = {"text": "a text", "number": "a number", "flag": "true or false", "list": "a list of texts"}


def _fault(wanted: ItemField, value: Any) -> str:
    """What a value of a field must be, and is not; "" if it is."""
    match value:
        case bool():
            type_ = "flag"
        case int() | float():
            type_ = "number"
        case str():
            type_ = "text"
        case list() if all(isinstance(one, str) for one in value):
            type_ = "list"
        case _:
            type_ = ""
    if type_ != wanted.type:
        return _WORDS[wanted.type]
    return f"one of {', '.join(wanted.one_of)}" if wanted.one_of and value not in wanted.one_of else ""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a sender signs what it sends: HMAC-SHA256 over `signed`, with the tenant's secret of the pack.

    `header`: where it stands, after `prefix`. `signed` has {body}, the body as it is sent, and {timestamp} if
    there is a `timestamp_header`: when it was signed, in seconds since the epoch; what is further from now
    than `tolerance` seconds is refused. Without it, whoever has seen an event can send it again for ever,
    also after what it told was erased.
    """

    header: str
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = "{body}"
    timestamp_header: str = ""
    tolerance: int = 300


@dataclass(frozen=True, slots=True)
class Webhook:
    """What somebody else's system calls: POST /<pack>/webhooks/<path>?tenant=<name>.

    `receive`: "module:name" of `async def receive(call: Call, event: JsonObject) -> None`; the call is one of
    the staff's, who may not forget. Senders repeat themselves, and so may whoever has seen what was signed:
    an event that comes twice must do nothing the second time.
    """

    path: str
    receive: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Said:
    """A step of a story: somebody says something in a session, and is answered as it is written."""

    at: datetime
    session: str
    says: str
    replies: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A step of a story: somebody asks, and is answered from memory; each of `expects` is in the answer."""

    at: datetime
    session: str
    asks: str
    expects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Called:
    """A step of a story: a request to the pack's own routes, "POST /memory/entity/create".

    `why`: what happens there, in words. `expects`: texts that stand in the answer.
    """

    calls: str
    why: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    expects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A step of a story: the graph around the person; `expects`: kinds of entities that are in it."""

    shows: Literal["graph"]
    expects: tuple[str, ...] = ()


Step: TypeAlias = Said | Asked | Called | Shown


@dataclass(frozen=True, slots=True)
class Story:
    """What `recollect demo <pack>` plays: one person's, step by step."""

    user: str
    name: str
    about: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody says, and what is to be read in it.

    `asked`: what they were asked before. `facts`: "attribute: value", "not attribute: value". `names`:
    "kind: name". What is read of the pack's attributes and kinds beside these is wrong. `held`: the rules
    were not made with it in view.
    """

    says: str
    asked: str = ""
    facts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of sample data."""

    user_id: str
    names: tuple[str, ...] = ()
    attributes: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample data, to be put into a tenant."""

    people: Sequence[Person] = ()
    entities: Sequence[NewEntity] = ()
    relations: Sequence[NewRelation] = ()
    conversations: Sequence[Turns] = ()
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """A domain.

    `name` is also where its routes are: /real-estate for real_estate. `package`: the folder. `rules`: how
    conversations are read. `scoring`: what counts how much. `retention`: after how many days a memory of a
    kind ends that the pack keeps. `routes`, `sample`: "module:name" in the folder.
    """

    name: str
    about: str
    package: str = ""
    routes: str = ""
    sample: str = ""
    entities: tuple[EntityKind, ...] = ()
    contexts: tuple[ContextTemplate, ...] = ()
    items: ItemSchema | None = None
    scoring: Mapping[str, float] = field(default_factory=dict)
    retention: Mapping[str, int] = field(default_factory=dict)
    webhooks: tuple[Webhook, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    story: Story | None = None
    cases: tuple[Case, ...] = ()

    @property
    def person(self) -> str:
        """Its word for the person remembered; "" if it has none of its own."""
        return next((one.kind for one in self.entities if one.person), "")

    @property
    def path(self) -> str:
        """Where its routes are mounted."""
        return "/" + self.name.replace("_", "-")

    def webhook_path(self, webhook: Webhook) -> str:
        """Where one of its webhooks is."""
        return f"{self.path}/webhooks/{webhook.path}"

    def context(self, name: str | None = None) -> ContextTemplate:
        """The template of this name, or, without one, the first.

        Raises:
            Misconfigured: there is none.
        """
        for each in self.contexts:
            if name in (None, each.name):
                return replace(each, person=self.person)
        raise Misconfigured(f"The pack {self.name} has no context {name or ''}.", hint="Add it to pack.toml.")

    def kind(self, entity: Entity) -> str:
        """What an entity is, as the pack calls it, which may have a word of its own for the person."""
        return (self.person or entity.kind) if entity.id in persons(entity.user_id) else entity.kind

    def code(self, reference: str) -> Any:
        """What "module:name" stands for in the pack's folder.

        Raises:
            Misconfigured: there is no such thing, or what it stands in cannot be imported.
        """
        try:
            return pkgutil.resolve_name(f"{self.package}.{reference}")
        except FAULTS as error:
            raise Misconfigured(
                f"The pack {self.name} names {reference!r}, which cannot be had: {error}.",
                hint='Write "module:name" of something in the pack\'s folder.',
            ) from error
