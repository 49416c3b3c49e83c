"""Invitations: a link that lets one person in, once, for a while, and tells nothing to anybody else."""

import hashlib
import threading
import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, text

from rl_emails_api.identity.principal import ROLE_SCOPES, Principal
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db.tables import identity

INVITER = "select invited_by from identity.invitations where invitation_id = :id"


def _code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


def _token(invitation: dict) -> str:
    return parse_qs(urlsplit(invitation["link"]).fragment.partition("?")[2])["token"][0]


def _invite(place, name: str, role: str = "member", *, by: str = "olga") -> dict:
    answer = place[by].post("/v1/organization/invitations", json={"address": place.people[name].address, "role": role})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def stranger(place):
    """The place, with zoe, who is in no organization but her own."""
    place.add("zoe", None)
    return place


def test_an_invitation_is_accepted_by_whom_it_is_for(stranger):
    """A colleague who cannot get in, or gets in with another role."""
    made = _invite(stranger, "zoe", "admin", by="adam")
    assert made["link"].startswith(f"{stranger.url.rpartition(':')[0]}:")
    answer = stranger.signed_in("zoe").post("/v1/invitations/accept", json={"token": _token(made)})
    assert answer.json() == {"organization_id": str(stranger.organization_id), "name": "Kestrel", "role": "admin"}
    row = stranger.one(
        "select role from identity.memberships where organization_id = :id and user_id = :zoe",
        id=stranger.organization_id,
        zoe=stranger.people["zoe"].user_id,
    )
    assert row.role == "admin"
    switched = stranger.signed_in("zoe").post(
        "/v1/me/organization", json={"organization_id": answer.json()["organization_id"]}
    )
    assert switched.is_success, switched.text
    assert stranger.signed_in("zoe").get("/v1/organization").json()["role"] == "admin"
    assert stranger.actions() == [("adam", "invitation.created"), ("zoe", "invitation.accepted")]


def test_only_a_hash_of_the_secret_is_kept(stranger):
    """Whoever reads the database, a listing or a log lets themself in."""
    made = _invite(stranger, "zoe")
    row = stranger.one("select * from identity.invitations where invitation_id = :id", id=made["invitation_id"])
    assert row.token_hash == hashlib.sha256(_token(made).encode()).digest()
    assert _token(made) not in str(row)
    assert _token(made) not in stranger["olga"].get("/v1/organization/invitations").text
    assert "?" not in made["link"].partition("#")[0], "what follows the # is sent to no server"


def test_another_address_is_refused(stranger):
    """A forwarded link lets in whoever opens it."""
    made = _invite(stranger, "zoe")
    stranger.add("eve", None)
    stranger.add("noone", None, address="")
    for name in ("eve", "noone"):
        answer = stranger.signed_in(name).post("/v1/invitations/accept", json={"token": _token(made)})
        assert (answer.status_code, _code(answer)) == (403, "not-invited")
        assert stranger.people["zoe"].address not in answer.text
        assert "Kestrel" not in answer.text
    answer = stranger["zoe"].post("/v1/invitations/accept", json={"token": _token(made)})
    assert _code(answer) == "person-needed", "nor a program with her key"


def test_an_invitation_works_once(stranger):
    """Somebody who was removed comes back with the link from before."""
    made = _invite(stranger, "zoe")
    zoe = stranger.signed_in("zoe")
    assert zoe.post("/v1/invitations/accept", json={"token": _token(made)}).is_success
    again = zoe.post("/v1/invitations/accept", json={"token": _token(made)})
    assert (again.status_code, _code(again)) == (409, "invitation-ended")
    assert stranger["olga"].delete(f"/v1/organization/members/{stranger.id_of('zoe')}").status_code == 204
    again = zoe.post("/v1/invitations/accept", json={"token": _token(made)})
    assert (again.status_code, _code(again)) == (409, "invitation-ended")


