"""What every answer to a GET has in common: chosen fields, ETags, compression."""

import gzip
import json

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from mails import seed_id

from rl_emails_api.answers import fields
from rl_emails_api.answers.shaping import knows
from rl_emails_api.problems import ProblemError

QUOTE = f"/v1/messages/{seed_id('quote')}"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/inbox", "items(message_id,from(name)),next_cursor"),
        ("/v1/inbox", "pending_count"),
        ("/v1/tasks", "items(task_id,description)"),
        ("/v1/projects", "items(name)"),
        ("/v1/people", "items"),
        (QUOTE, "subject,from,to(address),attachments(filename,size_bytes),headers"),
        (QUOTE, "corrections(category),tasks(task_id,step)"),
        (f"{QUOTE}/explain", "priority(score,contributions(feature))"),
        (f"/v1/threads/{seed_id('thread pier')}", "subject,messages(subject,from(address))"),
        ("/v1/mailboxes", "items(mailbox_id)"),
    ],
)
def test_only_the_fields_that_were_asked_for(reader, path, asked):
    """A phone that loads whole messages for a list of subjects; a field that is not what the whole answer says."""
    whole = reader.get(path).raise_for_status().json()
    part = reader.get(path, params={"fields": asked}, headers={"Accept-Encoding": "identity"})
    assert part.status_code == 200, part.text
    assert part.json() == fields.select(fields.parse(asked), whole)
    assert part.json() != whole
    assert int(part.headers["content-length"]) == len(part.content)


@pytest.mark.parametrize(
    "asked",
    [
        "", ",", "items,", "items,items", "items(", "items)", "(items)", "items()", "items(message_id",
        "items((subject))",
        "items(subject)(snippet)", "items(subject)snippet", "items subject", "nothing", "items(nothing)",
        "items(subject(letters))", "items(from(nothing))", "Items", "items(a(b(c(d(e(f))))))", "items," * 400, "é",
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused(reader, asked):
    """A misspelt field that is left out silently, and missed at night."""
    answer = reader.get("/v1/inbox", params={"fields": asked})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rl-emails:problem:invalid-request")
    assert answer.json()["errors"][0]["location"] == ["query", "fields"]


def test_fields_twice_and_of_what_has_none_are_refused(reader):
    """Fields of a page of HTML."""
    assert reader.get("/v1/inbox?fields=items&fields=next_cursor").status_code == 422
    assert reader.get(f"{QUOTE}/html", params={"fields": "body"}).status_code == 422


SELECTIONS = st.recursive(
    st.none(), lambda inner: st.dictionaries(st.sampled_from("abcdef"), inner, min_size=1, max_size=3), max_leaves=12
)


def written(selection):
    """A selection as a client writes it."""
    return ",".join(name if inner is None else f"{name}({written(inner)})" for name, inner in selection.items())


def depth(selection):
    """How deep its parentheses go."""
    return 0 if selection is None else 1 + max(depth(inner) for inner in selection.values())


@given(selection=SELECTIONS.filter(bool))
def test_what_is_written_is_what_is_read(selection):
    """A selection that loses a name, or moves it into another's parentheses."""
    if depth(selection) <= fields.MAX_DEPTH:
        assert fields.parse(written(selection)) == selection
    else:
        with pytest.raises(ProblemError):
            fields.parse(written(selection))


@given(asked=st.text(alphabet="ab,() \n", max_size=30))
def test_any_text_is_a_selection_or_refused(asked):
    """A crash on what nobody thought of; something read that was not written."""
    try:
        found = fields.parse(asked)
    except ProblemError:
        return
    assert written(found) == asked


def test_an_answer_that_is_known_is_not_sent_again(client):
    """A poll that loads the same list again and again; or one that is told 304 after a change."""
    first = client.get("/v1/inbox")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    again = client.get("/v1/inbox", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "content-type" not in again.headers
    assert again.headers["cache-control"] == "no-store"
    other = client.get("/v1/inbox", params={"fields": "items(subject)"}, headers={"If-None-Match": tag})
    assert other.status_code == 200
    body = {"action": "star", "message_ids": [str(seed_id("quote"))]}
    client.post("/v1/messages/actions", json=body).raise_for_status()
    changed = client.get("/v1/inbox", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert "etag" not in client.post("/v1/messages/actions", json=body).headers


def test_every_get_has_a_tag(reader):
    """A client that has to know which answers can be asked for conditionally."""
    for path in ("/v1/inbox", "/v1/tasks", QUOTE, f"{QUOTE}/html", f"{QUOTE}/explain", "/v1/mailboxes", "/v1/people"):
        tag = reader.get(path).headers["etag"]
        assert reader.get(path, headers={"If-None-Match": tag}).status_code == 304, path
    assert "etag" not in reader.get("/v1/messages/00000000-0000-4000-8000-000000000000").headers


@pytest.mark.parametrize(
    ("sent", "is_known"),
    [(None, False), ("", False), ('"a"', True), ('W/"a"', True), ("*", True), ('"b", "a"', True), ('"b"', False)],
)
def test_tags_are_compared_weakly(sent, is_known):
    """A tag that a proxy has made weak, or strong, and that is never met again."""
    assert knows(sent, 'W/"a"') is is_known


DECODED = {
    "zstd": lambda content: zstandard.ZstdDecompressor().decompressobj().decompress(content),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("zstd;q=0, br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_answers_are_compressed_as_the_client_accepts(reader, accepted, encoding):
    """An answer in an encoding that the client did not name, or the tag of one encoding refused for another."""
    plain = reader.get("/v1/inbox", headers={"Accept-Encoding": "identity"})
    with reader.stream("GET", "/v1/inbox", headers={"Accept-Encoding": accepted}) as answer:
        content = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["etag"] == plain.headers["etag"]
    assert json.loads(DECODED[encoding](content) if encoding else content) == plain.json()
    assert "accept-encoding" in answer.headers["vary"].lower()
    if encoding:
        assert len(content) < len(plain.content)


def test_what_may_hold_a_secret_and_what_is_small_is_not_compressed(reader):
    """A key whose length is told by how well it is compressed beside words that somebody else chose."""
    headers = {"Accept-Encoding": "zstd, br, gzip"}
    ids = [str(seed_id(str(number))) for number in range(200)]
    posted = reader.post("/v1/messages/actions", json={"action": "done", "message_ids": ids}, headers=headers)
    assert len(posted.content) > 500
    assert "content-encoding" not in posted.headers
    assert "content-encoding" not in reader.get("/healthz", headers=headers).headers
