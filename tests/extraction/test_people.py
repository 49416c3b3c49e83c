"""People: one person behind several addresses, and never two persons made one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.people import Person, merge_people
from rl_emails_assets.extraction.people_merging import (
    MAX_ADDRESSES_PER_NAME,
    ContactFacts,
    How,
    Link,
    is_role_address,
    namesakes,
)
from rl_emails_assets.extraction.signatures import SignatureFacts, name_key, signature_facts

NEWEST = datetime(2026, 5, 6, tzinfo=UTC)


def _contact(
    address: str,
    *names: str,
    received: int = 3,
    sent: int = 0,
    replied: int = 0,
    days_ago: int = 0,
    signature: SignatureFacts | None = None,
) -> ContactFacts:
    return ContactFacts(
        address=address,
        names=dict.fromkeys(names, 2),
        from_count=received,
        to_count=sent,
        received_count=received,
        sent_count=sent,
        replied_count=replied,
        first_at=NEWEST - timedelta(days=days_ago + 10),
        last_at=NEWEST - timedelta(days=days_ago),
        signature=signature or SignatureFacts(),
    )


def _groups(*contacts: ContactFacts) -> list[set[str]]:
    return sorted((set(person.addresses) for person in merge_people(contacts, namespace="m1")), key=sorted)


def _one(*contacts: ContactFacts) -> Person:
    (person,) = merge_people(contacts, namespace="m1")
    return person


@pytest.mark.parametrize(
    "contacts",
    [
        (_contact("ada@a.example", "Ada Byron"), _contact("ab@a.example", "Byron, Ada")),
        (_contact("ada@a.example", "Ada Byron"), _contact("ab@b.a.example", "Ada K. Byron")),
        (_contact("ada@firm.example", "Dr. Ada Byron (Home)"), _contact("ab@firm.co.uk", "ada byron")),
        (_contact("ada@a.example", "Ada Byron"), _contact("abyron@a.example")),
        (_contact("ada@a.example", "Ada Byron"), _contact("ada.byron@lab.a.example")),
        (_contact("ada@x.co.uk", "Ada Byron"), _contact("byron.ada@mail.x.co.uk")),
        (_contact("ada.byron@a.example"), _contact("ada@a.example", "Ada Byron")),
        (
            _contact("ada@a.example", "ada", signature=SignatureFacts(name="Ada Byron")),
            _contact("ab@a.example", "Ada Byron"),
        ),
        (
            _contact("ada@a.example", "Ada Byron", signature=SignatureFacts(phone="+1 713 555 0142")),
            _contact("ab@gmail.com", "Ada Byron", signature=SignatureFacts(phone="(713) 555-0142")),
        ),
    ],
)
def test_one_person_behind_two_addresses_is_one(contacts: tuple[ContactFacts, ContactFacts]) -> None:
    assert len(_groups(*contacts)) == 1


@pytest.mark.parametrize(
    "contacts",
    [
        (_contact("ada@a.example", "Ada Byron"), _contact("ada@b.example", "Ada Byron")),
        (_contact("ada@gmail.com", "Ada Byron"), _contact("byron@gmail.com", "Ada Byron")),
        (_contact("ada@ab.de", "Ada Byron"), _contact("ada@ab.com", "Ada Byron")),
        (_contact("ada@a.example", "Ada"), _contact("ada@b.example", "Ada")),
        (_contact("ada@a.example", "Ada Byron"), _contact("ada@b.example", "Ada Lovelace")),
        (_contact("ada@a.example", "Ada Byron"), _contact("ada@b.example")),
        (_contact("ada@a.example", "Ada Byron"), _contact("abyron@b.example")),
        (_contact("x@a.example", "Ada Byron"), _contact("y@a.example", "Abe Byron"), _contact("abyron@a.example")),
        (_contact("ada@a.example", "Ada Byron"), _contact("abyron@a.example", "Al")),
        (_contact("info@a.example", "Ada Byron"), _contact("ada@b.example", "Ada Byron")),
        (_contact("support@a.example", "Customer Support"), _contact("help@b.example", "Customer Support")),
        (_contact("x@a.example", "Online Store"), _contact("y@b.example", "Online Store")),
        (_contact("x@a.example", "One Two Three Four Five"), _contact("y@b.example", "One Two Three Four Five")),
        (_contact("x@a.example", "ada@a.example"), _contact("y@b.example", "ada@a.example")),
    ],
)
def test_different_persons_are_never_made_one(contacts: tuple[ContactFacts, ...]) -> None:
    assert len(_groups(*contacts)) == len(contacts)


@pytest.mark.parametrize("how", ["answered_from", "names_itself"])
def test_mail_that_ties_two_addresses_of_one_name_makes_them_one_person(how: How) -> None:
    """Work and home addresses that stay two persons although the mail itself says whose they are."""
    work, home = _contact("ada@a.example", "Ada Byron"), _contact("ada@gmail.com", "Ada Byron")
    assert namesakes([work, home]) == (("ada@a.example", "ada@gmail.com"),)
    (person,) = merge_people([work, home], namespace="m1", evidence=[Link(home.address, work.address, how)])
    assert person.merged_by == (Link("ada@gmail.com", "ada@a.example", how),)
    other = _contact("bo@a.example", "Bo Berg")
    tied = merge_people([work, other], namespace="m1", evidence=[Link(work.address, other.address, how)])
    assert len(tied) == 2, "mail that names a colleague makes nobody that colleague"


def test_a_tie_found_late_joins_what_stood_apart() -> None:
    """The third address ties the first two: three persons would stay two."""
    contacts = [_contact("a@a.example", "Ada Byron"), _contact("b@b.example", "Ada Byron"),
                _contact("c@c.example", "Ada Byron")]  # fmt: skip
    evidence = [Link("c@c.example", "a@a.example", "answered_from"), Link("b@b.example", "c@c.example", "names_itself")]
    (person,) = merge_people(contacts, namespace="m1", evidence=evidence)
    assert len(person.addresses) == 3
    assert {link.how for link in person.merged_by} == {"answered_from", "names_itself"}


def test_evidence_is_wanted_only_where_one_name_is_at_several_places() -> None:
    assert namesakes([_contact("a@a.example", "Ada Byron"), _contact("b@a.example", "Ada Byron")]) == ()
    assert namesakes([_contact("a@a.example", "Ada Byron"), _contact("b@b.example", "Bo Berg")]) == ()


def test_a_person_keeps_their_id_when_addresses_come_and_go() -> None:
    """A link to a person that leads nowhere once they write from another address; two persons with one id."""
    work, home = _contact("ada@z.example", "Ada Byron", received=9), _contact("aa@z.example", "Ada Byron")
    first = merge_people([work], namespace="m1")
    before = {"ada@z.example": first[0].person_id}
    (joined,) = merge_people([work, home], namespace="m1", before=before)
    assert joined.person_id == first[0].person_id
    other = _contact("aa@z.example", "Cy Dahl")
    before = dict.fromkeys(joined.addresses, joined.person_id)
    parted = {each.name: each.person_id for each in merge_people([work, other], namespace="m1", before=before)}
    assert parted["Ada Byron"] == first[0].person_id != parted["Cy Dahl"]


def test_a_name_that_many_addresses_carry_merges_none() -> None:
    many = [_contact(f"x{number}@one.example", "Ada Byron") for number in range(MAX_ADDRESSES_PER_NAME + 1)]
    assert len(_groups(*many)) == len(many)
    assert len(_groups(*many[:-1])) == 1


@pytest.mark.parametrize(
    "address",
    ["info@a.b", "no-reply@a.b", "sales-team@a.b", "r-devel@a.b", "x123456789@a.b", "jobs@a.b", "a" * 65 + "@b.c"],
)
def test_a_role_is_not_a_person(address: str) -> None:
    assert is_role_address(address)


@pytest.mark.parametrize("address", ["ada@a.b", "informant@a.b", "mailer.ada@a.b", "stafford@a.b"])
def test_a_person_is_not_a_role(address: str) -> None:
    assert is_role_address(address) == (address == "mailer.ada@a.b")


def test_a_person_sums_up_their_addresses() -> None:
    work = _contact("ada@engines.example", "BYRON, ADA", "Ada Byron", received=5, sent=2, days_ago=3)
    home = _contact(
        "ada.byron@gmail.com",
        "Ada Byron",
        received=1,
        days_ago=1,
        signature=SignatureFacts("Ada Byron", "Analyst", "", "+1 555 0100 200"),
    )
    (person,) = merge_people([home, work], namespace="m1", evidence=[Link(home.address, work.address, "answered_from")])
    assert person.merged_by == (Link(work.address, home.address, "answered_from"),)
    assert person.name == "Ada Byron"
    assert person.addresses == ("ada@engines.example", "ada.byron@gmail.com")
    assert (person.title, person.phone, person.organization) == ("Analyst", "+1 555 0100 200", "Engines")
    assert (person.received_count, person.sent_count) == (6, 2)
    assert person.last_at == home.last_at


@pytest.mark.parametrize(
    ("contact", "name", "organization"),
    [
        (_contact("ada.byron@ibm.example"), "Ada Byron", "IBM"),
        (_contact("ada.byron@gmail.com", "ab"), "ab", ""),
        (_contact("zeta@localhost"), "zeta", ""),
        (_contact("ada_42@mail.uni.ac.uk"), "ada_42", "UNI"),
        (_contact("ada.byron@gmx.de", "Ada"), "Ada", ""),
        (
            _contact("ada@gmx.de", signature=SignatureFacts("Ada Byron", "", "Engines Ltd", "")),
            "Ada Byron",
            "Engines Ltd",
        ),
        (_contact("a.b.c@x.example", "Byron, Ada, PhD"), "Byron, Ada, PhD", "X"),
        (_contact("x.y@firm.example", "'x@firm.example'"), "X Y", "Firm"),
    ],
)
def test_a_name_and_an_organization_that_a_reader_would_write(
    contact: ContactFacts, name: str, organization: str
) -> None:
    person = _one(contact)
    assert (person.name, person.organization) == (name, organization)


def test_strength_grows_with_mail_both_ways_and_fades_with_time() -> None:
    def strength(**changes: int) -> float:
        contact = _contact("ada@a.example", "Ada Byron", **changes)  # type: ignore[arg-type]
        people = merge_people([contact, _contact("newest@b.example", "New Est")], namespace="m1")
        return next(person.strength for person in people if person.name == "Ada Byron")

    few, many, both, old, huge = (
        strength(received=3),
        strength(received=30),
        strength(received=15, sent=15),
        strength(received=30, days_ago=300),
        strength(received=10_000, sent=10_000, replied=9_000),
    )
    assert 0 < few < many < both < huge == 1.0
    assert old < many
    assert strength(received=0) == 0.0


def test_ids_differ_between_mailboxes_and_stay_for_one() -> None:
    contacts = [_contact("ada@a.example", "Ada Byron"), _contact("ab@a.example", "Ada Byron")]
    first, again = merge_people(contacts, namespace="m1"), merge_people(contacts[::-1], namespace="m1")
    assert first == again
    assert merge_people(contacts, namespace="m2")[0].person_id != first[0].person_id
    assert merge_people([], namespace="m1") == ()


def test_an_address_given_twice_counts_once() -> None:
    person = _one(_contact("ada@a.example", "Ada Byron", received=1, days_ago=9), _contact("ada@a.example", received=4))
    assert person.received_count == 4


_NAMES = st.sampled_from(["Ada Byron", "Byron, Ada", "Ada", "Al Gore", "Support", "", "a@b.c", "Ada Byron Jr."])
_CONTACTS = st.builds(
    lambda local, domain, names, received, sent, days: _contact(
        f"{local}@{domain}", *names, received=received, sent=sent, days_ago=days
    ),
    st.sampled_from(["ada", "abyron", "ada.byron", "info", "al", "agore", "x"]),
    st.sampled_from(["a.example", "b.example", "gmail.com", "x.a.example"]),
    st.lists(_NAMES, max_size=3),
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 900),
)


@given(st.lists(_CONTACTS, max_size=12), st.randoms())
def test_every_address_is_in_one_person_whatever_the_order(contacts: list[ContactFacts], random: object) -> None:
    people = merge_people(contacts, namespace="m1")
    addresses = [address for person in people for address in person.addresses]
    assert sorted(addresses) == sorted({contact.address for contact in contacts})
    assert all(0 <= person.strength <= 1 and person.name for person in people)
    assert len({person.person_id for person in people}) == len(people)
    shuffled = list(contacts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_people(shuffled, namespace="m1") == people


@pytest.mark.parametrize(
    ("signature", "from_name", "expected"),
    [
        (
            "--\nAda Byron\nSenior Analyst\nEngines Ltd.\nTel: +44 20 7946 0000\nFax: +44 20 7946 0001",
            "Byron, Ada",
            SignatureFacts("Ada Byron", "Senior Analyst", "Engines Ltd.", "+44 20 7946 0000"),
        ),
        (
            "Ada Byron | Director of Sums | Engines Inc. | 713-555-0142",
            "Ada Byron",
            SignatureFacts("Ada Byron", "Director of Sums", "Engines Inc.", "713-555-0142"),
        ),
        ("Best regards,\nAda Byron", "", SignatureFacts(name="Ada Byron")),
        ("Ada\nUniversität Bern", "ada@x.example", SignatureFacts(organization="Universität Bern")),
        ("Fax: 713-555-0142", "Ada Byron", SignatureFacts()),
        ("12345678901 or 1-2", "Ada Byron", SignatureFacts()),
        ("Fax 713 555 0143\n713 555 0142\n713 555 0144", "", SignatureFacts(phone="713 555 0142")),
        ("Ext. 55-1234", "", SignatureFacts()),
        ("Company\nThe manager said so!", "Ada Byron", SignatureFacts()),
        ("Sent from my phone", "Ada Byron", SignatureFacts()),
        ("", "", SignatureFacts()),
    ],
)
def test_a_signature_says_who_its_writer_is(signature: str, from_name: str, expected: SignatureFacts) -> None:
    assert signature_facts(signature, from_name) == expected


def test_a_full_name_has_one_key_in_every_spelling() -> None:
    assert (
        name_key("Byron, Ada K.") == name_key("Dr. Ada Byron (Home)") == name_key('ada "A" byron') == ("ada", "byron")
    )
    assert name_key("Ada") == name_key("A. B.") == name_key("") == ()


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_signature_is_read_without_an_exception(signature: str, from_name: str) -> None:
    facts = signature_facts(signature, from_name)
    assert all(len(value) <= 120 for value in (facts.name, facts.title, facts.organization, facts.phone))


@pytest.mark.parametrize(
    "unit", ["1 ", "1", "(1", "A ", "a.", "- ", "|", "+1", " ", "Tel: ", "\n", "co ", '"', "(", "é'"]
)
def test_hostile_signatures_and_names_are_read_in_bounded_work(unit: str) -> None:
    """A quadratic pattern would keep the test from ending."""
    text = unit * (100_000 // len(unit))
    assert isinstance(signature_facts(text, text), SignatureFacts)
    assert len(merge_people([_contact(f"{text}@a.example", text)], namespace="m1")) == 1
