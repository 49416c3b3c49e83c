"""Exports and erasures through the API: who may ask for what, and what the answers say."""

import io
import json
import uuid
import zipfile

import pytest
from sqlalchemy import text

from rl_emails_assets.db import receipts


def _code(answer):
    return answer.json()["type"].rpartition(":")[2]


def _erase(place, name, kind, address, **more):
    body = {"kind": kind, "address": address, "confirmation": address, **more}
    return place[name].post("/v1/privacy/erase", json=body)


def _export(place, name, kind, address):
    return place[name].post("/v1/privacy/export", json={"kind": kind, "address": address})


def _address(place, mailbox_id):
    return place.one("select address from mailboxes.connections where mailbox_id = :id", id=mailbox_id).address


def _order(place, answer):
    assert answer.status_code == 202, answer.text
    query = "select * from privacy.orders where receipt_id = :id"
    return place.one(query, id=answer.json()["receipt_id"])


def test_an_owner_erases_their_mailbox_and_gets_a_receipt(place):
    """An erasure that nobody can ask about afterwards; or that goes on syncing the mailbox meanwhile."""
    mailbox = place.mailbox("mia")
    address = _address(place, mailbox)
    answer = _erase(place, "mia", "mailbox", address.upper())
    order = _order(place, answer)
    receipt = answer.json()
    assert (order.kind, order.subject, order.mailbox_ids) == ("mailbox", address, [mailbox])
    assert (receipt["state"], receipt["kind"], receipt["mailbox_id"]) == ("waiting", "mailbox", str(mailbox))
    assert receipt["asked_by"] == place.id_of("mia")
    assert address not in answer.text
    state = "select state from mailboxes.connections where mailbox_id = :id"
    assert place.one(state, id=mailbox).state == "disconnecting"
    kind = "select kind from sync_queue.requests where mailbox_id = :id"
    assert place.one(kind, id=mailbox).kind == "disconnect"
    assert place["mia"].get(f"/v1/privacy/receipts/{receipt['receipt_id']}").json() == receipt
    assert place.actions() == [("mia", "mailbox.erasure_asked")]
    with place.engine.connect() as connection:
        row = receipts.receipt(connection, uuid.UUID(receipt["receipt_id"]))
        assert row is not None
        assert receipts.is_about(row, address)
        assert receipts.due_orders(connection, most=1000) == [], "the run that ends the mailbox comes first"


def test_who_may_erase_a_mailbox(place, make_place):
    """A colleague, or another tenant, who erases somebody's mail."""
    mailbox = place.mailbox("mia")
    address = _address(place, mailbox)
    other = make_place("olga")
    shared = _address(place, place.mailbox(None, is_shared=True))
    assert [(a.status_code, _code(a)) for a in (_erase(place, "max", "mailbox", address),
                                                _erase(other, "olga", "mailbox", address))] == [
        (404, "mailbox-not-found"), (404, "mailbox-not-found")]  # fmt: skip
    assert _erase(place, "max", "mailbox", shared).status_code == 403
    assert place.actions() == []
    assert _erase(place, "adam", "mailbox", address).status_code == 202
    assert _erase(place, "adam", "mailbox", shared).status_code == 202


def test_nothing_is_erased_that_was_not_typed_twice(place):
    """A slip of the mouse."""
    address = _address(place, place.mailbox("mia"))
    for confirmation in ("", "yes", address[1:]):
        answer = _erase(place, "mia", "mailbox", address, confirmation=confirmation)
        assert (answer.status_code, _code(answer)) == (422, "not-confirmed")
    assert (
        place.one("select count(*) as c from privacy.orders where organization_id = :o", o=place.organization_id).c == 0
    )


def test_a_person_is_erased_where_the_one_who_asks_may(place):
    """A member who erases mail from everybody's mailboxes; an administrator who cannot."""
    own, shared, maxs = place.mailbox("mia"), place.mailbox("mia", is_shared=True), place.mailbox("max")
    assert _order(place, _erase(place, "mia", "person", "eve@gone.example")).mailbox_ids == [own]
    answer = _erase(place, "mia", "person", "eve@gone.example", everywhere=True)
    assert (answer.status_code, _code(answer)) == (403, "role-missing")
    assert _order(place, _erase(place, "adam", "person", "eve@gone.example")).mailbox_ids == [shared]
    assert _order(place, _erase(place, "adam", "person", "eve@gone.example", everywhere=True)).mailbox_ids is None
    del maxs
    place.do("insert into mailboxes.aliases (mailbox_id, address, found_by) values (:id, 'me@mine.example', 'option')",
             id=own)  # fmt: skip
    answer = _erase(place, "mia", "person", "me@mine.example")
    assert (answer.status_code, _code(answer)) == (409, "own-address")
    answer = _erase(place, "olga", "person", "eve@gone.example")
    assert answer.status_code == 202, "an administrator reads what is shared"


