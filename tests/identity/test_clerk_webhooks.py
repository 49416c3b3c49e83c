"""Clerk's webhook: only with its signature, once, and in any order."""

import base64
import json
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rl_emails_api.identity.svix import SvixVerifier
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.identity_sync import clerk_events
from rl_emails_assets.identity_sync.directory import Directory, RoleRules
from rl_emails_assets.settings import Settings
from tests.identity.clerk_world import ClerkWorld, sign
from tests.identity.conftest import PARTY, WEBHOOK_SECRET, code_of, rows

OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of ours").decode()
ISSUER = "https://clerk.example.org"
RULES = RoleRules.of(Settings())


@pytest.fixture(scope="module")
def deliver(http):
    """Sends an event as Svix does: `deliver(server, event, delivery_id=..., secret=..., at=..., **headers)`."""

    def send(server, event, *, delivery_id=None, secret=WEBHOOK_SECRET, at=None, **headers):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        delivery_id = delivery_id or f"msg_{random.getrandbits(64):x}"
        at = int(time.time()) if at is None else at
        told = {
            "svix-id": delivery_id,
            "svix-timestamp": str(at),
            "svix-signature": sign(secret, delivery_id, at, body),
            "Content-Type": "application/json",
            **headers,
        }
        told = {name: value for name, value in told.items() if value is not None}
        return http.post(f"{server.url}/webhooks/clerk", content=body, headers=told)

    return send


@pytest.fixture
def world():
    """Clerk, with names that no other test uses."""
    return ClerkWorld(made=random.getrandbits(40))


def address_of(server, subject):
    """What we know of somebody."""
    found = rows(server.engine, "select address from identity.users where subject = :subject", subject=subject)
    return found[0].address if found else None


def test_the_published_example_is_verified():
    """A scheme of our own that only our own tests can sign."""
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    verifier = SvixVerifier([WEBHOOK_SECRET], clock=lambda: 1614265330)
    assert verifier.delivery_id(headers, b'{"test": 2432232314}') == headers["svix-id"]
    assert verifier.delivery_id(headers, b'{"test": 2432232315}') is None


@pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%", "sk_test_1"])
def test_a_secret_that_is_none_is_not_used(secret):
    """An empty secret, that everybody can sign with."""
    with pytest.raises(SettingsError, match="whsec_"):
        SvixVerifier([secret])


@pytest.mark.parametrize(
    "headers",
    [
        {"svix-signature": None},
        {"svix-signature": ""},
        {"svix-signature": "v1,"},
        {"svix-signature": "v2,g0hM9SsE"},
        {"svix-signature": "v1a," + "A" * 44},
        {"svix-signature": "v1,\u00e4".encode()},
        {"svix-id": None},
        {"svix-id": "another"},
        {"svix-id": "x" * 200},
        {"svix-timestamp": None},
        {"svix-timestamp": "now"},
        {"svix-timestamp": "-5"},
        {"svix-timestamp": "9" * 5000},
        {"svix-timestamp": "\u00b2".encode()},
    ],
)
def test_what_clerk_did_not_sign_is_refused(deliver, clerk_server, world, headers):
    """Anybody who makes himself an administrator with one request."""
    answer = deliver(clerk_server, world.add_user("user_forged"), **headers)
    assert (answer.status_code, code_of(answer)) == (401, "webhook-signature-refused")
    assert address_of(clerk_server, "user_forged") is None


def test_another_secret_or_another_body_is_refused(deliver, clerk_server, world):
    """A body changed on its way."""
    event = world.add_user("user_forged")
    assert deliver(clerk_server, event, secret=OTHER_SECRET).status_code == 401
    signature = sign(WEBHOOK_SECRET, "msg_1", int(time.time()), json.dumps(event).encode())
    changed = {**event, "type": "user.deleted"}
    assert deliver(clerk_server, changed, delivery_id="msg_1", **{"svix-signature": signature}).status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (-290, 204), (290, 204), (310, 401)])
def test_an_old_delivery_is_refused(deliver, clerk_server, world, seconds, status):
    """A delivery that somebody recorded, played back when it suits."""
    event = world.add_user(f"user_old_{seconds}")
    assert deliver(clerk_server, event, at=int(time.time()) + seconds).status_code == status


