"""Where organizations are managed: here, at the identity provider, or nowhere because nobody signs in."""

from collections.abc import Iterator

import httpx
import pytest
import serving

from rl_emails_api.organizations.management import managed_by
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings
from scripts import reference

CHANGES = (
    ("PATCH", "/v1/organization", {"name": "Mine"}),
    ("PATCH", "/v1/organization/members/{mia}", {"role": "admin"}),
    ("DELETE", "/v1/organization/members/{mia}", None),
    ("POST", "/v1/organization/leave", None),
    ("POST", "/v1/organizations", {"name": "Mine"}),
    ("GET", "/v1/organization/invitations", None),
    ("POST", "/v1/organization/invitations", {"address": "zoe@example.org"}),
    ("DELETE", "/v1/organization/invitations/{mia}", None),
)


def _code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


@pytest.fixture(scope="module")
def clerk(database) -> Iterator[serving.Server]:
    """The API on the same database, with Clerk."""
    running = serving.start(
        make_engine(database, "api"),
        oidc_issuer="https://id.example.org",
        oidc_kind="clerk",
        oidc_authorized_parties="https://mail.example.org",
    )
    yield running.server
    running.stop()


@pytest.fixture(scope="module")
def local(database) -> Iterator[serving.Server]:
    """The API on the same database, with its local token only."""
    running = serving.start(make_engine(database, "api"))
    yield running.server
    running.stop()


def _all_refused(place, path_names: dict[str, str], name: str, where: str) -> None:
    for method, path, body in CHANGES:
        answer = place.signed_in(name).request(method, path.format(**path_names), json=body)
        assert (answer.status_code, _code(answer)) == (409, "managed-by-identity-provider"), (method, path, answer.text)
        assert where in answer.json()["detail"], "it says where to do it"
    assert place.actions() == []
    assert len(place[name].get("/v1/organization/members").json()["items"]) == 4


def test_with_clerk_every_change_is_refused_and_says_where_to_make_it(place, clerk):
    """A member removed here who is back with the next webhook, or one who was added here and is gone with it."""
    place.url = clerk.url
    assert place["mia"].get("/v1/organization").json()["managed_by"] == "identity-provider"
    place.people["zoe"] = place.people["olga"]
    _all_refused(place, {"mia": place.id_of("mia")}, "olga", "Clerk")
    assert place["mia"].patch(f"/v1/mailboxes/{place.mailbox('mia')}", json={"is_shared": True}).is_success


def test_an_organization_that_the_issuers_tokens_name_is_managed_there(place):
    """Any other issuer with organizations: its next token would undo what was changed here."""
    place.do(
        "update identity.organizations set external_id = 'https://id.example.org|' || organization_id "
        "where organization_id = :id",
        id=place.organization_id,
    )
    for method, path, body in CHANGES:
        if path == "/v1/organizations":
            continue
        answer = place.signed_in("olga").request(method, path.format(mia=place.id_of("mia")), json=body)
        assert (answer.status_code, _code(answer)) == (409, "managed-by-identity-provider"), (method, path)
    assert place.actions() == []


def test_an_invitation_into_such_an_organization_is_worth_nothing(place, clerk):
    """A link from before the provider took over, by which somebody comes in whom it does not know."""
    zoe = place.add("zoe", None)
    made = place["olga"].post("/v1/organization/invitations", json={"address": zoe.address}).json()
    place.url = clerk.url
    answer = place.signed_in("zoe").post("/v1/invitations/accept", json={"token": made["link"].partition("token=")[2]})
    assert _code(answer) == "managed-by-identity-provider"


def test_without_a_sign_in_nobody_is_invited(local):
    """A link that nobody can ever use, because there is no way to sign in."""
    with local.client() as client:
        for path, body in (
            ("/v1/organization/invitations", {"address": "zoe@example.org"}),
            ("/v1/organizations", {"name": "Mine"}),
        ):
            assert _code(client.post(path, json=body)) == "no-sign-in"
        assert client.get("/v1/organization").json()["managed_by"] == "rl-emails"
        assert _code(client.post("/v1/organization/leave")) == "last-owner"


def test_who_manages():
    """An organization made here that nobody could manage any more once an issuer is set."""
    oidc = Settings(oidc_issuer="https://id.example.org", oidc_client_id="client")
    assert managed_by(Settings(), None) == managed_by(Settings(), "x") == "rl-emails"
    assert managed_by(oidc, None) == "rl-emails"
    assert managed_by(oidc, "x") == "identity-provider"


def test_the_page_of_roles_is_made_from_the_rules():
    """A table of rights that says what the code does not do; docs' own test compares it with the committed one."""
    made = reference.PAGES["roles.md"]()
    assert "| Make somebody an owner | yes |  |  |" in made
    assert "| Leave | if there is another owner | yes | yes |" in made
    assert "| See or share a personal mailbox of somebody else |  |  |  |" in made
    assert "| Assign a conversation to a member who sees its mailbox; write a note | yes | yes | yes |" in made
    assert "| `organization:write` | yes | yes |  |" in made
    assert "| `operator:read` |" not in made
