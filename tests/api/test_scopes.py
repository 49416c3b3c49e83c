"""Every endpoint states what it asks for."""

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from serving import TOKEN

from rl_emails_api.app import FEATURES, create_app
from rl_emails_api.identity.principal import ROLE_SCOPES, SCOPES, ScopeCheck
from rl_emails_api.security import OPEN_PATHS, SELF_GUARDED_PATHS
from rl_emails_assets.settings import Settings


def scopes_of(dependant: Dependant) -> set[str]:
    """The scopes that a route's dependencies check, at any depth."""
    own = {dependant.call.scope} if isinstance(dependant.call, ScopeCheck) else set()
    return own.union(*(scopes_of(each) for each in dependant.dependencies))


@pytest.fixture
def routes(engine):
    create_app(engine, Settings(token=TOKEN))
    found = [route for feature in FEATURES for route in feature.router.routes]
    assert all(isinstance(route, APIRoute) for route in found)
    return found


def test_every_endpoint_states_its_scope(routes):
    """A new endpoint that whoever is signed in may use, because nobody thought of who should."""
    guarded = OPEN_PATHS | SELF_GUARDED_PATHS
    assert len(routes) > 20
    assert [route.path for route in routes if route.path not in guarded and len(scopes_of(route.dependant)) != 1] == []


def test_no_member_administers_and_nobody_operates_by_role():
    """A role that gained a scope by a new entry in the list of all."""
    assert not {"admin:read", "admin:write", "organization:write", "operator:read"} & ROLE_SCOPES["member"]
    assert all("operator:read" not in scopes for scopes in ROLE_SCOPES.values())
    assert ROLE_SCOPES["owner"] | {"operator:read"} == SCOPES