def test_two_secrets_and_several_signatures_are_taken_while_one_is_changed(deliver, serving, issuer, world):
    """Events that are lost on the day on which the secret is changed."""
    server = serving(
        oidc_issuer=issuer.url, oidc_kind="clerk", oidc_authorized_parties=PARTY,
        clerk_webhook_secrets=f"{WEBHOOK_SECRET}, {OTHER_SECRET}",
    )  # fmt: skip
    for secret in (WEBHOOK_SECRET, OTHER_SECRET):
        assert deliver(server, world.add_user("user_rotated"), secret=secret).status_code == 204
    event, at = world.add_user("user_rotated"), int(time.time())
    signatures = [sign(secret, "msg_2", at, json.dumps(event).encode()) for secret in (OTHER_SECRET, WEBHOOK_SECRET)]
    answer = deliver(
        server, event, delivery_id="msg_2", at=at, **{"svix-signature": f"v1,AAAA v2,x {' '.join(signatures)}"}
    )
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"type": "user.created"}', b'{"type": "user.created", "data": 7}', b"\xff",
     b'{"type": "user.deleted", "data": {"id": "user_x"}}', b'{"type": ["user.created"], "data": {}}',
     b'{"type": "user.updated", "data": {"id": "user_x", "updated_at": 1e300}}',
     b'{"type": "user.updated", "data": {"id": "user\\u0000x", "updated_at": 5}}',
     b'{"type": "session.created", "data": {"id": "sess_1"}}'],
)  # fmt: skip
def test_what_is_genuine_but_cannot_be_used_is_acknowledged(deliver, clerk_server, body):
    """An event that comes again and again for days, and in the end switches the webhook off."""
    assert deliver(clerk_server, body).status_code == 204


def test_a_body_without_end_is_refused(deliver, clerk_server):
    """A server that runs out of memory before it has looked at the signature."""
    answer = deliver(clerk_server, b"x" * (256 * 1024 + 1))
    assert answer.status_code == 413


def test_without_a_secret_nothing_is_taken(deliver, serving, issuer, world):
    """Events of anybody, taken because no secret was set; or lost, because they were acknowledged."""
    for more in ({"oidc_issuer": issuer.url, "oidc_audience": "x"}, {"clerk_webhook_secrets": WEBHOOK_SECRET}):
        answer = deliver(serving(**more), world.add_user("user_early"))
        assert (answer.status_code, code_of(answer)) == (503, "webhook-not-configured")


def test_people_are_kept_in_step(deliver, clerk_server, clerk, issuer, world):
    """An address that changed at Clerk and not here; somebody banned there who reads on here."""
    deliver(clerk_server, world.add_user("user_step", "First@Example.org"))
    assert address_of(clerk_server, "user_step") == "first@example.org"
    me = clerk.get("/v1/me", issuer.sign(sub="user_step", azp=PARTY, v=2)).json()
    assert me["user"]["display_name"] == "Ada Lovelace"
    unverified = [{"id": "idn_1", "email_address": "boss@example.org", "verification": {"status": "unverified"}}]
    deliver(clerk_server, world.change_user("user_step", email_addresses=unverified, first_name="Ada", last_name="B"))
    assert address_of(clerk_server, "user_step") == ""
    rows(
        clerk_server.engine,
        "insert into identity.api_keys "
        "(api_key_id, organization_id, user_id, name, prefix, key_hash, scopes, expires_at) "
        "values (gen_random_uuid(), :o, :u, 'k', 'rle_', '\\x07', '{}', now() + interval '1 day')",
        o=me["organization"]["organization_id"],
        u=me["user"]["user_id"],
    )
    deliver(clerk_server, world.change_user("user_step", banned=True))
    answer = clerk.get("/v1/me", issuer.sign(sub="user_step", azp=PARTY, v=2))
    assert (answer.status_code, code_of(answer)) == (403, "deactivated")
    assert rows(clerk_server.engine, "select count(*) from identity.api_keys where revoked_at is null") == [(0,)]
    deliver(clerk_server, world.change_user("user_step", banned=False))
    assert clerk.get("/v1/me", issuer.sign(sub="user_step", azp=PARTY, v=2)).status_code == 200
    change = "update identity.users set deactivated_at = now() where subject = 'user_step'"
    rows(clerk_server.engine, change)
    deliver(clerk_server, world.change_user("user_step", first_name="Back"))
    assert clerk.get("/v1/me", issuer.sign(sub="user_step", azp=PARTY, v=2)).status_code == 403, "who ended it here?"