def test_of_two_who_accept_at_once_one_does(stranger):
    """A double click that fails loudly, or makes two members of one."""
    made = _invite(stranger, "zoe")
    clients = [stranger.signed_in("zoe") for _ in range(2)]
    barrier = threading.Barrier(2)
    found: list[int] = []

    def accept(client: httpx.Client) -> None:
        barrier.wait()
        found.append(client.post("/v1/invitations/accept", json={"token": _token(made)}).status_code)

    threads = [threading.Thread(target=accept, args=(client,)) for client in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [200, 409]


@pytest.mark.parametrize(
    "ended",
    [
        "update identity.invitations set expires_at = now() where invitation_id = :id",
        "update identity.invitations set revoked_at = now() where invitation_id = :id",
        f"delete from identity.memberships where user_id = ({INVITER})",  # noqa: S608 - a constant
        f"update identity.memberships set role = 'member' where user_id = ({INVITER})",  # noqa: S608 - a constant
    ],
    ids=["lapsed", "taken back", "inviter removed", "inviter administers no more"],
)
def test_an_invitation_ends(stranger, ended):
    """A link that outlives its time, a change of mind, or the word of who gave it."""
    made = _invite(stranger, "zoe", by="adam")
    stranger.do(ended, id=made["invitation_id"])
    answer = stranger.signed_in("zoe").post("/v1/invitations/accept", json={"token": _token(made)})
    assert (answer.status_code, _code(answer)) == (409, "invitation-ended")


def test_an_owner_who_becomes_an_administrator_takes_invitations_of_owners_along(stranger):
    """An owner who is none any more and still has a way to make one."""
    stranger.add("omar", "owner")
    made = [_invite(stranger, "zoe", "owner", by="omar")]
    stranger.add("yan", None)
    made.append(_invite(stranger, "yan", "admin", by="omar"))
    path = f"/v1/organization/members/{stranger.id_of('omar')}"
    assert stranger["olga"].patch(path, json={"role": "admin"}).is_success
    open_ = stranger["olga"].get("/v1/organization/invitations").json()["items"]
    assert [each["invitation_id"] for each in open_] == [made[1]["invitation_id"]]


def test_a_guess_finds_nothing(stranger):
    """An answer that tells a secret that was close from one that was not."""
    for token in ("x", "é" * 50, "A" * 43):
        answer = stranger.signed_in("zoe").post("/v1/invitations/accept", json={"token": token})
        assert (answer.status_code, _code(answer)) == (404, "not-found")
    stranger.do("update identity.users set deactivated_at = now() where user_id = :z", z=stranger.people["zoe"].user_id)
    assert stranger.signed_in("zoe").post("/v1/invitations/accept", json={"token": "x"}).status_code == 401


def test_who_may_invite_whom(stranger):
    """An administrator who makes an owner by inviting one; a member who lets people in or reads who is invited."""
    post = {"address": stranger.people["zoe"].address}
    path = "/v1/organization/invitations"
    assert _code(stranger["adam"].post(path, json={**post, "role": "owner"})) == "role-too-low"
    assert _code(stranger["mia"].post(path, json=post)) == "scope-missing"
    assert stranger["mia"].get(path).status_code == 403
    owners = _invite(stranger, "zoe", "owner")
    assert _code(stranger["adam"].delete(f"{path}/{owners['invitation_id']}")) == "role-too-low"
    assert stranger["olga"].delete(f"{path}/{owners['invitation_id']}").status_code == 204
    assert stranger["olga"].delete(f"{path}/{owners['invitation_id']}").status_code == 404
    assert stranger.actions() == [("olga", "invitation.created"), ("olga", "invitation.revoked")]


def test_invitations_of_another_organization_are_not_there(stranger, make_place):
    """An administrator elsewhere who lists or takes back invitations here."""
    made = _invite(stranger, "zoe")
    other = make_place("olga")
    assert other["olga"].get("/v1/organization/invitations").json() == {"items": []}
    assert other["olga"].delete(f"/v1/organization/invitations/{made['invitation_id']}").status_code == 404
    assert len(stranger["olga"].get("/v1/organization/invitations").json()["items"]) == 1


def test_one_open_invitation_for_an_address(stranger):
    """Two links for one person, of which one is forgotten and stays good."""
    first = _invite(stranger, "zoe")
    second = (
        stranger["olga"]
        .post("/v1/organization/invitations", json={"address": f" {stranger.people['zoe'].address.upper()} "})
        .json()
    )
    items = stranger["olga"].get("/v1/organization/invitations").json()["items"]
    assert [each["invitation_id"] for each in items] == [second["invitation_id"]]
    zoe = stranger.signed_in("zoe")
    assert zoe.post("/v1/invitations/accept", json={"token": _token(first)}).status_code == 409
    assert zoe.post("/v1/invitations/accept", json={"token": _token(second)}).is_success
    answer = stranger["olga"].post("/v1/organization/invitations", json={"address": stranger.people["zoe"].address})
    assert _code(answer) == "already-member"


def test_a_member_who_is_invited_again_stays_what_they_are(stranger):
    """A membership raised, lowered or doubled by a second way in."""
    made = _invite(stranger, "zoe", "admin")
    stranger.do(
        "insert into identity.memberships (organization_id, user_id, role) values (:id, :zoe, 'member')",
        id=stranger.organization_id,
        zoe=stranger.people["zoe"].user_id,
    )
    answer = stranger.signed_in("zoe").post("/v1/invitations/accept", json={"token": _token(made)})
    assert _code(answer) == "already-member"
    row = stranger.one(
        "select role, (select accepted_at from identity.invitations where invitation_id = :i) "
        "from identity.memberships where organization_id = :id and user_id = :zoe",
        i=made["invitation_id"],
        id=stranger.organization_id,
        zoe=stranger.people["zoe"].user_id,
    )
    assert tuple(row) == ("member", None)


def test_what_is_no_address_is_refused(place):
    """A link that nobody can ever use."""
    for address in (
        "",
        "zoe",
        "a@b@c",
        "zoe @example.org",
        "<zoe@example.org>",
        "a\x00@example.org",
        "x" * 320 + "@e.org",
    ):
        answer = place["olga"].post("/v1/organization/invitations", json={"address": address})
        assert answer.status_code == 422, address


def test_there_are_not_endlessly_many(place):
    """A program that fills the table; and lapsed invitations that stay for ever."""
    place.do(
        "insert into identity.invitations (invitation_id, organization_id, address, role, token_hash, invited_by, "
        "expires_at) select gen_random_uuid(), :id, n || '@example.org', 'member', "
        "sha256((n || cast(:id as text))::bytea), :olga, now() - interval '29 days' from generate_series(1, 200) n",
        id=place.organization_id,
        olga=place.people["olga"].user_id,
    )
    path = "/v1/organization/invitations"
    assert all(each["is_expired"] for each in place["olga"].get(path).json()["items"])
    assert _code(place["olga"].post(path, json={"address": "zoe@example.org"})) == "too-many-invitations"
    place.do(
        "update identity.invitations set expires_at = now() - interval '31 days' where organization_id = :id",
        id=place.organization_id,
    )
    assert place["olga"].post(path, json={"address": "zoe@example.org"}).status_code == 201
    assert len(place["olga"].get(path).json()["items"]) == 1


def test_nobody_is_invited_into_a_persons_own_organization(stranger):
    """A stranger becomes a member of the place where somebody's own mail is, and lands there when they sign in."""
    answer = stranger["zoe"].post("/v1/organization/invitations", json={"address": "eve@example.org"})
    assert _code(answer) == "personal-organization"


def test_accepting_opens_nothing_else(stranger):
    """Who holds an invitation sees the organization before they accept it: as the API's own role in their name, no row
    of it is there, and no membership can be made by hand."""
    _invite(stranger, "zoe")
    zoe = stranger.people["zoe"].user_id
    for organization_id in (stranger.organization_id, uuid.uuid4()):
        principal = Principal(zoe, organization_id, "owner", ROLE_SCOPES["owner"], "session")
        with transaction_of(stranger.engine, principal) as connection:
            for table in (identity.organizations, identity.memberships, identity.invitations):
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        with (
            pytest.raises(Exception, match="row-level security"),
            transaction_of(stranger.engine, principal) as connection,
        ):
            connection.execute(
                text("insert into identity.memberships (organization_id, user_id, role) values (:id, :zoe, 'owner')"),
                {"id": stranger.organization_id, "zoe": zoe},
            )
