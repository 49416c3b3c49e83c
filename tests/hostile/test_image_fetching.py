"""The image proxy meets servers that mean harm; whatever it fetches comes from the public internet and is an image."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import struct
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from stranger import Stranger, answer, png, redirect

from rl_emails_api.remote_images import fetching
from rl_emails_api.remote_images.addresses import is_public
from rl_emails_api.remote_images.fetching import MOST_BYTES, Fetcher, RefusedImageError, resolve

PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.2"
"""Two addresses of this machine that stand for one of the internet and one of the intranet."""


class Names:
    """A name server whose answers to one name may differ, one after the other."""

    def __init__(self, **answers: list[str] | list[list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[str]:
        """The next answer; the last one again and again."""
        self.asked.append(host)
        given = self.answers.get(host.partition(".")[0])
        if given is None:
            raise socket.gaierror(-2, "unknown")
        if given and isinstance(given[0], list):
            return given.pop(0) if len(given) > 1 else given[0]
        return given


def fetcher(*strangers: Stranger, names: Names | None = None, **more) -> Fetcher:
    """As in the product, but that these strangers' ports and PUBLIC are open to it."""
    return Fetcher(
        ssl_context=more.pop("ssl_context", ssl.create_default_context()),
        resolve=names or Names(images=[PUBLIC]),
        is_allowed=lambda address: address == PUBLIC,
        ports=frozenset(each.port for each in strangers),
        **more,
    )


def fetch(url: str, using: Fetcher):
    """The picture."""
    return asyncio.run(using.fetch(url))


def refusal(url: str, using: Fetcher) -> str:
    """Why there is none."""
    with pytest.raises(RefusedImageError) as refused:
        fetch(url, using)
    return refused.value.reason


def test_an_image_arrives_and_nothing_of_the_reader_leaves():
    """A cookie, a referrer, a language or a library's name sent to whoever counts openings."""
    with Stranger(answer(png(), "Content-Type: text/html", "Set-Cookie: seen=1")) as stranger:
        using = fetcher(stranger)
        for _ in range(2):
            picture = fetch(f"http://images.example:{stranger.port}/a%20b?c=d&e#fragment", using)
    assert (picture.media_type, picture.content) == ("image/png", png())
    assert stranger.requests[0] == stranger.requests[1]
    head, *lines = stranger.requests[0].decode().rstrip().split("\r\n")
    assert head == "GET /a%20b?c=d&e HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": f"images.example:{stranger.port}",
        "Accept": "image/webp,image/png,image/jpeg,image/gif",
        "Accept-Encoding": "identity",
        "User-Agent": fetching.USER_AGENT,
    }


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::",
        "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
        "2606:4700::1%1", "ff02::1", "localhost", "", "1.2.3", "0x7f.0.0.1", "8.8.8.8/32",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_internet(address):
    """A mail that reads the intranet, this machine or a cloud's metadata through us."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]
)
def test_an_address_of_the_internet(address):
    """A proxy that shows nothing."""
    assert is_public(address)
    assert is_public("::ffff:8.8.8.8")
    assert is_public("64:ff9b::8.8.8.8")


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address):
    """A form of the same address that some reader of addresses takes for another one."""
    inner = int(address)
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        wrapped = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + inner)
        assert is_public(str(wrapped)) == is_public(str(address))
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(str(address))


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], [PRIVATE, PUBLIC], ["::1", PUBLIC]])
def test_one_private_address_is_enough_to_refuse(addresses):
    """A name with a public and a private address, of which the private one is tried."""
    with Stranger(answer(png())) as stranger, Stranger(answer(png()), host=PRIVATE) as inside:
        using = fetcher(stranger, inside, names=Names(images=addresses))
        for port in (stranger.port, inside.port):
            assert refusal(f"http://images.example:{port}/", using) == "private"
    assert stranger.requests == inside.requests == []


def test_a_name_is_resolved_once():
    """DNS rebinding: a public address for the check, a private one for the connection."""
    with Stranger(answer(png())) as stranger, Stranger(answer(png()), host=PRIVATE) as inside:
        names = Names(images=[[PUBLIC], [PRIVATE]])
        picture = fetch(f"http://images.example:{stranger.port}/", fetcher(stranger, inside, names=names))
    assert picture.content == png()
    assert names.asked == ["images.example"]
    assert len(stranger.requests) == 1


def test_the_next_address_is_tried_when_one_is_dead():
    """An image lost because the first of a name's addresses does not answer."""
    with Stranger(answer(png())) as stranger:
        using = Fetcher(
            ssl_context=ssl.create_default_context(),
            resolve=Names(images=["127.0.0.3", PUBLIC]),
            is_allowed=lambda _: True,
            ports=frozenset({stranger.port}),
        )
        assert fetch(f"http://images.example:{stranger.port}/", using).content == png()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_checked_like_the_first_address(status):
    """A public server that sends us to the intranet."""
    with (
        Stranger(answer(png()), host=PRIVATE) as inside,
        Stranger(redirect(f"http://inside.example:{inside.port}/", status)) as stranger,
    ):
        using = fetcher(stranger, inside, names=Names(images=[PUBLIC], inside=[PRIVATE]))
        assert refusal(f"http://images.example:{stranger.port}/", using) == "private"
        assert len(stranger.requests) == 1
    assert inside.requests == []


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd", "ftp://images.example/", "gopher://images.example/", "http://images.example:6379/",
        "http://user:pass@images.example/", "//images.example:22/", "javascript:alert(1)", "http://[::1", "http:///x",
        "http://a\tb.example/", "data:image/png;base64,AAAA", "",
    ],
)  # fmt: skip
def test_a_redirect_to_what_is_no_address_of_an_image(to):
    """Another scheme or port reached by a redirect."""
    with Stranger(redirect(to)) as stranger:
        reason = refusal(f"http://images.example:{stranger.port}/", fetcher(stranger))
    assert reason in ("address", "redirects", "unreachable")
    # Without a host it leads to the same server, and so to the end of our patience.
    assert len(stranger.requests) == (fetching.MOST_REDIRECTS + 1 if to in ("", "http:///x") else 1)