def test_a_repeated_delivery_changes_nothing(deliver, clerk_server, world):
    """An address set back by the repetition of an old event under another order."""
    event = world.add_user("user_again", "a@example.org")
    assert deliver(clerk_server, event, delivery_id="msg_again").status_code == 204
    event["data"]["email_addresses"][1]["email_address"] = "b@example.org"
    event["data"]["updated_at"] += 5000
    assert deliver(clerk_server, event, delivery_id="msg_again").status_code == 204
    assert address_of(clerk_server, "user_again") == "a@example.org"


def test_a_delivery_that_failed_is_taken_when_it_comes_again(clerk_server, world):
    """An event marked as taken by a transaction that never was."""
    event = world.add_user("user_failed")
    with clerk_server.engine.connect() as connection:
        clerk_events.take(
            connection, Directory(connection, "https://else.example.org", RULES), "msg_f", json.dumps(event).encode()
        )
        connection.rollback()
    with clerk_server.engine.begin() as connection:
        directory = Directory(connection, "https://else.example.org", RULES)
        assert clerk_events.take(connection, directory, "msg_f", json.dumps(event).encode()) == "applied"
        assert clerk_events.take(connection, directory, "msg_f", json.dumps(event).encode()) == "repeated"
        assert clerk_events.take(connection, directory, "msg_g", b'{"type": "x", "data": {}}') == "ignored"
        assert clerk_events.take(connection, directory, "msg_h", b"[" * 9000) == "garbage"
        connection.exec_driver_sql("update identity.webhook_deliveries set received_at = now() - interval '8 days'")
        assert clerk_events.take(connection, directory, "msg_i", json.dumps(event).encode()) == "applied"
        left = connection.exec_driver_sql("select delivery_id from identity.webhook_deliveries").scalars().all()
        assert left == ["msg_i"]


def test_whoever_is_put_out_is_out_before_their_token_ends(deliver, clerk_server, clerk, issuer, world):
    """A minute in which somebody who was put out copies everything; or a token of it that lets them in again."""
    deliver(clerk_server, world.add_organization("org_minute", "user_boss"))
    deliver(clerk_server, world.join("org_minute", "user_minute"))
    now = int(time.time())
    signed = issuer.sign(sub="user_minute", azp=PARTY, v=2, iat=now - 5, o={"id": "org_minute", "rol": "member"})
    assert clerk.get("/v1/me", signed).json()["organization"]["name"] == "Acme"
    world.now_ms = now * 1000
    gone = world.leave("org_minute", "user_minute")
    deliver(clerk_server, gone)
    answer = clerk.get("/v1/me", signed)
    assert (answer.status_code, code_of(answer)) == (403, "no-membership")
    world.now_ms += 2000
    back = world.join("org_minute", "user_minute", "org:admin")
    deliver(clerk_server, back)
    later = issuer.sign(sub="user_minute", azp=PARTY, v=2, o={"id": "org_minute", "rol": "admin"})
    # The first administrator who was heard of is the maker, whose own event is still on its way.
    assert clerk.get("/v1/me", later).status_code == 200


def test_whoever_is_put_out_before_they_were_ever_here_does_not_come_in(deliver, clerk_server, clerk, issuer, world):
    """A token from before, of somebody whom we hear of for the first time when they are put out."""
    world.organizations["org_never"] = {"id": "org_never", "name": "Never", "created_at": 5, "updated_at": 5}
    world.now_ms = int(time.time()) * 1000
    world.join("org_never", "user_never")
    deliver(clerk_server, world.leave("org_never", "user_never"))
    signed = issuer.sign(sub="user_never", azp=PARTY, v=2, o={"id": "org_never", "rol": "member"})
    assert code_of(clerk.get("/v1/me", signed)) == "no-membership"


def test_whom_we_put_out_stays_out_whatever_clerk_repeats(deliver, clerk_server, clerk, issuer, world):
    """A removal on our page that the next event of Clerk's undoes."""
    world.add_organization("org_ours", "user_boss2")
    joined = world.join("org_ours", "user_ours")
    deliver(clerk_server, joined)
    (user,) = rows(clerk_server.engine, "select user_id from identity.users where subject = 'user_ours'")
    rows(clerk_server.engine, "delete from identity.memberships where user_id = :id", id=user.user_id)
    deliver(clerk_server, world.change_role("org_ours", "user_ours", "org:admin"))
    there = "select role from identity.memberships m join identity.organizations using (organization_id) "
    there += "where user_id = :id and not is_personal"
    assert rows(clerk_server.engine, there, id=user.user_id) == []
    world.leave("org_ours", "user_ours")
    world.now_ms = int(time.time() + 5) * 1000
    deliver(clerk_server, world.join("org_ours", "user_ours"))
    assert [row.role for row in rows(clerk_server.engine, there, id=user.user_id)] == ["member"], "asked back at Clerk"


