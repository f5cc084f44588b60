"""The description of the door as a page for people: every operation and every field, out of OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Node: TypeAlias = Mapping[str, Any]

_FORMATS = {"date-time": "time", "uuid": "UUID"}
_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " of them"),
)


def write_reference(document: Node) -> str:
    """The text of the page: each operation with what it takes, then the shapes that they share."""
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas: Node = document["components"]["schemas"]
    sent = {_name(body) for _, operation in operations for body in _bodies(operation)}
    nested = {_name(inner) for name in sent for inner in _references(schemas[name])} - sent
    parts = [part for heading, operation in operations for part in _operation(heading, operation, schemas)]
    parts.append("## Shapes\n")
    for name, schema in schemas.items():
        if "properties" in schema and name not in sent:
            parts += [f"### {name}\n", _joined(schema["description"]) + "\n"]
            parts += _fields(schema, schemas, sent=name in nested)
    return "\n".join(parts)


def _operation(heading: str, operation: Node, schemas: Node) -> Iterator[str]:
    yield f"## {heading}\n"
    yield f"`{operation['operationId']}`: {_joined(operation['description'])}\n"
    if parameters := operation.get("parameters"):
        yield _head("parameter", "in", "type", "default", "meaning")
        for one in parameters:
            default = _default(one["schema"], required=one["required"])
            yield _row(
                f"`{one['name']}`", one["in"], _type(one["schema"], schemas), default, one["description"]
            )
        yield ""
    for name in map(_name, _bodies(operation)):
        yield f"Body: {_joined(schemas[name]['description'])}\n"
        yield from _fields(schemas[name], schemas, sent=True)
    status = min(operation["responses"])
    answer = _name(operation["responses"][status]["content"]["application/json"]["schema"])
    yield f"Answers {status} with {_link(answer)}, or with a {_link('Problem')}.\n"


def _bodies(operation: Node) -> Sequence[Node]:
    """The shapes of which its body has one."""
    if "requestBody" not in operation:
        return ()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    bodies: Sequence[Node] = schema.get("oneOf", [schema])
    return bodies


def _references(node: Any) -> Iterator[Node]:
    """Everything in a schema that refers to another."""
    if isinstance(node, dict):
        yield from [node] if "$ref" in node else []
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _name(reference: Node) -> str:
    name: str = reference["$ref"].rpartition("/")[2]
    return name


def _fields(schema: Node, schemas: Node, *, sent: bool) -> Iterator[str]:
    """A table of the fields, with what they are by default if a client sends them; then an example."""
    yield _head("field", "type", *(["default"] if sent else []), "meaning")
    required = schema.get("required", ())
    properties = schema["properties"]
    for name in sorted(properties, key=lambda name: sent and name not in required):
        field = properties[name]
        defaults = [_default(field, required=name in required)] if sent else []
        yield _row(f"`{name}`", _type(field, schemas), *defaults, field["description"])
    example = schema["examples"][0]
    shown = example if sent else {name: _shortened(name, example[name], schema) for name in example}
    yield f"\n```json\n{json.dumps(shown, indent=2, ensure_ascii=False)}\n```\n"


def _shortened(name: str, value: Any, schema: Node) -> Any:
    """A shape inside another, which has an example of its own, by its name only."""
    field = schema["properties"][name]
    if "$ref" in field and isinstance(value, dict):
        return f"<{_name(field)}>"
    return [f"<{_name(field['items'])}>"] if "$ref" in field.get("items", ()) else value


def _head(*cells: str) -> str:
    return f"{_row(*cells)}\n|{'---|' * len(cells)}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _joined(text: str) -> str:
    return " ".join(text.split())


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _default(schema: Node, *, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    return "" if default in (None, [], "{}") else f"`{json.dumps(default)}`"


def _type(schema: Node, schemas: Node) -> str:
    """What a value is, with its bounds.

    >>> _type({"anyOf": [{"type": "string", "maxLength": 200}, {"type": "null"}]}, {})
    'text, at most 200 characters, or null'
    """
    if "$ref" in schema:
        name = _name(schema)
        return _type(schemas[name], schemas) if "enum" in schemas[name] else _link(name)
    if "anyOf" in schema:
        return ", or ".join(_type(option, schemas) for option in schema["anyOf"])
    if isinstance(schema["type"], list):
        return ", or ".join(_type({"type": one}, schemas) for one in schema["type"])
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{choice}`" for choice in choices)
    plain = {"string": "text", "boolean": "true or false", "array": "list"}.get(
        schema["type"], schema["type"]
    )
    items = f" of {_type(schema['items'], schemas)}" if "items" in schema else ""
    return f"{_FORMATS.get(schema.get('format', ''), plain)}{items}{_bounds(schema)}"


def _bounds(schema: Node) -> str:
    for least, most, unit in _BOUNDS:
        low, high = schema.get(least), schema.get(most)
        if low is not None and high is not None:
            return f", {low:.0f} to {high:.0f}{unit}"
        if high is not None:
            return f", at most {high:.0f}{unit}"
        if low is not None:
            return f", at least {low:.0f}{unit}"
    return ""
