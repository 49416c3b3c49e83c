"""Comparing with Clerk: webhooks that never came, pages that move while they are read, limits, and wrong keys."""

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.errors import ProviderUnavailableError, RateLimitedError, SettingsError
from rl_emails_assets.identity_sync import clerk_api
from rl_emails_assets.identity_sync.admission import NotAdmittedError, admit
from rl_emails_assets.identity_sync.clerk_objects import moment
from rl_emails_assets.identity_sync.directory import Directory, RoleRules
from rl_emails_assets.identity_sync.external import VerifiedToken
from rl_emails_assets.identity_sync.reconcile import is_configured, reconcile
from rl_emails_assets.settings import Settings
from tests.identity.clerk_world import ClerkWorld
from tests.identity.standin_clerk_api import SECRET_KEY, ClerkBackend, running_backend


@pytest.fixture
def world():
    """An instance with three people, one organization, and two members of it."""
    made = ClerkWorld()
    for user_id in ("user_a", "user_b", "user_c"):
        made.add_user(user_id)
    made.add_organization("org_1", "user_a")
    made.join("org_1", "user_b")
    return made


@pytest.fixture
def backend(world, issuer, monkeypatch):
    """Its Backend API, with pages of two."""
    monkeypatch.setattr(clerk_api, "PAGE", 2)
    with running_backend(ClerkBackend(world, lambda: [key.jwk for key in issuer.keys])) as made:
        yield made


@pytest.fixture
def clerks(settings, backend, issuer):
    """Settings that name it."""
    return settings.model_copy(
        update={
            "oidc_issuer": issuer.url, "oidc_kind": "clerk", "clerk_api_url": backend.url,
            "clerk_secret_key": SECRET_KEY, "oidc_authorized_parties": "https://mail.example.org",
        }
    )  # fmt: skip


@pytest.fixture
def slept():
    """For how long it waited, without waiting."""
    return []


@pytest.fixture
def compare(engine, clerks, slept):
    """Compares."""
    return lambda: reconcile(engine, clerks, sleep=slept.append)


def members(engine, issuer):
    """Who is in which of Clerk's organizations, as what."""
    query = """
        select u.subject, substr(o.external_id, length(:prefix) + 1), m.role
        from identity.memberships m join identity.users u using (user_id)
        join identity.organizations o using (organization_id)
        where starts_with(o.external_id, :prefix) order by 1
    """
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), {"prefix": f"{issuer.url}#"})]


def people(engine):
    """Who may sign in."""
    query = "select subject from identity.users where deactivated_at is null and issuer <> 'local' order by 1"
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def test_everything_is_taken_over_page_by_page(compare, engine, issuer, backend):
    """People beyond the first page who are never known."""
    assert compare() == {"users": 3, "organizations": 1, "memberships": 2, "ended": 0, "unreadable": 0}
    assert people(engine) == ["user_a", "user_b", "user_c"]
    assert members(engine, issuer) == [("user_a", "org_1", "owner"), ("user_b", "org_1", "member")]
    assert backend.asked.count("/users") == 2
    with engine.connect() as connection:
        before = connection.execute(text("select xmin::text, ctid::text from identity.users order by user_id")).all()
    compare()
    with engine.connect() as connection:
        after = connection.execute(text("select xmin::text, ctid::text from identity.users order by user_id")).all()
    assert after == before, "comparing again writes nothing"


def test_what_no_webhook_told_is_found(compare, engine, issuer, world):
    """Somebody who was put out, whose event was lost, and who reads on for ever."""
    compare()
    world.leave("org_1", "user_b")
    world.delete_user("user_c")
    world.change_user("user_a", last_name="Byron")
    world.add_user("user_d")
    world.join("org_1", "user_d", "org:admin")
    assert compare()["ended"] == 2
    assert people(engine) == ["user_a", "user_b", "user_d"]
    assert members(engine, issuer) == [("user_a", "org_1", "owner"), ("user_d", "org_1", "admin")]
    world.delete_organization("org_1")
    assert compare()["ended"] == 1
    assert members(engine, issuer) == []
    assert compare()["ended"] == 0