def test_a_deleted_organization_lets_nobody_in(deliver, clerk_server, clerk, issuer, world):
    """An organization that goes on by the tokens of its last minute."""
    deliver(clerk_server, world.add_organization("org_deleted", "user_last"))
    signed = issuer.sign(sub="user_last", azp=PARTY, v=2, o={"id": "org_deleted", "rol": "admin"})
    assert clerk.get("/v1/me", signed).status_code == 200
    deliver(clerk_server, world.delete_organization("org_deleted"))
    assert code_of(clerk.get("/v1/me", signed)) == "no-membership"
    fresh = issuer.sign(sub="user_unseen", azp=PARTY, v=2, o={"id": "org_deleted", "rol": "admin"})
    assert code_of(clerk.get("/v1/me", fresh)) == "no-membership"


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["user", "change", "ban", "delete", "organization", "rename", "end", "join", "role", "leave"]),
        st.sampled_from(["user_a", "user_b"]),
        st.sampled_from(["org_a", "org_b"]),
    ),
    max_size=12,
)


def _act(world: ClerkWorld, act: str, user: str, organization: str) -> None:
    """What can happen at Clerk now; what cannot does not. Ids are never used again."""
    user, organization = f"{user}{world.made // 1000}", f"{organization}{world.made // 1000}"
    gone = {event["data"]["id"] for event in world.events if event["type"].endswith(".deleted")}
    is_member = world.is_member(organization, user)
    both = user in world.users and organization in world.organizations
    if act == "user" and user not in world.users and user not in gone:
        world.add_user(user)
    elif act == "organization" and organization not in world.organizations and organization not in gone:
        if user in world.users:
            world.add_organization(organization, user)
    elif act in ("change", "ban") and user in world.users:
        world.change_user(user, last_name=act, banned=act == "ban")
    elif act == "delete" and user in world.users:
        world.delete_user(user)
    elif act == "rename" and organization in world.organizations:
        world.change_organization(organization, f"Name {len(world.events)}")
    elif act == "end" and organization in world.organizations:
        world.delete_organization(organization)
    elif act == "join" and both and not is_member:
        world.join(organization, user)
    elif act == "role" and is_member:
        world.change_role(organization, user, "org:admin" if len(world.events) % 2 else "org:member")
    elif act == "leave" and is_member:
        world.leave(organization, user)


AS_IT_IS = text(
    """
    select u.subject, u.address, u.display_name, o.external_id, o.name,
        replace(m.role, 'owner', 'admin')
    from identity.users u
    left join identity.memberships m using (user_id)
    left join identity.organizations o using (organization_id)
    where u.issuer = :issuer and u.deactivated_at is null
    order by 1, 4
    """
)


@pytest.fixture(scope="module")
def taking(database):
    """Takes events in a transaction that is rolled back; returns what the tables say then."""
    engine = make_engine(database, "test")

    def take(events):
        with engine.connect() as connection:
            directory = Directory(connection, ISSUER, RULES)
            for number, event in enumerate(events):
                clerk_events.take(connection, directory, f"msg_{number}", json.dumps(event).encode())
            found = connection.execute(AS_IT_IS, {"issuer": ISSUER}).all()
            connection.rollback()
        return [tuple(row) for row in found]

    yield take
    engine.dispose()


@given(acts=ACTS, order=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_repetition_of_events_ends_the_same(taking, acts, order):
    """Svix retries a failed delivery hours later: then an old address, role or membership would come back."""
    world = ClerkWorld(made=1000)
    for act in (("user", "user_a", ""), ("user", "user_b", ""), ("organization", "user_a", "org_a"), *acts):
        _act(world, *act)
    shuffled = [*world.events, *order.choices(world.events, k=4)] if world.events else []
    order.shuffle(shuffled)
    in_order, found = taking(world.events), taking(shuffled)
    # Who was never told of but by the event of a membership is known by that alone, in either order.
    assert found == in_order
    members = {(row[0], row[3].partition("#")[2], row[5]) for row in found if row[3]}
    banned = {user["id"] for user in world.users.values() if user["banned"]}
    there = {
        (each["public_user_data"]["user_id"], each["organization"]["id"], each["role"].removeprefix("org:"))
        for each in world.memberships.values()
        if each["public_user_data"]["user_id"] not in banned
    }
    assert members == there
    assert {row[0] for row in found} == {user["id"] for user in world.users.values() if not user["banned"]}
