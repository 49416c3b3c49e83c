"""What the operators find over HTTP, on the seeded mailbox; and that pages, snippets and suggestions tell the truth."""

import base64
import json
import math

import pytest
from mails import MAILS, Mail, seed_id
from seed import add_mail, seed_other
from sqlalchemy import text

from rl_emails_assets.db.search_rows import fill_search

BY_ID = {str(seed_id(item.name)): item.name for item in MAILS}


def ask(client, q, **params):
    """The answer to a search."""
    return client.get("/v1/search", params={"q": q, **params}).raise_for_status().json()


def names(client, q, **params):
    """The names of what fulfils conditions."""
    return [BY_ID[each["message_id"]] for each in ask(client, q, limit=50, **params)["items"]]


def worded(client, q, **params):
    """The names of what has the words."""
    items = ask(client, q, limit=50, **params)["items"]
    return {BY_ID[each["message_id"]] for each in items if "words" in each["matched_by"]}


PIER = {"quote", "pier-earlier", "sent"}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("from:nadia", {"quote", "pier-earlier"}),
        ("from:NADIA@harbour.example", {"quote", "pier-earlier"}),
        ("from:@harbour.example", {"quote", "pier-earlier", "draft-report", "invite"}),
        ("from:harbour", {"quote", "pier-earlier", "draft-report", "invite"}),
        ('from:"Ingrid Vos"', {"draft-report", "invite"}),
        ("from:nad", set()),
        ("from:(nadia OR orders)", {"quote", "pier-earlier", "receipt"}),
        ("to:nadia", {"sent"}),
        ("subject:photograph", {"old"}),
        ('subject:"first quote"', {"pier-earlier", "sent"}),
        ('subject:"quote first"', set()),
        ("subject:survey subject:revised", {"quote"}),
        ("has:attachment", {"quote"}),
        ("has:pdf", {"quote"}),
        ("has:image", set()),
        ("filename:pdf", {"quote"}),
        ('filename:"revised quote.pdf"', {"quote"}),
        ("filename:survey", set()),
        ("list:moss", {"list"}),
        ("list:moss.example", {"list"}),
        ("label:Lists-moss", {"list"}),
        ("label:lists/MOSS", {"list"}),
        ("label:nowhere", set()),
        ("in:sent", {"sent"}),
        ("is:sent", {"sent"}),
        ("in:trash", {"trash"}),
        ("in:spam", {"spam"}),
        ("is:unread", {"quote", "lunch", "newsletter"}),
        ("is:unread from:tomas", {"lunch"}),
        ("is:read from:nadia", {"pier-earlier"}),
        ("category:receipt", {"receipt"}),
        ("needs:decision", {"quote", "invite"}),
        ("needs:decision OR category:receipt", {"quote", "invite", "receipt"}),
        ("from:tomas -subject:lunch", {"old", "unranked"}),
        ("-(from:tomas OR from:nadia) needs:reply", set()),
        ("is:important needs:reply", {"lunch", "pier-earlier"}),
        ("is:starred", set()),
        ("is:done", set()),
        ("is:snoozed", set()),
        ("larger:1M", set()),
        ("on:2026-03-18", {"pier-earlier", "sent"}),
        ("before:2026-02-15", {"old"}),
        ("after:2026-03-20", {"quote", "unranked"}),
        ("from:harbour after:2026-03-17 before:2026-03-19", {"pier-earlier"}),
    ],
)
def test_conditions(reader, q, expected):
    """An operator that finds too much, too little or nothing."""
    assert set(names(reader, q)) == expected


def test_every_message_fulfils_a_condition_or_not(reader):
    """A condition and its opposite that leave mail out; in:anywhere that does not bring trash and spam."""
    everything = set(names(reader, "in:anywhere"))
    assert everything == {item.name for item in MAILS if item.is_parsed and not item.duplicate_of}
    for condition in ("is:unread", "from:nadia", "has:pdf", "larger:300", "needs:reply", "on:2026-03-18", "in:sent"):
        fulfilled, others = (
            set(names(reader, f"in:anywhere {condition}")),
            set(names(reader, f"in:anywhere -{condition}")),
        )
        assert fulfilled | others == everything
        assert not fulfilled & others
    assert set(names(reader, "is:received in:anywhere")) == everything - {"sent"}


