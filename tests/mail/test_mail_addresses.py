"""Addresses: what is shown as the sender must be the sender."""

import pytest

from rl_emails_assets.mail.addresses import parse_addresses
from rl_emails_assets.mail.charsets import GuessBudget
from rl_emails_assets.mail.headers import Decoder
from rl_emails_assets.mail.limits import DEFAULT_LIMITS, DefectLog, Limits


def read(value: str, limits: Limits = DEFAULT_LIMITS) -> list[tuple[str, str]]:
    """(name, address) pairs of a header."""
    decoder = Decoder(DefectLog(), GuessBudget(1), limits)
    return [(one.name, one.address) for one in parse_addresses(value.encode(), decoder, "to")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        ("A@B.example", [("", "a@b.example")]),
        ("Ann Lee <a@b.example>", [("Ann Lee", "a@b.example")]),
        ('"Lee, Ann" <a@b.example>', [("Lee, Ann", "a@b.example")]),
        ('"Ann \\"A\\" Lee" <a@b.example>', [('Ann "A" Lee', "a@b.example")]),
        ("'Ann' <'a@b.example'>", [("Ann", "a@b.example")]),
        ("a@b.example (Ann)", [("Ann", "a@b.example")]),
        ("Ann (the (first) \\) one) <a@b.example>", [("Ann", "a@b.example")]),
        ("Ann <a(x)@b.example>", [("Ann", "a@b.example")]),
        ("a@b.example, c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
        ("a@b.example; <c@d.example>", [("", "a@b.example"), ("", "c@d.example")]),
        ("<a@b.example> <c@d.example>", [("", "a@b.example"), ("", "c@d.example")]),
        (
            "team: a@b.example, C <c@d.example>;, e@f.example",
            [("", "a@b.example"), ("C", "c@d.example"), ("", "e@f.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("mailto:a@b.example", [("", "a@b.example")]),
        ("<mailto:a@b.example>", [("", "a@b.example")]),
        ("<@one,@two:a@b.example>", [("", "a@b.example")]),
        ("Lee, Ann <a@b.example>", [("Lee, Ann", "a@b.example")]),
        ("Lee, Ann </O=ORG/CN=ALEE>", [("Lee, Ann", "/o=org/cn=alee")]),
        ("root, postmaster (x)", [("", "root"), ("x", "postmaster")]),
        ("Ann a@b.example", [("Ann", "a@b.example")]),
        ("Ann a @ b.example", [("", "a@b.example")]),
        ("a@b . example, x", [("", "a@b.example"), ("", "x")]),
        ("ann at b.example (Ann =?utf-8?q?L=C3=A9?=)", [("Ann Lé", "ann@b.example")]),
        ("ann at b.example", [("", "ann@b.example")]),
        ("@nn@lee @end|ng |rom b@ex@mp|e (Ann Lee)", [("Ann Lee", ".nn.lee@b.ex.mp.e")]),
        ("x <a@b.example>, ann at b.example", [("x", "a@b.example"), ("", "ann@b.example")]),
        ('"a b"@c.example', [("", '"a b"@c.example')]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        ("MAILER-DAEMON", [("", "mailer-daemon")]),
        ("Ann <a@b.example", [("Ann", "a@b.example")]),
        ("Ann <a@b.example, c@d.example", [("Ann", "a@b.example"), ("", "c@d.example")]),
        ('"open <a@b.example>', [("open", "a@b.example")]),
        ("(open <a@b.example>", [("open", "a@b.example")]),
        ("a\\,b <a@b.example>", [("a,b", "a@b.example")]),
        ("x@y: z <a@b.example>", [("x@y: z", "a@b.example")]),
    ],
)
def test_addresses_are_read(value: str, expected: list[tuple[str, str]]) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "alice@x.example)bob@evil.example",
        "a@b@c",
        "<>",
        "Ann Lee",
        "(only a comment)",
        "<@>",
        f"a@{'x' * 400}",
        '"Ann"',
        '"a"@',
        'x"@b',
    ],
)
def test_what_is_no_address_gives_none(value: str) -> None:
    assert [address for _, address in read(value) if "@" in address and not address.startswith('"')] == []


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("alice@x.example <bob@evil.example>", "bob@evil.example"),
        ('"alice@x.example" <bob@evil.example>', "bob@evil.example"),
        ('"alice@x.example, " <bob@evil.example>', "bob@evil.example"),
        ("=?utf-8?q?alice=40x.example=3E=2C?= <bob@evil.example>", "bob@evil.example"),
    ],
)
def test_a_name_that_looks_like_an_address_is_only_a_name(value: str, address: str) -> None:
    """CVE-2023-27043: the name was returned as the address."""
    assert [one for _, one in read(value)] == [address]


def test_the_number_of_addresses_is_bounded() -> None:
    limits = Limits(addresses=3)
    assert len(read("a@b.example," * 50, limits)) == 3
    assert len(read("A <a@b.example>," * 50, limits)) == 3


@pytest.mark.parametrize("character", list('\\"(),:;<>[]@ =?\t'))
def test_long_runs_of_one_character_end(character: str) -> None:
    assert len(read("a" + character * 60_000)) <= DEFAULT_LIMITS.addresses
    assert len(read(f"a{character}b <x@y> " * 5_000)) <= DEFAULT_LIMITS.addresses