def test_redirects_are_followed_a_few_times():
    """A loop that never ends, or an image behind a click counter that is never shown."""
    left = [2]

    def say(connection, _):
        left[0] -= 1
        connection.sendall(redirect("/next") if left[0] >= 0 else answer(png()))

    with Stranger(say) as stranger:
        assert fetch(f"http://images.example:{stranger.port}/", fetcher(stranger)).content == png()
        assert [each.split()[1] for each in stranger.requests] == [b"/", b"/next", b"/next"]
        left[0] = 100
        assert refusal(f"http://images.example:{stranger.port}/", fetcher(stranger)) == "redirects"
    assert len(stranger.requests) == 3 + fetching.MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://images.example:25/", "address"),
        ("https://images.example:8443/", "address"),
        ("ftp://images.example/", "address"),
        ("http://user@images.example/", "address"),
        ("http:///nothing", "address"),
        ("http://[::1/", "address"),
        ("http://images.example:port/", "address"),
        ("http://images.example:99999999999/", "address"),
        ("http://" + "a" * 70 + "/", "name"),
        ("http://unknown.example/", "name"),
        ("http://empty.example/", "name"),
        ("http://127.0.0.2/", "private"),
        ("http://2130706434/", "private"),
        ("http://0x7f.2/", "private"),
        ("http://[::ffff:127.0.0.2]/", "private"),
        ("http://localhost/", "private"),
    ],
)
def test_an_address_that_is_refused_before_anything_is_sent(url, reason):
    """A port scan, a login at a stranger's server, or a way of writing 127.0.0.1 that nobody thought of."""
    names = Names(empty=[])

    async def as_the_system(host: str, port: int) -> list[str]:
        return await (names if host.endswith(".example") else resolve)(host, port)

    using = Fetcher(ssl_context=ssl.create_default_context(), resolve=as_the_system)
    assert refusal(url, using) == reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "Content-Type: image/png"), "type"),
        (answer(b"<html><script>alert(1)</script>", "Content-Type: image/png"), "type"),
        (answer(b"", "Content-Type: image/png"), "type"),
        (answer(png()[:10]), "type"),
        (answer(png(1, 1)), "pixel"),
        (answer(png(2, 2)), "pixel"),
        (answer(png()[:16] + struct.pack(">II", 100_000, 100_000) + png()[24:]), "size"),
        (answer(gzip.compress(png() + b"\0" * 10_000_000), "Content-Encoding: gzip"), "encoding"),
        (answer(png(), "Content-Encoding: br"), "encoding"),
        (answer(png() + b"\0" * MOST_BYTES), "size"),
        (answer(png(), status="404 Not Found"), "status"),
        (answer(png(), status="206 Partial"), "status"),
        (answer(png(), status="304 Not Modified"), "status"),
        (b"SSH-2.0-OpenSSH\r\n", "unreachable"),
        (b"+OK redis\r\n" * 20_000, "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, "unreachable"),
        (b"", "unreachable"),
    ],
)
def test_an_answer_that_is_no_image(said, reason):
    """A page, a bomb, another protocol's greeting, or a megabyte too many, taken for an image."""
    with Stranger(said) as stranger:
        assert refusal(f"http://images.example:{stranger.port}/", fetcher(stranger)) == reason


