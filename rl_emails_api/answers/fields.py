"""`fields=`: which fields of an answer the client wants, as `a,b,c(d,e)`; checked against the answer's model."""

import re
import types
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel

from rl_emails_api.problems import FieldError, ProblemError

PARAMETER = "fields"
MAX_CHARACTERS = 1000
MAX_DEPTH = 5
DESCRIPTION = (
    "Which fields to answer, as `a,b,c(d,e)`; of a list, those of each of its items. All of them unless given. "
    "An unknown one is 422."
)

_SIGNS = re.compile(r"[a-z0-9_]+|[(),]")

Selection = Mapping[str, "Selection | None"]
"""The wanted fields; None for all of what is in one."""


async def choose_fields(request: Request) -> None:
    """A dependency of every operation: what is asked for, checked, for the middleware that applies it.

    Raises a 422 problem for a field that the answer does not have.
    """
    asked = request.query_params.getlist(PARAMETER)
    if not asked or request.method != "GET":
        return
    if len(asked) > 1 or len(asked[0]) > MAX_CHARACTERS:
        raise _refused(f"is given once, with at most {MAX_CHARACTERS} characters")
    selection = parse(asked[0])
    check(selection, getattr(request.scope.get("route"), "response_model", None), "")
    request.state.fields = selection


def parse(asked: str) -> Selection:
    """Raises a 422 problem for anything but `a,b,c(d,e)`."""
    if "".join(_SIGNS.findall(asked)) != asked:
        raise _refused("may hold names, commas and parentheses only")
    signs = iter([*_SIGNS.findall(asked), ")"])
    selection = _parse_names(signs, 1)
    if next(signs, None) is not None:
        raise _refused("has a parenthesis too many")
    return selection


def _parse_names(signs: Iterator[str], depth: int) -> Selection:
    if depth > MAX_DEPTH:
        raise _refused(f"goes more than {MAX_DEPTH} deep")
    found: dict[str, Selection | None] = {}
    name = ""
    for sign in signs:
        if sign == "(":
            if not name or found[name] is not None:
                raise _refused("has a parenthesis that follows no name")
            found[name] = _parse_names(signs, depth + 1)
        elif sign in (",", ")"):
            if not name:
                raise _refused("lacks a name")
            if sign == ")":
                return found
            name = ""
        elif name or sign in found:
            raise _refused(f"names {sign} twice, or without a comma")
        else:
            name = sign
            found[name] = None
    raise _refused("lacks a closing parenthesis")


def check(selection: Selection, annotation: Any, place: str) -> None:
    """Raises a 422 problem for a field that an answer of this type does not have."""
    known = fields_of(annotation)
    if known is None:
        return
    for name, wanted in selection.items():
        if name not in known:
            where = f"in {place}" if place else "in this answer"
            raise _refused(f"names {name}, and there is no such field {where}")
        if wanted is not None:
            check(wanted, known[name], f"{place}{name}.")


def fields_of(annotation: Any) -> Mapping[str, Any] | None:
    """The fields of an answer of this type by their names there; none for a plain value; None when any may be there."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return fields_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        found = [fields_of(each) for each in get_args(annotation) if each is not type(None)]
        if any(each is None for each in found):
            return None
        return {name: value for each in found if each is not None for name, value in each.items()}
    if origin in (list, tuple, set, frozenset):
        return fields_of(get_args(annotation)[0])
    if annotation is Any or annotation is dict or origin is dict:
        return None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation.model_config.get("extra") == "allow":
            return None
        return {field.serialization_alias or name: field.annotation for name, field in annotation.model_fields.items()}
    return {}


def select(selection: Selection, value: Any) -> Any:
    """What is wanted of an answer."""
    if isinstance(value, list):
        return [select(selection, each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: each if (wanted := selection[name]) is None else select(wanted, each)
        for name, each in value.items()
        if name in selection
    }


def _refused(message: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        "`fields` cannot be used. Write it as a,b,c(d,e), with the names that the answer has.",
        errors=[FieldError(location=["query", PARAMETER], message=message)],
    )
