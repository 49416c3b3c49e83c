"""The guide's commands do what it says, and the committed schema is the one that is served."""

import json
import os
import shutil
import subprocess

import pytest
from mails import seed_id
from serving import TOKEN

from tests.docs.markdown_pages import ROOT, page

GUIDE = "docs/how-to/use-the-api.md"
COMMANDS = [block.text for block in page(GUIDE).blocks if block.language == "sh"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_of_the_guide_works(server, client, tmp_path, monkeypatch):
    """A first request that fails because the guide is older than the API."""
    monkeypatch.setattr(server.app.state, "settings", server.app.state.settings.model_copy(update={"home": tmp_path}))
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "API": server.url,
        "TOKEN": TOKEN,
        "MESSAGE": str(seed_id("quote")),
        "CURSOR": client.get("/v1/changes").json()["next_cursor"],
    }
    answers = []
    for command in COMMANDS:
        done = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        answers.append(done.stdout)
        if '"webhook_id"' in done.stdout:
            environment["WEBHOOK"] = json.loads(done.stdout)["webhook_id"]
    inbox, chosen, tasks, acted, begun, changed, events, webhook, deliveries = answers
    assert json.loads(inbox)["items"]
    assert set(json.loads(chosen)["items"][0]) == {"message_id", "subject", "from"}
    assert "items" in json.loads(tasks)
    assert json.loads(acted)["changed"] == [str(seed_id("quote"))]
    assert json.loads(begun)["next_cursor"]
    assert "items" in json.loads(changed)
    assert "retry:" in events
    assert json.loads(webhook)["secret"].startswith("whsec_")
    assert json.loads(deliveries) == {"items": []}


def test_the_committed_schema_is_the_one_that_is_served(reader):
    """A generated client that asks for what is not there any more."""
    committed = json.loads((ROOT / "docs/reference/openapi.json").read_text())
    assert committed == reader.get("/v1/openapi.json").json(), "run `make docs` and commit what it wrote"


def test_every_operation_has_a_lasting_name_and_examples(reader):
    """A generated function that is renamed with every release; a parameter nobody can guess."""
    schema = reader.get("/v1/openapi.json").json()
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert {"get_inbox", "post_messages_actions", "get_messages_by_message_id", "get_changes"} <= set(names)
    for operation in operations:
        answers = [each for status, each in operation["responses"].items() if status < "300"]
        bodies = [each.get("content", {}) for each in [*answers, operation.get("requestBody", {})]]
        for body in bodies:
            found = body.get("application/json")
            if found and found["schema"]:
                assert {"example", "examples"} & found.keys(), operation["operationId"]
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert {"example", "examples"} & parameter.keys(), (operation["operationId"], parameter["name"])


def test_the_schema_says_what_all_answers_have_in_common(reader):
    """A feature that only who reads the guide finds."""
    paths = reader.get("/v1/openapi.json").json()["paths"]
    inbox, acting, events = (
        paths["/v1/inbox"]["get"],
        paths["/v1/messages/actions"]["post"],
        paths["/v1/events"]["get"],
    )
    assert {"fields", "If-None-Match"} <= {each["name"] for each in inbox["parameters"]}
    assert "304" in inbox["responses"]
    assert "ETag" in inbox["responses"]["200"]["headers"]
    assert "Idempotency-Key" in {each["name"] for each in acting["parameters"]}
    assert {"400", "409", "422"} <= acting["responses"].keys()
    assert "fields" not in {each["name"] for each in events["parameters"]}
    attachment = paths["/v1/messages/{message_id}/attachments/{part_path}"]["get"]
    assert "fields" not in {each["name"] for each in attachment["parameters"]}
