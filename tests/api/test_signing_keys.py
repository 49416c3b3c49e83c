"""Google's keys: fetched when needed and no oftener, through the proxy and with the authorities that are set."""

import asyncio
import datetime as dt
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from push_signing import SigningKey, key_server

from rl_emails_api.identity import signing_keys
from rl_emails_api.identity.signing_keys import SigningKeys, fetch_keys
from rl_emails_assets.errors import ProviderUnavailableError

KEY = SigningKey("key-1")
OTHER = SigningKey("key-2")


@pytest.fixture(scope="module")
def keys():
    """Google's keys, published."""
    with key_server() as server:
        yield server


def test_keys_are_kept_as_long_as_they_may_be():
    """Google's rotation missed, an unknown key that makes us ask Google at every request, or two fetches at once."""
    now, fetched, published = [1000.0], [], {"a": "key a"}

    def fetch():
        fetched.append(now[0])
        return dict(published), 100.0

    async def story():
        keys = SigningKeys(fetch, clock=lambda: now[0])
        assert await asyncio.gather(*(keys.key("a") for _ in range(10))) == ["key a"] * 10
        assert len(fetched) == 1
        published["b"] = "key b"
        assert await keys.key("b") is None
        now[0] += 59
        assert await keys.key("b") is None
        assert len(fetched) == 1
        now[0] += 1
        assert await asyncio.gather(*(keys.key("b") for _ in range(10))) == ["key b"] * 10
        assert len(fetched) == 2
        assert [await keys.key("nobody's") for _ in range(10)] == [None] * 10
        assert len(fetched) == 2
        published.clear()
        now[0] += 99
        assert await keys.key("a") == "key a"
        now[0] += 1
        assert await keys.key("a") is None
        assert len(fetched) == 3

    asyncio.run(story())


def test_a_failing_fetch_is_not_repeated_at_once():
    """A server of keys that is down and asked all the time; a good key refused because another is asked for."""
    now, answers, fetched = [1000.0], [({"a": "key a"}, 3600.0)], []

    def fetch():
        fetched.append(now[0])
        if not answers:
            raise ProviderUnavailableError("away")
        return answers.pop()

    async def story():
        keys = SigningKeys(fetch, clock=lambda: now[0])
        assert await keys.key("a") == "key a"
        now[0] += 60
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError):
                await keys.key("b")
            assert await keys.key("a") == "key a"
        assert len(fetched) == 2
        now[0] += signing_keys.RETRY_SECONDS
        answers.append(({"a": "key a", "b": "key b"}, 3600.0))
        assert await keys.key("b") == "key b"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("public, max-age=600", 600), ("max-age=86400", 3600), ("max-age=0", 60), ("no-store", 60), ("", 60)],
)
def test_how_long_keys_may_be_kept(keys, told, seconds):
    """Keys kept for a day because their server says so, or fetched for every push because it says nothing."""
    keys.keys, keys.status, keys.body, keys.cache_control = [KEY.public_jwk, OTHER.public_jwk], 200, None, told
    found, kept = fetch_keys(keys.url, None)
    assert set(found) == {"key-1", "key-2"}
    assert kept == seconds


def test_keys_that_do_not_sign_are_left_out(keys):
    """A token verified with a key that is for something else."""
    keys.status, keys.body = 200, None
    encrypts = {**OTHER.public_jwk, "use": "enc"}
    shared = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
    keys.keys = [KEY.public_jwk, encrypts, shared, {**OTHER.public_jwk, "kid": None}]
    assert set(fetch_keys(keys.url, None)[0]) == {"key-1"}


def test_keys_are_fetched_through_the_proxy(keys, monkeypatch):
    """A server behind a proxy that can never verify a push."""
    keys.keys, keys.status, keys.body = [KEY.public_jwk], 200, None
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", keys.url.removesuffix("/certs"))
    assert set(fetch_keys("http://keys.invalid/certs", None)[0]) == {"key-1"}
    assert keys.paths[-1] == "http://keys.invalid/certs"


def test_an_own_authority_is_trusted_only_when_set(tmp_path):
    """A proxy that opens TLS: nothing works with its authority set, or anybody's certificate does."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    bundle, secret = tmp_path / "authority.pem", tmp_path / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(bundle, secret)
    with key_server(context) as server:
        server.keys = [KEY.public_jwk]
        assert set(fetch_keys(server.url, bundle)[0]) == {"key-1"}
        with pytest.raises(ProviderUnavailableError, match="could not be fetched"):
            fetch_keys(server.url, None)
        with pytest.raises(ProviderUnavailableError, match="could not be fetched"):
            fetch_keys(server.url, tmp_path / "nothing.pem")
