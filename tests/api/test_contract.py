"""What clients rely on: the schema, its words, and the reference page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


@pytest.fixture
def openapi(reader):
    """The schema as served."""
    return reader.get("/v1/openapi.json").raise_for_status().json()


def operations(openapi):
    """(method, path, operation) of every operation."""
    return [
        (method.upper(), path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_what_it_is_and_how_it_fails(openapi):
    """A client that learns of an error only when it happens."""
    for method, path, operation in operations(openapi):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        failures = {status: each for status, each in operation["responses"].items() if status >= "400"}
        assert {"500", "503"} <= set(failures)
        assert ("401" in failures) == (path not in ("/healthz", "/readyz", "/v1/images"))
        for answer in failures.values():
            assert list(answer["content"]) == ["application/problem+json"], (method, path)
    assert "HTTPValidationError" not in openapi["components"]["schemas"]


def test_every_reference_in_the_schema_resolves(openapi):
    """A schema that no generator can read."""
    for name in re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(openapi)):
        assert name in openapi["components"]["schemas"]


def test_the_reference_names_every_operation_and_no_other(openapi):
    """Documentation of an endpoint that is not there, or an endpoint without."""
    written = set(re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/[^`]*)` \|", REFERENCE.read_text(), re.MULTILINE))
    assert written == {(method, path) for method, path, _ in operations(openapi)}


def test_the_api_imports_no_pipeline():
    """Seconds of start-up and hundreds of megabytes for a server that only reads tables."""

    code = (
        "import sys, rl_emails_api.app; "
        "print([name for name in ('dagster', 'torch', 'openai', 'onnxruntime', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
