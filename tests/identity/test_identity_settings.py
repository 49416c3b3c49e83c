"""Settings that would let in more than they say, and the command and job that compare identities."""

import pytest
from pydantic import ValidationError

from rl_emails_assets.settings import Settings

ISSUER = {"oidc_issuer": "https://login.example.org", "oidc_client_id": "rl-emails"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"oidc_client_id": None}, "whom its tokens are for"),
        ({"oidc_issuer": "http://login.example.org"}, "https"),
        ({"oidc_issuer": "login.example.org"}, "https"),
        ({"oidc_algorithms": "RS256,HS256"}, "OIDC_ALGORITHMS"),
        ({"oidc_algorithms": "none"}, "OIDC_ALGORITHMS"),
        ({"oidc_algorithms": " , "}, "OIDC_ALGORITHMS"),
        ({"oidc_kind": "clerk"}, "AUTHORIZED_PARTIES"),
        ({"oidc_roles": {"admin": "root"}}, "OIDC_ROLES"),
    ],
)
def test_settings_that_would_let_in_more_than_they_say_are_refused(change, words):
    """A server open to every token of a large issuer, or to tokens that nobody signed, because of a slip."""
    with pytest.raises(ValidationError, match=words):
        Settings(**{**ISSUER, **change})


def test_lists_are_read():
    """A second origin that is part of the first one's name."""
    settings = Settings(
        **ISSUER, oidc_authorized_parties=" https://a.example , ,https://b.example", clerk_webhook_secrets="a,b"
    )
    assert settings.oidc_authorized_party_list == ("https://a.example", "https://b.example")
    assert settings.clerk_webhook_secret_list == ("a", "b")
    assert settings.oidc_algorithm_list == ("RS256",)
    assert not settings.allows_local_token
    assert Settings().allows_local_token
    assert Settings(oidc_issuer="http://127.0.0.1:1", oidc_client_id="x", keep_local_token=True).allows_local_token
