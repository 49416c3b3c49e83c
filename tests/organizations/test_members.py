"""Members, over HTTP: who sees, changes and removes whom, and that what is taken away is gone at once."""

import threading
import uuid

import httpx
import pytest

from rl_emails_api.organizations import queries
from rl_emails_api.organizations.queries import Standing


def _code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


def test_the_organization_as_each_role_sees_it(place):
    """Figures of mailboxes that one may not see, or invitations told to a member."""
    place.mailbox("adam", is_shared=True)
    place.mailbox("mia")
    seen = {name: place[name].get("/v1/organization").json() for name in ("olga", "adam", "mia")}
    assert {name: each["role"] for name, each in seen.items()} == {"olga": "owner", "adam": "admin", "mia": "member"}
    assert [seen[name]["mailbox_count"] for name in ("olga", "adam", "mia")] == [1, 1, 2]
    assert {each["shared_mailbox_count"] for each in seen.values()} == {1}
    assert {each["member_count"] for each in seen.values()} == {4}
    assert [seen[name]["invitation_count"] for name in ("olga", "adam", "mia")] == [0, 0, None]
    assert {each["managed_by"] for each in seen.values()} == {"rl-emails"}


def test_renaming(place):
    """A member who renames the organization, or a name that nobody can read."""
    answer = place["adam"].patch("/v1/organization", json={"name": "  Kestrel Marine "})
    assert answer.json()["name"] == "Kestrel Marine"
    place["olga"].patch("/v1/organization", json={"name": "Kestrel Marine"})
    assert place["mia"].patch("/v1/organization", json={"name": "Mine"}).status_code == 403
    for name in ("", "   ", "a\nb", "x" * 101, "\x00"):
        assert place["adam"].patch("/v1/organization", json={"name": name}).status_code == 422
    assert place.actions() == [("adam", "organization.renamed")]