def test_who_is_back_is_taken_back(compare, engine, issuer, world):
    """A removal that we found out ourselves, remembered against somebody who was asked back a minute later."""
    compare()
    world.leave("org_1", "user_b")
    compare()
    assert members(engine, issuer) == [("user_a", "org_1", "owner")]
    world.join("org_1", "user_b", "org:admin")
    compare()
    assert members(engine, issuer) == [("user_a", "org_1", "owner"), ("user_b", "org_1", "admin")]


def test_a_token_from_before_does_not_undo_what_was_found(compare, engine, issuer, world):
    """A membership that a token of the last minute makes again."""
    compare()
    world.leave("org_1", "user_b")
    compare()
    token = VerifiedToken(issuer.url, "user_b", clerk_time(world), organization_id="org_1", role="member")
    with pytest.raises(NotAdmittedError):
        admit(engine, token, RoleRules.of(Settings()))


def clerk_time(world):
    """Now, at Clerk."""
    return moment(world.now_ms)


def test_a_list_that_moves_while_it_is_read_ends_nobody(compare, engine, issuer, backend, world):
    """A person shut out because somebody else was deleted between two pages, which moved them past the reader."""
    compare()

    def move(path, offset):
        if path == "/users" and offset == 2 and "user_a" in world.users:
            world.delete_user("user_a")

    backend.before_page = move
    backend.asked.clear()
    compare()
    assert "user_c" in people(engine)
    assert "/users/user_c" in backend.asked, "missed on the pages, asked for by name"
    compare()
    assert people(engine) == ["user_b", "user_c"]


def test_memberships_that_move_while_they_are_read_stay(compare, engine, issuer, backend, world):
    """The same for members of an organization."""
    world.join("org_1", "user_c")
    compare()

    def move(path, offset):
        if path == "/organization_memberships" and offset == 2 and world.is_member("org_1", "user_a"):
            world.leave("org_1", "user_a")

    backend.before_page = move
    compare()
    assert ("user_c", "org_1", "member") in members(engine, issuer), "missed on the pages"
    compare()
    assert members(engine, issuer) == [("user_b", "org_1", "member"), ("user_c", "org_1", "member")]


def test_who_was_invited_here_is_no_business_of_clerks(compare, engine, issuer):
    """A guest whom we let in, put out every hour."""
    compare()
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into identity.memberships (organization_id, user_id, role) "
                "select o.organization_id, u.user_id, 'member' from identity.organizations o, identity.users u "
                "where o.external_id = :organization and u.subject = 'user_c'"
            ),
            {"organization": f"{issuer.url}#org_1"},
        )
    assert compare()["ended"] == 0
    assert ("user_c", "org_1", "member") in members(engine, issuer)


def test_the_rate_limit_is_kept(compare, backend, slept, engine):
    """A server that is shut out by Clerk, or that gives up at the first refusal."""
    backend.faults = [(429, {"Retry-After": "7"}), (429, {}), (200, {})]
    with pytest.raises(SettingsError):
        compare()
    assert slept == [7.0, 2.0]
    slept.clear()
    assert compare()["users"] == 3
    backend.faults = [(429, {"Retry-After": "3600"})]
    with pytest.raises(RateLimitedError) as refused:
        compare()
    assert refused.value.retry_after_seconds == 3600
    assert slept == []
    backend.faults = [(429, {"Retry-After": "1"})] * 4
    with pytest.raises(RateLimitedError):
        compare()
    assert slept == [1.0] * 3


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failure_is_tried_again_and_ends_nobody(compare, backend, slept, engine, status):
    """Everybody put out because Clerk was down."""
    compare()
    backend.faults = [(status, {})] * 2
    assert compare()["users"] == 3
    assert slept == [1.0, 2.0]
    backend.faults = [(status, {})] * 4
    with pytest.raises(ProviderUnavailableError, match=str(status)):
        compare()
    assert len(people(engine)) == 3


@pytest.mark.parametrize("path", ["/users", "/organizations", "/organization_memberships"])
@pytest.mark.parametrize("told", [{"data": None}, {}, "x", 7, b"<html>", None])
def test_a_list_that_is_none_ends_nobody(compare, backend, engine, issuer, path, told):
    """An answer that cannot be read taken for an empty list: everybody out."""
    compare()
    backend.instead = {path: told}
    with pytest.raises(ProviderUnavailableError):
        compare()
    assert len(people(engine)) == 3
    assert len(members(engine, issuer)) == 2