def test_conditions_are_listed_newest_first(reader):
    """Conditions alone in an order that means nothing."""
    items = ask(reader, "from:harbour")["items"]
    assert [each["received_at"] for each in items] == sorted((each["received_at"] for each in items), reverse=True)
    assert {each["score"] for each in items} == {None}


def test_words_and_conditions(reader):
    """A condition that holds for words but not for meaning, so that excluded mail comes back as alike."""
    assert worded(reader, "pier") == PIER
    assert worded(reader, "pier from:nadia") == PIER - {"sent"}
    assert set(names(reader, "pier from:nadia")) <= {"quote", "pier-earlier"}
    assert set(names(reader, "pier survey -from:nadia")) & {"quote", "pier-earlier"} == set()
    assert worded(reader, "pier OR lighthouse") == PIER | {"old"}
    assert worded(reader, "(pier revised) OR has:pdf") == {"quote", "sent"}


def test_words_in_any_form_and_without_accents(reader):
    """A word found only as it was typed."""
    assert worded(reader, "photograph") == {"old"}
    assert worded(reader, "PHÓTOGRAPHS") == {"old"}
    assert worded(reader, "sloe-post") == set()
    assert worded(reader, "letters@slowpost.example") == {"newsletter"}
    assert worded(reader, "slowpost") == {"newsletter"}
    assert worded(reader, "revised quote.pdf") == {"quote"}
    assert worded(reader, "nadia") >= PIER


def test_what_was_said_first_comes_before_what_quotes_it(engine, serve, mailbox_id):
    """A reply that quotes a message above the message, because it has the words twice."""
    said = "The heron nests behind the boathouse since April."
    with engine.begin() as connection:
        add_mail(connection, mailbox_id, Mail("heron-first", ("Ines", "ines@pond.example"), "Birds", said, 3.0, 0.5))
        reply = Mail(
            "heron-reply",
            ("Omar", "omar@pond.example"),
            "Re: Birds",
            "Lovely!",
            1.0,
            0.9,
            quoted=f"> {said}\n> {said}\n> {said}",
        )
        add_mail(connection, mailbox_id, reply)
    with serve().client() as client:
        items = ask(client, "heron boathouse")["items"]
    assert [each["message_id"] for each in items][:2] == [str(seed_id("heron-first")), str(seed_id("heron-reply"))]
    assert items[0]["score"] > items[1]["score"]


def test_hardly_anything_has_all_words(reader):
    """One wrong word among right ones that finds nothing; or mail with all words below mail with some."""
    assert worded(reader, "contractor approval tuesday zeppelin") == {"quote"}
    assert worded(reader, "contractor approval tuesday slot zeppelin airship") == {"quote"}
    assert worded(reader, "contractor zeppelin") == set()


def know(connection, mailbox_id, address, name, count):
    """Put an address among the contacts."""
    connection.execute(
        text(
            "insert into mail.contacts "
            "(mailbox_id, address, name, from_count, to_count, first_at, last_at, version, run_id) "
            "values (:mailbox_id, :address, :name, :count, 0, now(), now(), '1', 'r') "
            "on conflict (mailbox_id, address) do update set name = excluded.name, from_count = excluded.from_count"
        ),
        {"mailbox_id": mailbox_id, "address": address, "name": name, "count": count},
    )


def test_a_mistyped_name_finds_the_sender(engine, serve, mailbox_id):
    """A name that has to be spelled right."""
    with engine.begin() as connection:
        know(connection, mailbox_id, "tomas@lindqvist.example", "Tomas Lindqvist", 3)
    with serve().client() as client:
        assert "old" in worded(client, "lindqivst")
        assert "lunch" in worded(client, "tomas lindkvist")
        people = client.get("/v1/search/suggest", params={"q": "lindqivst"}).json()["items"]
        assert [each["text"] for each in people] == ["from:tomas@lindqvist.example "]