def test_a_member_is_erased_by_themself_or_an_administrator(place):
    """A colleague who erases a colleague; an organization without an owner."""
    mia, olga = place.people["mia"], place.people["olga"]
    answer = _erase(place, "max", "person", mia.address)
    assert (answer.status_code, _code(answer)) == (403, "role-missing")
    for name in ("mia", "adam"):
        assert _order(place, _erase(place, name, "person", mia.address)).user_id == mia.user_id
    answer = _erase(place, "olga", "person", olga.address)
    assert (answer.status_code, _code(answer)) == (409, "last-owner")
    with place.engine.begin() as connection:
        connection.execute(
            text("update identity.memberships set role = 'owner' where user_id = :id"),
            {"id": place.people["adam"].user_id},
        )
    assert _erase(place, "olga", "person", olga.address).status_code == 202


def test_receipts_are_seen_by_who_asked_and_by_administrators(place, make_place):
    """A colleague who learns whom somebody had erased; a listing that repeats or skips some."""
    place.mailbox("mia")
    mine = [_erase(place, "mia", "person", f"eve{n}@gone.example").json()["receipt_id"] for n in range(3)]
    found, cursor = [], {}
    while cursor is not None:
        page = place["mia"].get("/v1/privacy/receipts", params={"limit": 2, **cursor}).json()
        found += [each["receipt_id"] for each in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert found == mine[::-1]
    assert [each["receipt_id"] for each in place["adam"].get("/v1/privacy/receipts").json()["items"]] == mine[::-1]
    assert place["max"].get("/v1/privacy/receipts").json()["items"] == []
    other = make_place("olga")
    for name, where in (("max", place), ("olga", other)):
        answer = where[name].get(f"/v1/privacy/receipts/{mine[0]}")
        assert (answer.status_code, _code(answer)) == (404, "not-found")
    assert place["adam"].get(f"/v1/privacy/receipts/{mine[0]}").is_success


def test_an_export_of_a_mailbox_is_a_whole_archive(place):
    """A download that cannot be told from a cut one, or that leaves no trace in the audit log."""
    mailbox = place.mailbox("mia")
    answer = _export(place, "mia", "mailbox", _address(place, mailbox))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        (row,) = archive.read("tables/mailboxes.aliases.jsonl").splitlines() or [b"{}"]
    assert {"README.txt", "mail.mbox", "messages.jsonl", "manifest.json"} <= set(names)
    assert [each["name"] for each in manifest["files"]] == names[:-1]
    assert row == b"{}"
    assert place.actions() == [("mia", "mailbox.exported")]


@pytest.mark.parametrize("who", ["max", "adam", "olga"])
def test_nobody_exports_the_mailbox_of_somebody_else(place, who):
    """An administrator runs the organization and does not read its members' mail."""
    answer = _export(place, who, "mailbox", _address(place, place.mailbox("mia")))
    assert (answer.status_code, _code(answer)) == (404, "mailbox-not-found")
    assert place.actions() == []


def test_a_member_takes_all_that_is_theirs_along(place):
    """An export of a person without who they are here; or one that hands out what their keys are checked against."""
    place.mailbox("mia")
    shared = place.mailbox("max", is_shared=True)
    mia = place.people["mia"]

    def members(name):
        answer = _export(place, name, "person", mia.address)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {each: archive.read(each) for each in archive.namelist()}

    own = members("mia")
    assert mia.address.encode() in own["member/identity.users.jsonl"]
    (key,) = own["member/identity.api_keys.jsonl"].splitlines()
    assert "key_hash" not in json.loads(key)
    assert "token_hash" not in json.loads(own["member/identity.sessions.jsonl"])
    assert f"mailboxes/{shared}/mail.mbox" in own
    assert sum(name.endswith("mail.mbox") for name in own) == 2
    assert not any(name.startswith("member/") for name in members("max"))
    assert mia.address.encode() in members("adam")["member/identity.users.jsonl"]


@pytest.mark.parametrize("body", [{}, {"kind": "thread", "address": "a@b.c"}, {"kind": "person", "address": "x"},
                                  {"kind": "person", "address": "a@b\x00"}])  # fmt: skip
def test_what_makes_no_sense_is_refused(place, body):
    """An export of nobody, or of everybody."""
    assert place["mia"].post("/v1/privacy/export", json=body).status_code == 422
    assert place["mia"].post("/v1/privacy/erase", json={**body, "confirmation": "x"}).status_code == 422
