"""Personal and shared mailboxes: who sees them, who may change that, and who may erase them."""

import uuid

import httpx
import pytest


def _code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


def _sees(place, name: str) -> list[str]:
    """The mailboxes that somebody sees, wherever mailboxes are listed or named."""
    listed = [each["mailbox_id"] for each in place[name].get("/v1/mailboxes").json()["items"]]
    assert [each["mailbox_id"] for each in place[name].get("/v1/connections").json()["items"]] == listed
    return listed


def test_sharing_and_unsharing(place):
    """A mailbox that colleagues do not see though it is shared, or still see when it is not."""
    mailbox = str(place.mailbox("mia"))
    path = f"/v1/mailboxes/{mailbox}"
    assert [_sees(place, name) for name in ("mia", "max", "olga")] == [[mailbox], [], []]
    shared = place["mia"].patch(path, json={"is_shared": True})
    assert shared.json()["is_shared"] is True
    assert [_sees(place, name) for name in ("mia", "max", "olga")] == [[mailbox]] * 3
    (item,) = place["max"].get("/v1/mailboxes").json()["items"]
    assert (item["is_shared"], item["owner"]) == (True, {"user_id": place.id_of("mia"), "display_name": "mia"})
    assert place["mia"].patch(path, json={"is_shared": True}).is_success
    assert place["adam"].patch(path, json={"is_shared": False}).is_success
    assert [_sees(place, name) for name in ("mia", "max", "adam")] == [[mailbox], [], []]
    assert place.actions() == [("mia", "mailbox.shared"), ("adam", "mailbox.unshared")]


def test_nobody_shares_the_mailbox_of_somebody_else(place):
    """An administrator who lets everybody, themself included, read a colleague's mail; one who learns that it is there
    from another answer than nobody's."""
    mailbox = place.mailbox("mia")
    answers = [
        place[name].patch(f"/v1/mailboxes/{each}", json={"is_shared": True})
        for name in ("olga", "adam", "max")
        for each in (mailbox, uuid.uuid4())
    ]
    assert {each.status_code for each in answers} == {404}
    assert len({(each.json()["type"], each.json()["detail"]) for each in answers}) == 1
    assert _sees(place, "olga") == []


def test_a_member_takes_nothing_away_from_all(place):
    """A member who makes a shared mailbox somebody's own, or erases it."""
    mailbox = place.mailbox("adam", is_shared=True)
    assert _code(place["max"].patch(f"/v1/mailboxes/{mailbox}", json={"is_shared": False})) == "role-too-low"
    assert _code(place["max"].delete(f"/v1/connections/{mailbox}")) == "role-too-low"
    assert place["max"].delete(f"/v1/connections/{uuid.uuid4()}").status_code == 404
    assert _sees(place, "max") == [str(mailbox)]
    assert place["adam"].delete(f"/v1/connections/{mailbox}").status_code == 202
    assert place.actions() == [("adam", "mailbox.disconnected")]


def test_a_mailbox_whose_owner_left_stays_shared(place):
    """A mailbox that becomes visible to nobody, for ever."""
    mailbox = place.mailbox("mia", is_shared=True)
    assert place["olga"].delete(f"/v1/organization/members/{place.id_of('mia')}").status_code == 204
    answer = place["olga"].patch(f"/v1/mailboxes/{mailbox}", json={"is_shared": False})
    assert (answer.status_code, _code(answer)) == (409, "mailbox-has-no-owner")
    assert place["olga"].get("/v1/mailboxes").json()["items"][0]["owner"] is None


def test_unsharing_ends_what_others_were_given(place):
    """A conversation that waits for somebody who cannot see it any more."""
    mailbox = place.mailbox("mia", is_shared=True)
    mine, theirs = place.thread(mailbox), place.thread(mailbox)
    for thread, name in ((mine, "mia"), (theirs, "max")):
        answer = place["olga"].put(f"/v1/threads/{thread}/assignment", json={"user_id": place.id_of(name)})
        assert answer.is_success, answer.text
    assert place["adam"].patch(f"/v1/mailboxes/{mailbox}", json={"is_shared": False}).is_success
    found = [place["mia"].get(f"/v1/threads/{thread}/assignment").json()["user_id"] for thread in (mine, theirs)]
    assert found == [place.id_of("mia"), None]


def test_an_administrator_names_no_mailbox_of_others_by_accident(place):
    """A request without a mailbox that takes a colleague's, or that fails because colleagues have some."""
    place.mailbox("mia")
    mailbox = place.mailbox("adam")
    assert place["adam"].get("/v1/inbox").is_success
    place.do("delete from mailboxes.connections where mailbox_id = :id", id=mailbox)
    assert place["adam"].get("/v1/inbox").status_code == 404


@pytest.mark.parametrize("is_shared", [True, False])
def test_another_organization_sees_nothing(place, make_place, is_shared):
    """The same address in two organizations: one whose owner finds the other one's mailbox under it."""
    mailbox = place.mailbox("olga", is_shared=is_shared)
    other = make_place("olga")
    own = other.mailbox("olga")
    other.do(
        "update mailboxes.connections set address = (select address from mailboxes.connections where mailbox_id = :m) "
        "where mailbox_id = :own",
        m=mailbox,
        own=own,
    )
    assert _sees(other, "olga") == [str(own)]
    assert other["olga"].patch(f"/v1/mailboxes/{mailbox}", json={"is_shared": True}).status_code == 404
    assert other["olga"].delete(f"/v1/connections/{mailbox}").status_code == 404
    assert _sees(place, "olga") == [str(mailbox)]
