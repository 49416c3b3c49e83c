"""Where the client's connections go: proxies, authorities, time limits, and no host that the settings do not name."""

import gzip
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rl_emails_assets.errors import ProviderUnavailableError, SettingsError
from rl_emails_assets.providers.gmail import transport
from rl_emails_assets.providers.gmail.answers import Fetched
from rl_emails_assets.providers.gmail.transport import ProxyAddress, proxy_of
from tests.gmail.loopback_proxy import Authority, make_authority, proxying
from tests.gmail.mailbox_clients import Opener
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import listen
from tests.gmail.standin.users import User

HOST = "gmail.test"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own proxies are."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every host that this process looks up; none but loopback is found."""
    asked: list[str] = []
    real: Callable[..., Any] = socket.getaddrinfo

    def look_up(host: Any, *more: Any, **options: Any) -> Any:
        asked.append(str(host))
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "this test's network ends here")
        return real(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts unless told to."""
    return make_authority(tmp_path, HOST)


@pytest.fixture
def tls_port(gmail: Gmail, authority: Authority) -> Iterator[int]:
    """The stand-in's port for HTTPS."""
    plain = gmail.url
    server = listen(gmail, tls=authority.server)
    port = urlsplit(server.url).port
    gmail.url = plain
    assert port is not None
    yield port
    server.close()


def hosts(port: int, name: str = HOST) -> dict[str, Any]:
    """Settings that name a host for calls and batches."""
    return {"gmail_api_url": f"https://{name}:{port}", "gmail_batch_url": f"https://{name}:{port}/batch/gmail/v1"}


def everything(opened: Any, owner: User, topic: str) -> None:
    """Every method of the client's once, and a batch."""
    ids = [owner.deliver(subject=f"{number}") for number in range(3)]
    client = opened.client
    client.profile()
    client.list_ids()
    client.history(owner.history_id)
    client.labels()
    client.watch(topic)
    client.stop_watch()
    assert all(isinstance(outcome, Fetched) for outcome in client.get_raw(ids))


class TestHosts:
    def test_nothing_goes_to_a_host_that_is_not_set(
        self, open_client: Opener, gmail: Gmail, owner: User, looked_up: list[str]
    ) -> None:
        """The client library sends batches, mail and tokens, to Google's own host even when an endpoint is set."""
        everything(open_client(), owner, gmail.topic)
        assert gmail.calls.count("batch") == 1
        assert set(looked_up) == {"127.0.0.1"}

    def test_calls_and_batches_go_to_hosts_of_their_own(
        self, open_client: Opener, gmail: Gmail, owner: User, looked_up: list[str]
    ) -> None:
        """One of two settings would be without effect."""
        other = listen(gmail)
        ids = [owner.deliver(subject=f"{number}") for number in range(3)]
        client = open_client(gmail_batch_url=f"http://batches.test:{urlsplit(other.url).port}/batch/gmail/v1").client
        assert client.profile().address
        with pytest.raises(ProviderUnavailableError):
            client.get_raw(ids)
        assert set(looked_up) == {"127.0.0.1", "batches.test"}
        other.close()

    def test_a_redirect_is_not_followed(self, open_client: Opener, gmail: Gmail, looked_up: list[str]) -> None:
        """Whoever can answer once could send the token anywhere."""
        answer = gmail.api.answer

        def elsewhere(request: Any) -> Any:
            response = answer(request)
            response.status, response.headers["Location"] = 302, "https://elsewhere.test/"
            return response

        gmail.api.answer = elsewhere  # type: ignore[method-assign]
        with pytest.raises(ProviderUnavailableError, match="HTTP 302"):
            open_client().client.labels()
        assert set(looked_up) == {"127.0.0.1"}

    def test_an_endpoint_below_a_path(self, open_client: Opener, gmail: Gmail) -> None:
        """A gateway that serves Gmail below a path of its own would be asked at its root."""
        asked: list[str] = []
        answer = gmail.answer

        def below(request: Any) -> Any:
            asked.append(request.path)
            request.path = request.path.removeprefix("/gateway")
            return answer(request)

        gmail.answer = below  # type: ignore[method-assign]
        assert open_client(gmail_api_url=f"{gmail.url}/gateway/").client.labels()
        assert asked == ["/gateway/gmail/v1/users/me/labels"]


class TestAuthorities:
    def test_an_authority_of_ones_own(
        self, open_client: Opener, gmail: Gmail, owner: User, authority: Authority, tls_port: int
    ) -> None:
        """Behind a proxy that opens TLS nothing would work."""
        opened = open_client(ca_bundle=authority.bundle, **hosts(tls_port, "127.0.0.1"))
        everything(opened, owner, gmail.topic)
        assert gmail.calls.count("batch") == 1

    def test_an_unknown_authority_is_refused(self, open_client: Opener, gmail: Gmail, tls_port: int) -> None:
        """Anyone between could read the mail and keep the token."""
        opened = open_client(**hosts(tls_port, "127.0.0.1"))
        with pytest.raises(ProviderUnavailableError, match="RL_EMAILS_CA_BUNDLE"):
            opened.client.labels()
        assert gmail.calls.count("labels.list") == 0

    def test_a_certificate_of_another_host_is_refused(
        self, open_client: Opener, authority: Authority, tls_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A trusted server could pretend to be any other."""
        with proxying({"other.test": tls_port}) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            opened = open_client(ca_bundle=authority.bundle, **hosts(tls_port, "other.test"))
            with pytest.raises(ProviderUnavailableError, match="certificate is not trusted"):
                opened.client.labels()

    @pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
    def test_a_bundle_that_is_none(self, open_client: Opener, tmp_path: Path, content: bytes | None) -> None:
        """A mistyped path would look as if Gmail were down."""
        bundle = tmp_path / "bundle.pem"
        if content is not None:
            bundle.write_bytes(content)
        with pytest.raises(SettingsError, match=r"RL_EMAILS_CA_BUNDLE names .*bundle\.pem"):
            open_client(ca_bundle=bundle)


class TestProxies:
    def test_everything_goes_through_the_proxy(
        self,
        open_client: Opener,
        gmail: Gmail,
        owner: User,
        authority: Authority,
        tls_port: int,
        monkeypatch: pytest.MonkeyPatch,
        looked_up: list[str],
    ) -> None:
        """httplib2 goes around HTTPS_PROXY without a word when PySocks is not installed."""
        with proxying({HOST: tls_port}) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://ann:p%40ss@127.0.0.1:{proxy.port}")
            opened = open_client(ca_bundle=authority.bundle, **hosts(tls_port))
            everything(opened, owner, gmail.topic)
            # One connection for the whole run, and its host is for the proxy to look up.
            assert proxy.asked == [f"{HOST}:{tls_port}"]
            assert proxy.introductions == ["Basic YW5uOnBAc3M="]
            assert set(looked_up) == {"127.0.0.1"}

    def test_a_connection_that_broke_is_made_anew_through_the_proxy(
        self,
        open_client: Opener,
        gmail: Gmail,
        authority: Authority,
        tls_port: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After a reset the run would go around the proxy, or fail to its end."""
        with proxying({HOST: tls_port}) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
            opened = open_client(ca_bundle=authority.bundle, **hosts(tls_port))
            opened.client.labels()
            gmail.faults.next("labels.list", reset_mid_body=True)
            assert opened.client.labels()
            assert proxy.asked == [f"{HOST}:{tls_port}"] * 2

    def test_a_host_of_no_proxy_is_reached_directly(
        self, open_client: Opener, authority: Authority, tls_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A stand-in on this machine would be asked for at the company's proxy."""
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "localhost, 127.0.0.1")
        opened = open_client(ca_bundle=authority.bundle, **hosts(tls_port, "127.0.0.1"))
        assert opened.client.labels()

    def test_a_proxy_that_refuses(self, open_client: Opener, tls_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """A refusal of the proxy's would be taken for one of Gmail's."""
        with proxying({}) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://ann:secret@127.0.0.1:{proxy.port}")
            with pytest.raises(ProviderUnavailableError, match="Tunnel connection failed: 403") as caught:
                open_client(**hosts(tls_port)).client.labels()
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({}, None),
            ({"HTTP_PROXY": "http://p:1"}, None),
            ({"HTTPS_PROXY": ""}, None),
            ({"HTTPS_PROXY": "http://p:3128"}, ("p", 3128)),
            ({"https_proxy": "p:3128"}, ("p", 3128)),
            ({"HTTPS_PROXY": "http://p"}, ("p", 80)),
            ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
            ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".test"}, None),
            ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "mail.test,gmail.test:443"}, None),
            ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "mail.test,hotmail.test"}, ("p", 1)),
        ],
    )
    def test_which_proxy(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: tuple[str, int] | None
    ) -> None:
        """A proxy that is forgotten blocks the mail; one that is not meant gets it."""
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert proxy_of(HOST, 443) == (None if expected is None else ProxyAddress(*expected, {}))

    @pytest.mark.parametrize("url", ["socks5://p:1080", "https://p:443", "http://"])
    def test_a_proxy_of_another_kind_is_said_not_ignored(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        """Mail would go around a proxy that somebody relies on."""
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(SettingsError, match="HTTPS_PROXY"):
            proxy_of(HOST, 443)


class TestAnswers:
    def test_compressed_answers(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """Mail would take three times the traffic; highly compressible mail would look like an attack."""
        rfc822 = b"Subject: Zeros\r\n\r\n" + b"0" * 12_000_000
        ids = [owner.deliver(rfc822), owner.deliver(subject="Small")]
        answer, sizes = gmail.answer, []

        def compressed(request: Any) -> Any:
            response = answer(request)
            if "gzip" in request.headers.get("accept-encoding", "") and "gzip" in request.headers["user-agent"]:
                response.body = gzip.compress(response.body, 9)
                response.headers["Content-Encoding"] = "gzip"
                sizes.append(len(response.body))
            return response

        gmail.answer = compressed  # type: ignore[method-assign]
        opened = open_client()
        opened.client.labels()
        outcomes = opened.client.get_raw(ids)
        assert [type(outcome) for outcome in outcomes] == [Fetched, Fetched]
        assert isinstance(outcomes[0], Fetched)
        assert outcomes[0].rfc822 == rfc822
        assert len(sizes) == 2

    def test_gmail_that_says_nothing(self, open_client: Opener, gmail: Gmail, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run would wait for ever, its claim extended all the while or lost."""
        monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 0.2)
        gmail.faults.next("labels.list", times=4, delay=2)
        with pytest.raises(ProviderUnavailableError, match="no answer in time"):
            open_client().client.labels()

    def test_no_token_and_no_address_in_the_log(
        self, open_client: Opener, gmail: Gmail, owner: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A log is read by more people than the mailbox."""
        caplog.set_level(logging.DEBUG)
        opened = open_client()
        token = opened.tokens.current
        gmail.faults.next("labels.list", status=403, reason="rateLimitExceeded")
        gmail.faults.next("messages.list", times=4, reset=True)
        everything_but_listing = [opened.client.labels, opened.client.profile]
        for ask in everything_but_listing:
            ask()
        with pytest.raises(ProviderUnavailableError):
            opened.client.list_ids()
        assert token not in caplog.text
        assert owner.address not in caplog.text
