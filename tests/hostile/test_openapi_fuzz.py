"""Every operation of the OpenAPI, whatever it is sent: no 5xx, and nothing but what the schema says.

The operations are taken from the document that the application serves, so a new one is tried without being named here.
`FUZZ_EXAMPLES=200 make fuzz` tries more.
"""

import copy
import json
import os
import re
import traceback
import uuid
from collections import defaultdict
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error
from serving import TOKEN
from urllib3 import Retry

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
"""Of each operation, for each kind of data; from 10 on also every hostile text, query and body for each operation."""
FEW = 3
"""Of the hostile ones that each operation gets otherwise; the next operation gets the next ones."""

load_all_checks()
CHECKED = [
    not_a_server_error,
    *CHECKS.get_by_names(["status_code_conformance", "content_type_conformance", "response_schema_conformance"]),
]
UNUSUAL_METHODS = ("HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "PROPFIND", "QUERY")
BEFORE_THE_APPLICATION = (414, 431)
"""What is too long for any operation is described in the guide, not at each of them."""
NO_HTTP = b"Invalid HTTP request received."
"""The server's own answer to what its parser cannot read, such as an address of more than 64 KiB."""
WORST = ("a\x00b", "\ud800")
"""What Postgres and its driver cannot take in a text."""
HOSTILE_TEXTS = (
    "\x00", "\udfff\ud800", "\u202e\u2066", "'; drop table raw.messages; --", "%s%n{0}${x}", "../../etc/passwd", "",
    "9" * 400, "-1", "1e999", "NaN", "null", "é" * 300, "\U0010ffff", "\r\nSet-Cookie: a=b", "<script>x()</script>",
)  # fmt: skip
HOSTILE_QUERIES = (
    "limit=99999999999999999999", "limit=-1", "limit=1e999", "limit=%00", "limit=1&limit=2", "limit=", "unknown=1",
    "cursor=%00", "cursor=" + "A" * 3_000, "cursor=%ff%fe", "cursor=eyJhIjoxfQ==", "mailbox=%00", "mailbox=%ed%a0%80",
    "q=%00", "q=%ed%a0%80", "q=" + "(" * 400, "q=from:%00", 'q="', "q=" + "+".join("q" * 100), "a[b]=c", "%00=1", "=",
    "since=0000-00-00T00:00:00Z", "since=9999-12-31T23:59:59%2B99:99", "until=99999-01-01T00:00:00Z", "&&&;;;", "%",
    "%zz", "fields=%00", "fields=__class__",
)  # fmt: skip
_JSON = "application/json"
HOSTILE_BODIES = (
    (b"", _JSON), (b"{", _JSON), (b"\xff\xfe", _JSON), (b"null", _JSON), (b"[]", _JSON), (b"NaN", _JSON),
    (b"1e999", _JSON),
    (b'"\\ud800"', _JSON), (b"9" * 5_000, _JSON), (b'{"a":' + b"9" * 5_000 + b"}", _JSON), (b"[" * 30, _JSON),
    (b'{"a":1,"a":2}', _JSON), (b"\xef\xbb\xbf{}", _JSON), (b"{}", "application/json; charset=utf-16"), (b"{}", ""),
    (b"{}", "text/plain"), (b"{}", "application/json\xff"), (b"{}", "nonsense;;;="), (b"--x", "multipart/form-data"),
    (b"a=b", "application/x-www-form-urlencoded"), (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
)  # fmt: skip

limited = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    # What fails is sent to a server that remembers: making it smaller would try something else.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Target:
    """A running API with seeded mailboxes, its schema, and the ids that its answers name."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        # The server closes a connection after a request that it could not read; the next one goes by a new one.
        again = Retry(total=2, allowed_methods=None)
        self.http.mount("http://", requests.adapters.HTTPAdapter(max_retries=again))
        self.http.headers["Authorization"] = f"Bearer {TOKEN}"
        self.raw = self.http.get(f"{self.url}/v1/openapi.json", timeout=30).json()
        self.schema = schemathesis.openapi.from_dict(copy.deepcopy(self.raw))
        # What ends things comes last.
        self.operations = sorted(
            (each.ok() for each in self.schema.get_all_operations()),
            key=lambda each: (each.method.upper() == "DELETE" or "erase" in each.path, each.path, each.method),
        )
        self.wrong: list[str] = []
        self.known: dict[str, list[str]] = defaultdict(list)
        for operation in self.operations:
            if operation.method.upper() == "GET" and "{" not in operation.path and not is_stream(operation):
                answer = self.http.get(f"{self.url}{operation.path}", timeout=30)
                if answer.headers.get("content-type") == "application/json":
                    self._learn(answer.json())

    def _learn(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                if name.endswith("_id") and isinstance(each, str) and each not in self.known[name]:
                    self.known[name].append(each)
                self._learn(each)
        elif isinstance(value, list):
            for each in value:
                self._learn(each)

    def path(self, operation) -> str:
        """The operation's path with known ids."""
        path = operation.path
        for parameter in operation.path_parameters:
            known = self.known.get(parameter.name) or [str(uuid.UUID(int=7))]
            path = path.replace(f"{{{parameter.name}}}", known[0])
        return path

    def check(self, answer: requests.Response, what: Any) -> None:
        """Note a 5xx, and a failure that is no problem document."""
        wrong = ""
        if answer.status_code >= 500:
            wrong = "failed"
        elif answer.status_code >= 400 and answer.request.method != "HEAD":
            if answer.headers["content-type"] != "application/problem+json":
                wrong = "is no problem document"
            elif answer.json()["status"] != answer.status_code or set(answer.json()) - {
                "type",
                "title",
                "status",
                "detail",
                "instance",
                "errors",
            }:
                wrong = "is another problem than its status"
        if answer.headers.get("x-content-type-options") != "nosniff" or "content-security-policy" not in answer.headers:
            wrong = "lacks security headers"
        if wrong:
            self.wrong.append(f"{what} {wrong}: {answer.status_code} {answer.text[:300]}")

    def report(self) -> None:
        """Fail with everything that was noted."""
        wrong, self.wrong = self.wrong, []
        assert not wrong, f"{len(wrong)} answers:\n" + "\n".join(wrong[:40])


def is_stream(operation) -> bool:
    """Whether its answer never ends."""
    return "text/event-stream" in str(operation.definition.raw.get("responses"))


@pytest.fixture(scope="module")
def target(shared_server) -> Target:
    """One API for all of this file: what one operation destroys the next ones do not find, which is a case, too."""
    return Target(shared_server.url)


def some(of: tuple, number: int) -> tuple:
    """A few of them for the operation with this number, or all where there is time."""
    if EXAMPLES >= 10:
        return of
    return tuple(of[(number * FEW + each) % len(of)] for each in range(FEW))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_the_schema_describes_and_what_it_does_not(target, mode):
    """A field that the code cannot take although the schema says so, or an answer that is not as described."""
    for operation in target.operations:
        if is_stream(operation):
            continue
        names = {each.name for each in operation.path_parameters}
        known = {name: target.known[name][0] for name in names if target.known.get(name)}

        @limited
        @given(case=operation.as_strategy(mode, path_parameters=known if mode is GenerationMode.POSITIVE else None))
        def one(case):
            answer = case.call(base_url=target.url, session=target.http, timeout=30, allow_redirects=False)
            if answer.status_code not in BEFORE_THE_APPLICATION and answer.content != NO_HTTP:
                case.validate_response(answer, checks=CHECKED)

        try:
            one()
        except Unsatisfiable:
            continue  # nothing of this kind can be made: what has no parameters has no wrong ones
        except (AssertionError, BaseExceptionGroup, requests.RequestException) as error:
            target.wrong.append("".join(traceback.format_exception_only(error))[:1500])
    target.report()


def test_hostile_texts_in_every_field(target):
    """A NUL, half a surrogate pair or a number of 400 digits that reaches Postgres as a 500."""
    for number, operation in enumerate(target.operations):
        if is_stream(operation):
            continue
        names = [each.name for each in operation.query]
        for text in (*WORST, *some(HOSTILE_TEXTS, number)):
            escaped = "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass")) or "%20"
            paths = [target.path(operation)] if names else []
            if "{" in operation.path:
                paths.append(re.sub(r"\{[^}]*\}", escaped, operation.path))
            for path in paths:
                asked = f"{path}?{'&'.join(f'{name}={escaped}' for name in names)}"
                target.check(send(target, operation.method, asked), (operation.label, asked))
    target.report()


