"""A small HTTP proxy on loopback that makes tunnels (CONNECT), and certificates for hosts that exist only behind it."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Proxy:
    """Where it listens, and what was asked of it."""

    port: int
    addresses: Mapping[str, int]
    """The ports on loopback that names lead to; all others are refused."""
    asked: list[str] = field(default_factory=list)
    """The targets, `host:port`."""
    introductions: list[str] = field(default_factory=list)
    """The values of Proxy-Authorization."""


@contextmanager
def proxying(addresses: Mapping[str, int]) -> Iterator[Proxy]:
    """Listens for the length of a block."""
    listening = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listening.getsockname()[1], addresses)
    threads = [threading.Thread(target=_accept, args=(listening, proxy), daemon=True)]
    threads[0].start()
    try:
        yield proxy
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        threads[0].join(timeout=10)


def _accept(listening: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, proxy), daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy) -> None:
    with client, client.makefile("rb") as reader:
        verb, target, _ = reader.readline().decode().split(" ", 2)
        while (line := reader.readline().decode()) not in {"\r\n", ""}:
            if line.lower().startswith("proxy-authorization:"):
                proxy.introductions.append(line.partition(":")[2].strip())
        proxy.asked.append(target)
        port = proxy.addresses.get(target.rpartition(":")[0])
        if verb != "CONNECT" or port is None:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join(timeout=10)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    # However the one side ended, the other learns of it.
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of a test's own."""

    bundle: Path
    server: ssl.SSLContext
    """For a server named in its certificate."""


def make_authority(folder: Path, *hosts: str) -> Authority:
    """An authority, and a certificate of its for `hosts` and 127.0.0.1."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's own authority")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
        )

    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName(host) for host in hosts]
    alternatives = x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    certificate = builder(subject, key.public_key()).add_extension(alternatives, critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    bundle.write_bytes(ca.public_bytes(pem))
    chain.write_bytes(private + certificate.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Authority(bundle, context)