def test_dates_are_days_of_the_owner(reader):
    """A day that begins at midnight somewhere else."""
    # Sent on 20 March at 07:06 UTC, which is the evening before in Honolulu.
    assert "quote" in names(reader, "on:2026-03-20", zone="UTC")
    assert "quote" in names(reader, "on:2026-03-19", zone="Pacific/Honolulu")
    assert "quote" not in names(reader, "on:2026-03-20", zone="Pacific/Honolulu")
    assert "UTC" in ask(reader, "on:2026-03-20", zone="../etc/passwd")["notes"][0]


def test_notes_tell_what_was_not_understood(reader):
    """A search for something else than was typed, without a word."""
    body = ask(reader, "colour:red before:soon lighthouse")
    assert len(body["notes"]) == 2
    assert ask(reader, "lighthouse")["notes"] == []
    assert ask(reader, "!!!")["notes"] == ["There is nothing to search for: no word and no condition."]
    assert ask(reader, "!!!")["items"] == []


@pytest.mark.parametrize(
    "q", ["in:anywhere", "a OR e OR the OR pier OR quote OR you OR at", "quote pier survey tide report"]
)
@pytest.mark.parametrize("limit", [1, 3])
def test_pages_hold_each_match_once(reader, q, limit):
    """A match on two pages, or on none."""
    whole = ask(reader, q, limit=50)
    assert whole["next_cursor"] is None
    seen, cursor = [], None
    for _ in range(30):
        body = ask(reader, q, limit=limit, **({"cursor": cursor} if cursor else {}))
        seen += [each["message_id"] for each in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == [each["message_id"] for each in whole["items"]]


def test_pages_are_of_one_moment(engine, serve, mailbox_id):
    """A message that arrives between two pages and pushes a match onto both; one that is removed and hides another."""
    with serve().client() as client:
        whole = [each["message_id"] for each in ask(client, "pier OR quote OR tide", limit=50)["items"]]
        first = ask(client, "pier OR quote OR tide", limit=2)
        with engine.begin() as connection:
            add_mail(
                connection,
                mailbox_id,
                Mail("late", ("X", "x@y.example"), "Pier quote tide", "pier quote tide", 0.0, 0.9),
            )
            connection.execute(text("delete from raw.messages where message_id = :id"), {"id": whole[0]})
        second = ask(client, "pier OR quote OR tide", limit=50, cursor=first["next_cursor"])
    assert [each["message_id"] for each in second["items"]] == whole[2:]


@pytest.mark.parametrize("key", [[1], ["2026-03-20T00:00:00Z", 1], ["x", "y", "z"], [None, 0, str(seed_id("old"))]])
def test_a_cursor_of_something_else_is_refused(reader, key):
    """A cursor that was tampered with, answered with an error of ours."""
    cursor = base64.urlsafe_b64encode(json.dumps(["search", *key]).encode()).decode().rstrip("=")
    assert reader.get("/v1/search", params={"q": "pier", "cursor": cursor}).status_code == 422
    assert reader.get("/v1/search", params={"q": "from:nadia", "cursor": cursor}).status_code == 422


def test_snippets_show_the_densest_place(engine, serve, mailbox_id):
    """A snippet of a long mail that shows its greeting."""
    long = "Dear all. " * 300 + "The kingfisher was seen near the old sluice on Monday. " + "Best wishes. " * 300
    with engine.begin() as connection:
        add_mail(connection, mailbox_id, Mail("long", ("Ines", "ines@pond.example"), "Birds", long, 3.0, 0.5))
    with serve().client() as client:
        snippet = ask(client, "sluice kingfishers")["items"][0]["snippet"]
    assert [snippet["text"][start:end] for start, end in snippet["matches"]] == ["kingfisher", "sluice"]
    assert len(snippet["text"]) < 200


_HOSTILE = (
    "x" * 10_000, "\x00", "a\x00b", "(" * 490, '"' * 499, "'" * 300, "a & !b | (c <-> d):*A", "from:'\\'':*", "from:%",
    "subject:\\", "label:'; drop table raw.labels; --", "to:@", "from:@", "filename:*", "larger:99999999999",
    "on:9999-12-31", "newer:0001-01-01", "is:unread " * 45, "-" * 200 + "x", "ß ﬁ İ ﷺ \u202e \ud7ff", "'" + "a' " * 150,
    "{}" * 200, "cc:" + "é" * 300,
)  # fmt: skip


@pytest.mark.parametrize("q", _HOSTILE)
@pytest.mark.parametrize("typing", [True, False])
def test_hostile_queries_are_answered(reader, q, typing):
    """A query that breaks the parser, the text search's syntax or SQL."""
    for path in ("/v1/search", "/v1/search/suggest"):
        assert reader.get(path, params={"q": q, "typing": typing}).status_code in (200, 414, 422)


def test_suggestions(engine, serve, mailbox_id):
    """A box that does not help: no names, no subjects, no operators, or text lost that was typed before."""
    with engine.begin() as connection:
        for address, name, count in (
            ("nadia@harbour.example", "Nadia Okafor", 9),
            ("nadine@else.example", "Nadine", 2),
            ("tomas@lindqvist.example", "Tómas Lindqvist", 3),
        ):
            know(connection, mailbox_id, address, name, count)

    def suggested(q):
        items = client.get("/v1/search/suggest", params={"q": q}).raise_for_status().json()["items"]
        return {
            kind: [each["text"] for each in items if each["kind"] == kind] for kind in ("person", "operator", "thread")
        }

    with serve().client() as client:
        assert suggested("quote nad")["person"] == [
            "quote from:nadia@harbour.example ",
            "quote from:nadine@else.example ",
        ]
        assert suggested("tomas")["person"] == ["from:tomas@lindqvist.example "]
        assert suggested("-to:nadia ok")["person"] == ["-to:nadia from:nadia@harbour.example "]
        assert suggested("-to:oka")["person"] == ["-to:nadia@harbour.example "]
        assert suggested("lindq")["person"] == ["from:tomas@lindqvist.example "]
        assert suggested("ha")["operator"] == ["has:"]
        assert suggested("is:un")["operator"] == ["is:unread "]
        assert suggested("x -is:un")["operator"] == ["x -is:unread "]
        assert suggested("pier sur")["thread"][0].startswith('subject:"Pier survey')
        assert suggested("zzzz") == {"person": [], "operator": [], "thread": []}
        assert suggested("") == {"person": [], "operator": [], "thread": []}
        first = client.get("/v1/search/suggest", params={"q": "photogr"}).json()["items"][0]
        assert first["thread_id"] == str(seed_id("thread old"))
        assert names(client, first["text"]) == ["old"]


def test_another_tenants_mail_is_not_found(engine, serve, mailbox_id):
    """Somebody else's words through matches, counts, snippets, suggestions, notes, or the functions themselves."""
    other = seed_other(engine)
    with engine.begin() as connection:
        connection.execute(
            text("insert into identity.organizations (organization_id, name) values (gen_random_uuid(), 'Elsewhere')")
        )
        connection.execute(
            text(
                "update mailboxes.connections set owner_user_id = null, is_shared = true, "
                "organization_id = (select organization_id from identity.organizations where name = 'Elsewhere') "
                "where mailbox_id = :other"
            ),
            {"other": other},
        )
    with serve().client() as client:
        for q in ("secret", "grace", "another owner", "from:secret", "has:attachment filename:secret", "in:anywhere"):
            body = ask(client, q, limit=50)
            assert str(seed_id("other")) not in {each["message_id"] for each in body["items"]}
            assert "Grace" not in json.dumps(body["items"])
        assert ask(client, "secret")["matched_count"] == 0
        for q in ("secret", "grace", "another ow"):
            items = client.get("/v1/search/suggest", params={"q": q}).json()["items"]
            assert "secret@elsewhere.example" not in json.dumps(items)
            assert "Another owner" not in json.dumps(items)
        assert client.get("/v1/search", params={"q": "secret", "mailbox": str(other)}).status_code == 404
        assert client.get("/v1/search/suggest", params={"q": "secret", "mailbox": str(other)}).status_code == 404


_ANY = '{"kind": "everything"}'
_CALLS = (
    f"search.found(:m, '{_ANY}', null, '{_ANY}', '{{}}', null, '', '', true, now())",
    f"search.listed(:m, '{_ANY}', true, null, null, 50)",
    "search.contacts_like(:m, 'ada', true, 50)",
    "search.subjects_like(:m, 'pier', 50)",
    "generate_series(1, search.unfilled_count(:m))",
)


@pytest.mark.parametrize("call", _CALLS)
@pytest.mark.parametrize("organization", ["", "00000000-0000-0000-0000-00000000beef"])
def test_the_functions_show_nothing_to_strangers(engine, mailbox_id, call, organization):
    """A function with its owner's rights that forgets to ask who calls it."""
    with engine.begin() as connection:
        connection.execute(text("insert into search.unfilled values (:m) on conflict do nothing"), {"m": mailbox_id})
        connection.execute(text("delete from search.messages where message_id = :id"), {"id": seed_id("old")})
    with engine.begin() as connection:
        connection.execute(
            text(
                "select set_config('rl_emails.organization_id', :organization, true), "
                "set_config('rl_emails.user_id', :organization, true), set_config('role', 'rl_emails_api', true)"
            ),
            {"organization": organization},
        )
        query = text(f"select count(*) from {call.replace(':m', 'cast(:m as uuid)')}")  # noqa: S608 - ours
        assert connection.execute(query, {"m": mailbox_id}).scalar_one() == 0


def test_what_was_stored_before_is_filled_in(engine, serve, mailbox_id):
    """An upgraded installation whose old mail is never found, or that says nothing about it."""
    with engine.begin() as connection:
        connection.execute(text("delete from search.messages"))
        connection.execute(text("alter table embeddings.messages disable trigger code"))
        connection.execute(text("update embeddings.messages set code = null"))
        connection.execute(text("alter table embeddings.messages enable trigger code"))
        connection.execute(text("insert into search.unfilled select mailbox_id from mailboxes.connections"))
    with serve().client() as client:
        body = ask(client, "lighthouse")
        assert body["items"] == []
        parsed = sum(item.is_parsed and not item.duplicate_of for item in MAILS)
        assert body["notes"] == [f"{parsed} messages cannot be found yet; the next sync makes them ready."]
        assert fill_search(engine, mailbox_id) >= parsed
        assert fill_search(engine, mailbox_id) == 0
        body = ask(client, "lighthouse")
        assert BY_ID[body["items"][0]["message_id"]] == "old"
        assert set(body["items"][0]["matched_by"]) == {"words", "meaning"}
        assert body["notes"] == []


def test_words_follow_the_message(engine, mailbox_id):
    """Words of a message that is gone, or of a copy whose original was removed, left or lost."""
    count = text("select count(*) from search.messages where message_id = :id")
    with engine.begin() as connection:
        assert connection.execute(count, {"id": seed_id("copy")}).scalar_one() == 0
        connection.execute(text("delete from raw.messages where message_id = :id"), {"id": seed_id("pier-earlier")})
        assert connection.execute(count, {"id": seed_id("pier-earlier")}).scalar_one() == 0
        promote = text("update mail.messages set duplicate_of = null where message_id = :id")
        connection.execute(promote, {"id": seed_id("copy")})
        assert connection.execute(count, {"id": seed_id("copy")}).scalar_one() == 1
        demote = text("update mail.messages set duplicate_of = :other where message_id = :id")
        connection.execute(demote, {"id": seed_id("copy"), "other": seed_id("quote")})
        assert connection.execute(count, {"id": seed_id("copy")}).scalar_one() == 0


def test_codes_pick_the_nearest_vectors(engine, mailbox_id):
    """A code that is not its vector's, so that meaning finds what is far."""
    with engine.begin() as connection:
        wrong = connection.execute(
            text("select count(*) from embeddings.messages where code is distinct from search.code_of(vector)")
        ).scalar_one()
        assert wrong == 0
        values = [math.sin(number) for number in range(384)]
        vector = "[" + ",".join(f"{value:.4f}" for value in values) + "]"
        connection.execute(
            text("update embeddings.messages set vector = cast(:vector as halfvec) where message_id = :id"),
            {"vector": vector, "id": seed_id("old")},
        )
        code = connection.execute(
            text("select code::text from embeddings.messages where message_id = :id"), {"id": seed_id("old")}
        ).scalar_one()
        assert code == "".join("1" if round(value, 4) > 0 else "0" for value in values)