def test_hostile_texts_in_every_body(target):
    """The same in the fields of a body that is right but for them."""
    for number, operation in enumerate(target.operations):
        if not any(each.media_type == "application/json" for each in operation.body):
            continue
        path = target.path(operation)
        for shape in dict.fromkeys(json.dumps(each) for each in examples_of(operation)):
            for text in (*WORST, *some(HOSTILE_TEXTS, number)):
                body = json.dumps(replaced(json.loads(shape), text)).encode()
                target.check(send(target, operation.method, path, body, "application/json"), (operation.label, body))
    target.report()


def test_hostile_queries_bodies_and_methods(target):
    """Unknown parameters, wrong content types and methods of no use, answered with a traceback."""
    methods = defaultdict(set)
    for number, operation in enumerate(target.operations):
        path = target.path(operation)
        methods[path].add(operation.method.upper())
        if is_stream(operation):
            continue
        for query in some(HOSTILE_QUERIES, number):
            target.check(send(target, operation.method, f"{path}?{query}"), (operation.label, query))
        if operation.method.upper() != "GET":
            for body, kind in some(HOSTILE_BODIES, number):
                target.check(send(target, operation.method, path, body, kind), (operation.label, body[:40], kind))
    for number, (path, allowed) in enumerate(methods.items()):
        for method in set(some(UNUSUAL_METHODS, number)) - allowed:
            answer = send(target, method, path)
            target.check(answer, (method, path))
            if answer.status_code == 405:
                assert set(answer.headers["allow"].replace(" ", "").split(",")) & allowed, (method, path)
    target.report()


def examples_of(operation) -> list[Any]:
    """A few bodies that the schema allows."""
    found: list[Any] = []

    @limited
    @given(case=operation.as_strategy(GenerationMode.POSITIVE))
    def collect(case):
        if isinstance(case.body, dict | list):
            found.append(case.body)

    collect()
    return found


def replaced(value: Any, text: str) -> Any:
    """The value with `text` for each text in it."""
    if isinstance(value, dict):
        return {name: replaced(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, text) for each in value]
    return text if isinstance(value, str) else value


def send(target: Target, method: str, path: str, body: bytes | None = None, kind: str = "") -> requests.Response:
    """The request as it is written, with no address repaired."""
    prepared = requests.Request(method, target.url, data=body, headers=dict(target.http.headers)).prepare()
    prepared.method = method.upper()
    prepared.url = f"{target.url}{path}"
    prepared.headers.pop("Content-Type", None)
    if kind:
        prepared.headers["Content-Type"] = kind.encode("latin-1")
    return target.http.send(prepared, timeout=30, allow_redirects=False)
