"""A pack's folder, read and checked: what cannot be meant is refused, with its place."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import isfinite
from string import Formatter
from typing import Any

from recollect.core.consolidate.words import ATTRIBUTES, KINDS
from recollect.core.errors import Misconfigured
from recollect.core.model import Kind
from recollect.core.pack import (
    MOST,
    Asked,
    Called,
    Case,
    ContextTemplate,
    EntityKind,
    ItemSchema,
    Pack,
    Said,
    Shown,
    Step,
    Story,
    Webhook,
)
from recollect.core.tables import build

RULES = ("values", "attribute", "mention", "entity")
"""Tables of pack.toml that say how conversations are read: `core.consolidate.attributes` has their form."""
_NAME = re.compile(r"[a-z](?:[a-z0-9]|_(?=[a-z0-9])){0,62}")
_RESERVED = frozenset({"v1", "docs", "openapi"})
_WEBHOOK_PATH = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_STEPS: Mapping[str, type[Step]] = {"says": Said, "asks": Asked, "calls": Called, "shows": Shown}
_REFERENCE = re.compile(r"[\w.]+:\w+")
SMALLEST_BUDGET = 200
WAYS = frozenset({"stated", "asked", "owned", "together"})
"""By what a field of an item counts, beside the fields themselves."""


@dataclass(frozen=True, slots=True)
class _Document:
    """pack.toml as it is written, but for its rules."""

    name: str
    about: str
    routes: str = ""
    sample: str = ""
    entity: tuple[EntityKind, ...] = ()
    context: tuple[ContextTemplate, ...] = ()
    items: ItemSchema | None = None
    scoring: Mapping[str, float] = field(default_factory=dict)
    retention: Mapping[str, int] = field(default_factory=dict)
    webhook: tuple[Webhook, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cases:
    """cases.toml."""

    case: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """The head of story.toml."""

    user: str
    name: str
    about: str


def read_pack(package: str) -> Pack:
    """The pack of a folder.

    Raises:
        Misconfigured: something in it is not as it must be; the message names the file and the place.
    """
    folder = _folder(package)
    tables = _read(folder, "pack.toml")
    document = build(
        _Document,
        {key: value for key, value in tables.items() if key not in RULES or key == "entity"},
        f"{package}/pack.toml",
    )
    _check(document, package, _attributes(tables))
    prompts = _prompts(folder)
    rules = {key: tables[key] for key in RULES if key in tables}
    return Pack(
        name=document.name,
        about=document.about,
        package=package,
        routes=document.routes,
        sample=document.sample,
        entities=document.entity,
        contexts=document.context,
        items=document.items,
        scoring=document.scoring,
        retention=document.retention,
        webhooks=document.webhook,
        rules=rules | {"instructions": prompts.get("understanding", "")},
        prompts=prompts,
        story=_story(folder, package, document.context),
        cases=build(_Cases, _read(folder, "cases.toml"), f"{package}/cases.toml").case,
    )


def _attributes(tables: Mapping[str, Any]) -> AbstractSet[str]:
    """The names of the attributes that there are with the pack; the form of its own is checked elsewhere."""
    own = tables.get("attribute", ())
    return ATTRIBUTES | {str(one.get("name")) for one in own if isinstance(one, Mapping)}


def _check(document: _Document, package: str, attributes: AbstractSet[str]) -> None:
    """Raise Misconfigured if something is said that cannot be meant."""
    where = f"{package}/pack.toml"
    if not _NAME.fullmatch(document.name) or document.name in _RESERVED:
        raise Misconfigured(
            f"{where}: {document.name!r} cannot be a pack's name.",
            hint="Use up to 63 of a-z, 0-9 and single '_', beginning with a letter; not v1, docs or openapi.",
        )
    _check_code(document, where)
    kinds = {one.kind for one in document.entity} | set(KINDS)
    _check_unique("entity", [one.kind for one in document.entity], where)
    if sum(one.person for one in document.entity) > 1:
        raise Misconfigured(f"{where}: two kinds of entities are the person.", hint="Mark one of them.")
    for context in document.context:
        _check_context(context, kinds, attributes, f"{where}, context {context.name!r}")
    _check_unique("context", [one.name for one in document.context], where)
    if document.items:
        _check_items(document.items, document.scoring, kinds, f"{where}, items")
    elif document.scoring:
        raise Misconfigured(f"{where}: scoring weighs items, and there are none.", hint="Add [items].")
    for kind, days in document.retention.items():
        if kind not in set(Kind) or days < 1:
            raise Misconfigured(
                f"{where}, retention: {kind!r} is no kind of memory, or its days are below 1.",
                hint=f"Kinds are: {', '.join(Kind)}.",
            )


def _check_code(document: _Document, where: str) -> None:
    """Raise Misconfigured if what is code cannot be named so, or a webhook cannot be served."""
    receivers = [one.receive for one in document.webhook]
    for reference in filter(None, (document.routes, document.sample, *receivers)):
        if not _REFERENCE.fullmatch(reference):
            raise Misconfigured(f'{where}: {reference!r} is not "module:name".', hint="Name both.")
    for webhook in document.webhook:
        _check_webhook(webhook, f"{where}, webhook {webhook.path!r}")
    _check_unique("webhook", [one.path for one in document.webhook], where)


_SAID: Mapping[str, AbstractSet[str]] = {
    "together": {"other", "count"},
    "together_once": {"other"},
    **dict.fromkeys(("asked", "owned"), frozenset({"value", "other"})),
    **dict.fromkeys(("said", "noted", "within"), frozenset({"value", "date"})),
    "meant": {"value", "said", "date"},
}
"""What may stand in the template of each reason."""


def _check_unique(what: str, names: Sequence[str], where: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise Misconfigured(f"{where}: there are {count} of {what} {name!r}.", hint="Keep one of them.")


def _check_context(
    context: ContextTemplate, kinds: AbstractSet[str], attributes: AbstractSet[str], where: str
) -> None:
    """Raise Misconfigured if a section asks for what there cannot be."""
    if context.budget < SMALLEST_BUDGET:
        raise Misconfigured(f"{where}: its budget is below {SMALLEST_BUDGET} tokens.", hint="Give it more.")
    if context.person:
        raise Misconfigured(f"{where}: 'person' is unknown.", hint="Mark the [[entity]] that is the person.")
    for section in context.section:
        most = MOST[section.source]
        if not 1 <= section.limit <= most:
            raise Misconfigured(
                f"{where}, section {section.title!r}: its limit is not from 1 to {most}.",
                hint=f"Of {section.source} there are {most} at most.",
            )
        if unknown := set(section.kinds) - kinds:
            raise Misconfigured(
                f"{where}, section {section.title!r}: no kind of entity is {', '.join(sorted(unknown))}.",
                hint=f"Kinds are: {', '.join(sorted(kinds))}.",
            )
        if unknown := set(section.attributes) - attributes:
            raise Misconfigured(
                f"{where}, section {section.title!r}: no attribute is {', '.join(sorted(unknown))}.",
                hint=f"Attributes are: {', '.join(sorted(attributes))}.",
            )


def _check_items(
    items: ItemSchema, scoring: Mapping[str, float], kinds: AbstractSet[str], where: str
) -> None:
    """Raise Misconfigured if items are of no kind, or weighed by what they have not."""
    if items.kind not in kinds:
        raise Misconfigured(f"{where}: {items.kind!r} is no kind of entity.", hint="Add it as [[entity]].")
    _check_unique("field", [one.name for one in items.field], where)
    known = {one.name for one in items.field} | WAYS
    if unknown := scoring.keys() - known:
        raise Misconfigured(
            f"{where}: scoring weighs {', '.join(sorted(unknown))}, which no item has.",
            hint=f"There are: {', '.join(sorted(known))}.",
        )
    if endless := [name for name, weight in scoring.items() if not isfinite(weight)]:
        raise Misconfigured(f"{where}: {endless[0]} weighs no number.", hint="Write one that is finite.")
    _check_reasons(items, where)


def _check_reasons(items: ItemSchema, where: str) -> None:
    """Raise Misconfigured if a template names what is not there to be said, or a limit no number."""
    numbers = {one.name for one in items.field if one.type == "number"}
    for limit in items.limit:
        if limit.field not in numbers:
            raise Misconfigured(f"{where}: {limit.field!r} is no number.", hint="A limit bounds a number.")
    said: list[tuple[str, str, AbstractSet[str]]] = [
        *((f"field {one.name}", one.say, {"value"}) for one in items.field),
        *((f"reasons, {way}", getattr(items.reasons, way), names) for way, names in _SAID.items()),
    ]
    for place, template, names in said:
        try:
            used = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        except ValueError as error:
            raise Misconfigured(f"{where}, {place}: {error}.", hint="Close each brace.") from error
        if not used <= names:
            told = ", ".join(f"{{{name}}}" for name in sorted(names))
            raise Misconfigured(f"{where}, {place}: it may name {told} alone.", hint="Change the template.")


def _check_webhook(webhook: Webhook, where: str) -> None:
    """Raise Misconfigured if it is at no path, or if its signature would not vouch for what comes."""
    signature = webhook.signature
    if not _WEBHOOK_PATH.fullmatch(webhook.path):
        raise Misconfigured(f"{where}: it cannot be a path.", hint="Use a-z, 0-9, '-' and '/'.")
    if signature.tolerance < 1 or ("{timestamp}" in signature.signed and not signature.timestamp_header):
        raise Misconfigured(
            f"{where}: no time can be told from what is signed.",
            hint="Name the timestamp_header, and a tolerance of 1 second or more.",
        )
    if not _HEADER.fullmatch(signature.header):
        raise Misconfigured(f"{where}: {signature.header!r} is no header.", hint="Name the one that is sent.")
    needed = ["{body}", *(["{timestamp}"] if signature.timestamp_header else [])]
    if not all(part in signature.signed for part in needed):
        raise Misconfigured(
            f"{where}: what is signed has not {' and '.join(needed)}.",
            hint="What is not signed could be forged.",
        )


def _folder(package: str) -> Traversable:
    folder = files(package)
    if not (folder / "pack.toml").is_file():
        raise Misconfigured(f"{package} has no pack.toml.", hint="A pack is a package with one.")
    return folder


def _read(folder: Traversable, name: str) -> dict[str, Any]:
    """A file of the folder; an empty one if it is not there."""
    file = folder / name
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file} is not TOML: {error}.", hint="Correct it there.") from error


def _prompts(folder: Traversable) -> dict[str, str]:
    prompts = folder / "prompts"
    if not prompts.is_dir():
        return {}
    found = sorted(
        (file for file in prompts.iterdir() if file.name.endswith(".md")), key=lambda one: one.name
    )
    return {file.name.removesuffix(".md"): file.read_text("utf-8") for file in found}


def _story(folder: Traversable, package: str, contexts: Sequence[ContextTemplate]) -> Story | None:
    document = _read(folder, "story.toml")
    if not document:
        return None
    where = f"{package}/story.toml"
    steps = tuple(_step(table, f"{where}, step {at}") for at, table in enumerate(document.pop("step", ()), 1))
    told = build(_Told, document, where)
    if any(isinstance(step, Asked) for step in steps) and not contexts:
        raise Misconfigured(f"{where}: it asks, and the pack has no context.", hint="Add a [[context]].")
    return Story(told.user, told.name, told.about, steps)


def _step(table: Mapping[str, Any], where: str) -> Step:
    for key, shape in _STEPS.items():
        if key in table:
            return build(shape, table, where)
    raise Misconfigured(f"{where}: it does nothing.", hint=f"Give it one of {', '.join(_STEPS)}.")
