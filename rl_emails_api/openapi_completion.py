"""What the OpenAPI schema says of every operation of a kind, so that no endpoint has to: names, headers, examples."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi.routing import APIRoute

from rl_emails_api.answers import fields
from rl_emails_api.idempotency.middleware import HEADER, METHODS

JSON = "application/json"
_DEEPEST_EXAMPLE = 6
_UUID = "6f1de0b8-6ddc-5a5e-9b8f-0f2b8d6f0a11"
_FORMATS = {"uuid": _UUID, "date-time": "2026-03-20T09:30:00Z", "date": "2026-03-20", "binary": ""}

_FIELDS = {
    "name": fields.PARAMETER,
    "in": "query",
    "required": False,
    "schema": {"type": "string", "maxLength": fields.MAX_CHARACTERS},
    "description": fields.DESCRIPTION,
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "The ETag of an earlier answer: 304 while nothing has changed.",
}
_IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 257},
    "description": "A new UUID for each new request; the same when it is sent again. What was done already is not done "
    "again, and is answered as the first time, for 24 hours.",
}
_ETAG = {"schema": {"type": "string"}, "description": "For If-None-Match."}


def operation_id(route: APIRoute) -> str:
    """The name of the operation in generated clients: as lasting as its method and path, which clients rely on."""
    path = re.sub(r"\{(\w+)\}", r"by_\1", route.path_format.removeprefix("/v1"))
    method = min(route.methods or {"GET"}).lower()
    return "_".join([method, *re.findall(r"[a-z0-9_]+", path)])


def complete(schema: dict[str, Any]) -> None:
    """Add to a whole schema, in place, what its operations have in common."""
    components = schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1/") and method == "get":
                _add_reading(operation)
            elif path.startswith("/v1/") and method.upper() in METHODS:
                _add_idempotency(operation)
            _add_examples(operation, components)


def _add_reading(operation: dict[str, Any]) -> None:
    answer = operation["responses"].get("200", {})
    content = answer.get("content", {})
    if not content.keys() & {JSON, "text/html"}:
        return
    given = operation.setdefault("parameters", [])
    known = {(each["in"], each["name"].lower()) for each in given}
    if "$ref" in content.get(JSON, {}).get("schema", {}):
        given.append(_FIELDS)
    if ("header", "if-none-match") not in known:
        given.append(_IF_NONE_MATCH)
    answer.setdefault("headers", {}).setdefault("ETag", _ETAG)
    operation["responses"].setdefault("304", {"description": "Nothing has changed since the answer with this ETag."})


def _add_idempotency(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    problem = next(
        answer["content"]
        for status, answer in operation["responses"].items()
        if status >= "400" and "content" in answer
    )
    meanings = {
        "400": "The Idempotency-Key cannot be used.",
        "409": "A request with this Idempotency-Key is being done, or its answer was lost.",
        "422": "The Idempotency-Key was sent with another request before.",
    }
    for status, meaning in meanings.items():
        answer = operation["responses"].setdefault(status, {"description": meaning, "content": problem})
        if meaning not in answer["description"]:
            answer["description"] += f" Or: {meaning[0].lower()}{meaning[1:]}"


def _add_examples(operation: dict[str, Any], components: Mapping[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["required"] and not {"example", "examples"} & parameter.keys():
            parameter["example"] = example_of(parameter["schema"], components)
    contents = [answer.get("content", {}) for status, answer in operation["responses"].items() if status < "300"]
    for content in (*contents, operation.get("requestBody", {}).get("content", {})):
        body = content.get(JSON)
        if body is not None and body.get("schema") and not {"example", "examples"} & body.keys():
            body["example"] = example_of(body["schema"], components)


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of this schema: what its fields give as examples and defaults, and else the plainest there is."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components, depth)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema or "default" in schema:
        return schema.get("const", schema.get("default"))
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return example_of(schema[several][0], components, depth)
    kind = schema.get("type")
    if kind == "object":
        named = schema.get("properties", {})
        if depth >= _DEEPEST_EXAMPLE:
            return {}
        return {name: example_of(each, components, depth + 1) for name, each in named.items()}
    if kind == "array":
        return [] if depth >= _DEEPEST_EXAMPLE else [example_of(schema.get("items", {}), components, depth + 1)]
    if kind == "string":
        return _string(schema)
    plain: dict[Any, Any] = {"integer": schema.get("minimum", 1), "number": 0.5, "boolean": False}
    return plain.get(kind)


def _string(schema: Mapping[str, Any]) -> str:
    if "format" in schema:
        return _FORMATS.get(schema["format"], "text")
    pattern = schema.get("pattern")
    # The only pattern that "text" does not meet is that of a part of a message.
    return "text" if pattern is None or re.search(pattern, "text") else "1"