def test_members_are_listed_page_by_page(place, make_place):
    """People of another organization, or somebody left out between two pages."""
    make_place("olga")
    first = place["mia"].get("/v1/organization/members", params={"limit": 3}).json()
    rest = place["mia"].get("/v1/organization/members", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    found = first["items"] + rest["items"]
    assert [each["display_name"] for each in found] == ["olga", "adam", "mia", "max"]
    assert rest["next_cursor"] is None
    assert [each["user_id"] for each in found if each["is_you"]] == [place.id_of("mia")]
    assert found[0]["address"] == place.people["olga"].address


def test_a_role_changes_with_the_next_request(place):
    """Somebody who keeps what an administrator may after they are none."""
    path = f"/v1/organization/members/{place.id_of('adam')}"
    assert place["olga"].patch(path, json={"role": "member"}).json()["role"] == "member"
    assert place["adam"].patch(path, json={"role": "admin"}).status_code == 403
    assert place["olga"].patch(path, json={"role": "member"}).status_code == 200
    assert place.actions() == [("olga", "member.role_changed")], "what changed nothing is not told"
    row = place.one(
        "select details, target from identity.audit_events where organization_id = :id", id=place.organization_id
    )
    assert (row.details, row.target) == ({"was": "admin", "role": "member"}, place.id_of("adam"))


@pytest.mark.parametrize(
    ("actor", "about", "role", "status", "code"),
    [
        ("adam", "olga", "member", 403, "role-too-low"),
        ("adam", "adam", "owner", 403, "role-too-low"),
        ("adam", "mia", "owner", 403, "role-too-low"),
        ("mia", "mia", "admin", 403, "scope-missing"),
        ("olga", "olga", "admin", 409, "last-owner"),
    ],
)
def test_roles_that_may_not_be_given(place, actor, about, role, status, code):
    """An administrator who becomes an owner, or an organization without one."""
    answer = place[actor].patch(f"/v1/organization/members/{place.id_of(about)}", json={"role": role})
    assert (answer.status_code, _code(answer)) == (status, code)
    assert place.actions() == []


def test_an_owner_who_may_not_sign_in_does_not_count(place):
    """An organization whose only owner left is somebody who was deactivated."""
    place.add("omar", "owner")
    place.do("update identity.users set deactivated_at = now() where user_id = :id", id=place.people["omar"].user_id)
    answer = place["olga"].patch(f"/v1/organization/members/{place.id_of('olga')}", json={"role": "admin"})
    assert _code(answer) == "last-owner"
    assert place["olga"].delete(f"/v1/organization/members/{place.id_of('omar')}").status_code == 204


def test_removal_ends_everything_at_once(place):
    """A key or a device that still reads mail after its owner was removed; a colleague's thread that is nobody's."""
    shared, own = place.mailbox("mia", is_shared=True), place.mailbox("mia")
    thread = place.thread(shared)
    key, device = place["mia"], place.signed_in("mia")
    assert place["olga"].put(f"/v1/threads/{thread}/assignment", json={"user_id": place.id_of("mia")}).is_success
    assert key.get("/v1/organization").is_success
    assert device.get("/v1/organization").is_success
    assert place["adam"].delete(f"/v1/organization/members/{place.id_of('mia')}").status_code == 204
    assert key.get("/v1/organization").status_code == 401
    assert device.get("/v1/organization").status_code == 401
    assert place["olga"].get(f"/v1/threads/{thread}/assignment").json()["user_id"] is None
    assert place["olga"].get(f"/v1/threads/{place.thread(own)}/assignment").status_code == 404
    rows = {
        row: place.one(
            "select owner_user_id, state, state_reason from mailboxes.connections where mailbox_id = :m", m=row
        )
        for row in (shared, own)
    }
    assert tuple(rows[shared]) == (None, "connected", ""), "what was shared is the organization's"
    assert tuple(rows[own]) == (
        place.people["mia"].user_id,
        "reconnect_needed",
        "Its owner has left the organization",
    ), "and nobody's mail is fetched for nobody"
    assert ("adam", "member.removed") in place.actions()
    assert place["adam"].delete(f"/v1/connections/{own}").status_code == 202, "somebody has to be able to erase it"


def test_what_a_removed_member_had_told_elsewhere_is_told_no_more(place):
    """An address of theirs that goes on being told which messages arrive."""
    place.do(
        "insert into app.webhooks (webhook_id, organization_id, user_id, url, events, sealed_secret, key_id, cursor) "
        "select gen_random_uuid(), :id, user_id, 'https://hook.example', '{}', '', '', '' from identity.memberships "
        "where organization_id = :id",
        id=place.organization_id,
    )
    assert place["adam"].delete(f"/v1/organization/members/{place.id_of('mia')}").status_code == 204
    row = place.one(
        "select count(*), bool_or(user_id = :mia) from app.webhooks where organization_id = :id",
        id=place.organization_id,
        mia=place.people["mia"].user_id,
    )
    assert tuple(row) == (3, False), "the outgoing webhooks of the others stay"


def test_who_cannot_be_removed(place, make_place):
    """A member who throws people out, an owner thrown out by an administrator, or a stranger told from nobody."""
    other = make_place("olga")
    path = "/v1/organization/members"
    assert place["mia"].delete(f"{path}/{place.id_of('max')}").status_code == 403
    assert _code(place["adam"].delete(f"{path}/{place.id_of('olga')}")) == "role-too-low"
    nobody = place["olga"].delete(f"{path}/{uuid.uuid4()}")
    stranger = place["olga"].delete(f"{path}/{other.id_of('olga')}")
    assert nobody.status_code == stranger.status_code == 404
    assert {**nobody.json(), "instance": ""} == {**stranger.json(), "instance": ""}
    assert other["olga"].get("/v1/organization").is_success
    assert place.actions() == []


def test_leaving(place):
    """A member who cannot get out, a last owner who can, or a program that leaves in a person's place."""
    assert _code(place["mia"].post("/v1/organization/leave")) == "person-needed"
    assert _code(place.signed_in("olga").post("/v1/organization/leave")) == "last-owner"
    assert place.signed_in("mia").post("/v1/organization/leave").status_code == 204
    assert place.signed_in("mia").get("/v1/organization").status_code == 401
    assert place["adam"].delete(f"/v1/organization/members/{place.id_of('adam')}").status_code == 204
    assert place.actions() == [("mia", "member.removed"), ("adam", "member.removed")]
    names = [each["display_name"] for each in place["olga"].get("/v1/organization/members").json()["items"]]
    assert names == ["olga", "max"]


def test_of_two_owners_who_leave_at_once_one_stays(place):
    """Each sees the other one and goes: an organization without an owner."""
    place.add("omar", "owner")
    clients = [place.signed_in(name) for name in ("olga", "omar")]
    barrier = threading.Barrier(2)
    found: list[int] = []

    def leave(client: httpx.Client) -> None:
        barrier.wait()
        found.append(client.post("/v1/organization/leave").status_code)

    threads = [threading.Thread(target=leave, args=(client,)) for client in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [204, 409]


def test_an_organization_is_made_by_who_will_own_it(place):
    """A team that cannot begin where the identity provider knows no organizations."""
    place.add("zoe", None)
    assert _code(place["zoe"].post("/v1/organizations", json={"name": "Zenith"})) == "person-needed"
    made = place.signed_in("zoe").post("/v1/organizations", json={"name": "Zenith"})
    assert (made.status_code, made.json()["role"], made.json()["name"]) == (201, "owner", "Zenith")
    row = place.one(
        "select name, is_personal, (select count(*) from identity.memberships m where m.organization_id = "
        "o.organization_id and user_id = :zoe and role = 'owner') from identity.organizations o "
        "where organization_id = :id",
        id=made.json()["organization_id"],
        zoe=place.people["zoe"].user_id,
    )
    assert tuple(row) == ("Zenith", False, 1)
    place.do(
        "with made as (insert into identity.organizations (organization_id, name) select gen_random_uuid(), 'x' from "
        "generate_series(1, 48) returning organization_id) insert into identity.memberships (organization_id, user_id, "
        "role) select organization_id, :zoe, 'owner' from made",
        zoe=place.people["zoe"].user_id,
    )
    answer = place.signed_in("zoe").post("/v1/organizations", json={"name": "One more"})
    assert _code(answer) == "too-many-organizations"


def test_who_is_gone_by_then_is_told_so(place, monkeypatch):
    """A crash for somebody who is removed between the look at their credential and what they asked for."""
    monkeypatch.setattr(queries, "standing", lambda *_, **__: Standing(None, "member", 1))
    monkeypatch.setattr(queries, "organization", lambda *_: None)
    path = f"/v1/organization/members/{place.id_of('mia')}"
    answers = [
        place["olga"].get("/v1/organization"),
        place["olga"].delete(path),
        place["olga"].patch(path, json={"role": "admin"}),
    ]
    assert {(each.status_code, _code(each)) for each in answers} == {(404, "not-found")}
    assert place.actions() == []