def test_what_cannot_be_read_is_counted_and_ends_nobody(compare, backend, world, engine, issuer):
    """One odd object that stops the comparison, or that is taken for somebody who is gone."""
    compare()
    world.users["user_b"].pop("updated_at")
    world.memberships[next(iter(world.memberships))].pop("role")
    counts = compare()
    assert counts["unreadable"] >= 2
    assert counts["ended"] == 0
    assert len(people(engine)) == 3
    assert len(members(engine, issuer)) == 2


def test_the_key_of_another_instance_ends_nobody(compare, backend, engine):
    """Everybody out, for good, because a key of the test instance was set in production."""
    compare()
    backend.jwks = lambda: [{"kid": "ins_another"}]
    backend.world = ClerkWorld()
    with pytest.raises(SettingsError, match="another Clerk instance"):
        compare()
    assert len(people(engine)) == 3


def test_a_wrong_address_of_the_api_ends_nobody(engine, clerks, backend, compare):
    """Everybody out because every path of a wrong address answers 404."""
    compare()
    wrong = clerks.model_copy(update={"clerk_api_url": f"{backend.url}/v2"})
    with pytest.raises(SettingsError):
        reconcile(engine, wrong)
    assert len(people(engine)) == 3


def test_without_a_key_or_clerk_it_says_so(engine, clerks):
    """A comparison that does nothing and says that all is well; a secret key sent to whoever is the issuer."""
    for change, words in (
        ({"clerk_secret_key": None}, "RL_EMAILS_CLERK_SECRET_KEY"),
        ({"clerk_secret_key": "sk_wrong"}, "does not accept"),
        ({"oidc_kind": "oidc"}, "no Clerk"),
        ({"oidc_issuer": None}, "no Clerk"),
    ):
        with pytest.raises(SettingsError, match=words):
            reconcile(engine, clerks.model_copy(update=change))
    with engine.connect() as connection:
        assert is_configured(connection, clerks)
        for change in ({"clerk_secret_key": None}, {"oidc_kind": "oidc"}, {"oidc_issuer": None}):
            assert not is_configured(connection, clerks.model_copy(update=change))


def test_clerk_that_cannot_be_reached_is_tried_again(engine, clerks, slept):
    """A comparison that fails with something nobody understands."""
    away = clerks.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"})
    with pytest.raises(ProviderUnavailableError, match="cannot be reached"):
        reconcile(engine, away, sleep=slept.append)
    assert slept == [1.0, 2.0, 4.0]


def test_who_is_unknown_here_is_not_ended(engine, issuer):
    """A crash, or a row for nobody, by an answer about somebody who was erased here meanwhile."""
    with engine.begin() as connection:
        directory = Directory(connection, issuer.url, RoleRules.of(Settings()))
        assert not directory.apply_place_gone("org_x", "user_x", clerk_time(ClerkWorld()))
        assert connection.execute(text("select count(*) from identity.provider_objects")).scalar_one() == 0


def test_the_command_compares_and_says_what_it_did(clerks, backend, monkeypatch, world):
    """An administrator who has to wait for the next hour, or who is told that all is well when it is not."""
    told = ("home", "cache", "database_url", "oidc_issuer", "oidc_kind", "oidc_authorized_parties", "clerk_api_url")
    for name in (*told, "clerk_secret_key"):
        monkeypatch.setenv(f"RL_EMAILS_{name.upper()}", str(getattr(clerks, name)))
    done = CliRunner().invoke(app, ["identity", "sync"])
    assert (done.exit_code, done.output.split()) == (
        0,
        ["compared", "3", "people,", "1", "organizations,", "2", "memberships;", "0", "ended"],
    )
    world.users["user_b"].pop("updated_at")
    done = CliRunner().invoke(app, ["identity", "sync", "--json"])
    assert (done.exit_code, json.loads(done.output)["unreadable"]) == (4, 2)
    assert CliRunner().invoke(app, ["identity", "nonsense"]).exit_code == 2
    monkeypatch.setenv("RL_EMAILS_CLERK_SECRET_KEY", "sk_wrong")
    done = CliRunner().invoke(app, ["identity", "sync"])
    assert (done.exit_code, "does not accept" in done.output) == (1, True)
