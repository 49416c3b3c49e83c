"""The stand-in as a process of its own, steered through its control API, and over TLS."""

import ssl

import httpx
import jwt
import pytest

from rl_emails_assets.settings import Settings
from tests.gmail.standin.certificates import loopback_tls
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.messages import compose
from tests.gmail.standin.remote import ControlError, RemoteGmail, served_elsewhere
from tests.gmail.standin.server import serving


def test_a_process_is_steered_from_outside(tmp_path):
    """Chaos tests and benchmarks need the same truth that a thread's tests have."""
    with served_elsewhere(tmp_path, "--user", "ann@example.org", "--units-per-minute", "9000", "--seed", "3") as gmail:
        ann, bob = gmail.user("ann@example.org"), gmail.add_user("bob@example.org")
        assert gmail.environment()["RL_EMAILS_GMAIL_QUOTA_UNITS_PER_MINUTE"] == "9000"
        overrides = gmail.settings_overrides()
        assert overrides["gmail_api_url"] == gmail.url
        first = ann.deliver(subject="Lunch?", labels=["INBOX"])
        second = ann.deliver(compose(subject="Bytes"))
        ann.relabel([first, second], add=["STARRED"], remove=["INBOX"])
        ann.trash(first)
        assert ann.labels()[first] == {"STARRED", "TRASH"}
        assert ann.act("labels_of", message_id=second) == ["STARRED", "UNREAD"]
        ann.delete(second)
        assert (gmail.ids("ann@example.org"), bob.ids()) == ({first}, set())

        token = ann.act("access_token")
        profile = f"{gmail.url}/gmail/v1/users/me/profile"
        gmail.fault("getProfile", status=503)
        statuses = [httpx.get(profile, headers={"Authorization": f"Bearer {token}"}).status_code for _ in range(2)]
        assert statuses == [503, 200]
        gmail.fault("getProfile", probability=1.0, status=500)
        gmail.clear_faults()
        gmail.advance(hours=2)
        assert httpx.get(profile, headers={"Authorization": f"Bearer {token}"}).status_code == 401
        assert gmail.calls(clear=True)["counts"] == {"getProfile": 3}
        assert gmail.calls()["counts"] == {}
        gmail.configure(**{"quota.concurrent_parts": [1, 2], "pages_shift": True})
        for wrong in (
            lambda: gmail.control("dance"),
            lambda: gmail.configure(nothing=1),
            lambda: ann.act("explode"),
            lambda: gmail.user("nobody@example.org").ids(),
        ):
            with pytest.raises(ControlError):
                wrong()


def test_control_of_pushes_and_consent(gmail, owner):
    remote = RemoteGmail(gmail.url)
    try:
        remote.control("consent", denied=True, unticked=["a"])
        assert (gmail.oauth.consent.denied, gmail.oauth.consent.unticked) == (True, {"a"})
        remote.control("publish", address=owner.address, history_id=5)
        assert [(push["history_id"], push["acknowledged_at"]) for push in remote.pushes()] == [(5, None)]
        made = remote.control("push_request", address=owner.address, history_id=6, alg="none")
        assert jwt.get_unverified_header(made["headers"]["Authorization"].removeprefix("Bearer "))["alg"] == "none"
        assert remote.control("watch", address=owner.address) is None
        remote.control("forget_access_tokens")
        remote.control("rotate_key")
        assert len(gmail.published_keys) == 2
        assert remote.control("users") == [owner.address]
        assert remote.control("ready") is True
        at = gmail.clock.now()
        assert len(remote.user(owner.address).fill([(compose(), ["INBOX"], at), (compose(), ["SENT"], at)])) == 2
        assert gmail.history_days == 8
    finally:
        remote.close()


def test_overrides_are_settings(gmail):
    """A renamed setting would leave the product talking to Google."""
    overrides = gmail.settings_overrides()
    assert set(overrides) <= set(Settings.model_fields)
    hosts = [value for name, value in overrides.items() if name.endswith("_url")]
    assert len(hosts) == 6
    assert all(value.startswith(gmail.url) for value in hosts)


def test_tls_with_an_authority_of_its_own(tmp_path):
    """Deployments behind a proxy that inspects trust a bundle of their own."""
    tls, bundle = loopback_tls(tmp_path)
    with serving(Gmail(), tls=tls) as gmail:
        url = gmail.settings_overrides()["google_certs_url"]
        assert url.startswith("https://")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url)

        assert httpx.get(url, verify=ssl.create_default_context(cafile=str(bundle))).json()["keys"]