def test_an_endless_image_is_cut_off():
    """Memory filled by a server that never stops, without saying how long its answer is."""
    sent = [0]

    def say(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"100000\r\n" + b"\0" * 0x100000 + b"\r\n")
            sent[0] += 0x100000

    with Stranger(say) as stranger:
        assert refusal(f"http://images.example:{stranger.port}/", fetcher(stranger)) == "size"
    # What is on its way in the kernel's buffers comes on top.
    assert sent[0] < 3 * MOST_BYTES


@pytest.mark.parametrize("where", ["connect", "head", "body"])
def test_a_server_that_drips_is_left(where):
    """A slow loris that holds a fetch for hours, one byte at a time."""
    stop = threading.Event()

    def say(connection, _):
        parts = {"connect": b"", "head": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\n\r\n"}
        connection.sendall(parts[where])
        while not stop.wait(0.02):
            connection.sendall(b"a" if where != "connect" else b"")

    with Stranger(say) as stranger:
        using = fetcher(stranger, total_seconds=0.3, read_seconds=30)
        assert refusal(f"http://images.example:{stranger.port}/", using) == "time"
        if where == "connect":
            assert refusal(f"http://images.example:{stranger.port}/", fetcher(stranger, read_seconds=0.1)) == "time"
        stop.set()


def test_a_name_server_that_never_answers_is_left():
    """A fetch that hangs before it has begun."""

    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    using = Fetcher(ssl_context=ssl.create_default_context(), resolve=never, total_seconds=0.1)
    assert refusal("http://images.example/", using) == "time"


def test_a_closed_port_is_unreachable():
    """An exception of the network's as a 500."""
    with Stranger(b"") as stranger:
        using = fetcher(stranger)
    assert refusal(f"http://images.example:{stranger.port}/", using) == "unreachable"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(the server's context, a context that trusts it) for images.example."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "images.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("images.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def test_tls_speaks_of_the_name_not_of_the_address(certificate):
    """An address in SNI and Host (which no server of many sites knows), or a certificate that nobody compares."""
    server, trusting = certificate
    with Stranger(answer(png()), context=server) as stranger:
        using = fetcher(stranger, names=Names(images=[PUBLIC], other=[PUBLIC]), ssl_context=trusting)
        assert fetch(f"https://images.example:{stranger.port}/", using).content == png()
        assert refusal(f"https://other.example:{stranger.port}/", using) == "unreachable"
        assert refusal(f"https://images.example:{stranger.port}/", fetcher(stranger)) == "unreachable"
    assert stranger.server_names == ["images.example", "other.example", "images.example"]
    assert f"Host: images.example:{stranger.port}".encode() in stranger.requests[0]
    assert len(stranger.requests) == 1


def test_a_filtering_proxy_is_asked_by_name():
    """A name resolved here although only the proxy can reach and check it."""
    names = Names()
    with Stranger(answer(png())) as stranger:
        using = Fetcher(
            ssl_context=ssl.create_default_context(),
            proxy_url=f"http://ada:secret@127.0.0.1:{stranger.port}",
            resolve=names,
        )
        assert fetch("http://images.example/a", using).content == png()
    assert stranger.requests[0].startswith(b"GET http://images.example/a HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in stranger.requests[0]
    assert names.asked == []
