"""Partial responses: `fields=nextPageToken,messages(id,threadId)`."""

import re
from typing import Any

from tests.gmail.standin.replies import invalid

Mask = dict[str, "Mask | None"]


def apply_mask(content: Any, mask: str) -> Any:
    """What the mask leaves of a JSON value."""
    if mask == "*":
        return content
    tokens = re.findall(r"[A-Za-z0-9_*]+|[(),/]", mask)
    read, rest = _fields(tokens)
    if rest or mask.count("(") != mask.count(")") or "".join(tokens) != re.sub(r"\s", "", mask):
        raise invalid(f"Request contains an invalid argument: Invalid field selection {mask}")
    return _keep(content, read)


def _fields(tokens: list[str]) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while tokens and tokens[0] not in {")", "("}:
        path = [tokens[0]]
        tokens = tokens[1:]
        while tokens and tokens[0] == "/":
            path.append(tokens[1])
            tokens = tokens[2:]
        inner: Mask | None = None
        if tokens and tokens[0] == "(":
            inner, tokens = _fields(tokens[1:])
            tokens = tokens[1:]
        for name in reversed(path[1:]):
            inner = {name: inner}
        mask[path[0]] = inner
        if tokens and tokens[0] == ",":
            tokens = tokens[1:]
    return mask, tokens


def _keep(content: Any, mask: Mask) -> Any:
    if isinstance(content, list):
        return [_keep(entry, mask) for entry in content]
    if not isinstance(content, dict):
        return content
    if "*" in mask:
        return content
    return {
        name: content[name] if inner is None else _keep(content[name], inner)
        for name, inner in mask.items()
        if name in content
    }
