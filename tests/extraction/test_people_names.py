"""Names taken apart, and when two addresses of nearly one name are one person's."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.extraction.people import merge_people
from rl_emails_assets.extraction.people_merging import ContactFacts, Link
from rl_emails_assets.extraction.person_names import forms_of, is_misspelt, is_same_given, person_name
from rl_emails_assets.extraction.signatures import SignatureFacts

AT = datetime(2026, 5, 6, tzinfo=UTC)


def _contact(address: str, *names: str, phone: str = "") -> ContactFacts:
    counts = dict.fromkeys(names, 2)
    return ContactFacts(address, counts, 3, 0, 3, 0, 0, AT, AT, SignatureFacts(phone=phone))


def _groups(*contacts: ContactFacts, evidence: tuple[Link, ...] = ()) -> list[set[str]]:
    people = merge_people(contacts, namespace="m1", evidence=evidence)
    return sorted((set(person.addresses) for person in people), key=sorted)


def _together(*contacts: ContactFacts, evidence: tuple[Link, ...] = ()) -> bool:
    """Whether the first two are one person's."""
    wanted = {contacts[0].address, contacts[1].address}
    return any(wanted <= group for group in _groups(*contacts, evidence=evidence))


@pytest.mark.parametrize(
    ("text", "given", "family", "initials"),
    [
        ("Ada K. Byron", "ada", "byron", {"k"}),
        ("Byron, Ada K (Home)", "ada", "byron", {"k"}),
        ("BYRON, Ada", "ada", "byron", set()),
        ("Ada Byron, PhD", "ada", "byron", set()),
        ("Ada Maria Byron Jr.", "ada", "byron", set()),
        ("J. R. Ada O'Neil", "ada", "o'neil", {"j", "r"}),
    ],
)
def test_a_name_is_taken_apart(text: str, given: str, family: str, initials: set[str]) -> None:
    name = person_name(text)
    assert name is not None
    assert (name.given, name.family, set(name.initials)) == (given, family, initials)


@pytest.mark.parametrize("text", ["Ada", "", "Ada Byron via Announcements", "Ada Byron on behalf of Engines", "A. B."])
def test_what_is_no_full_name_of_the_sender(text: str) -> None:
    assert person_name(text) is None


def test_short_forms_are_one_name_and_two_whole_names_are_not() -> None:
    """Brian and Bryan, or Christine and Christina, made one person."""
    assert is_same_given("bill", "william")
    assert is_same_given("steve", "stephen")
    assert is_same_given("ada", "ada")
    assert not is_same_given("stephen", "steven")
    assert not is_same_given("bill", "will")
    assert forms_of("steve") == {"stephen", "steven"}
    assert forms_of("zaphod") == frozenset()


def test_a_letter_left_out_is_a_slip_only_in_a_long_name_that_is_no_other() -> None:
    assert is_misspelt("bernadette", "bernadete")
    assert not is_misspelt("christine", "christina")
    assert not is_misspelt("marianne", "mariann"), "a last letter makes another name"
    assert not is_misspelt("anna", "ana")
    assert not is_misspelt("bernadette", "bernardete")


@pytest.mark.parametrize(
    "contacts",
    [
        (_contact("bill.quill@a.example", "Bill Quill"), _contact("w.quill@a.example", "Quill, William")),
        (_contact("steve@a.example", "Steve Quill"), _contact("squill@lab.a.example", "Stephen Quill")),
        (_contact("x@a.example", "Ada K. Byron"), _contact("y@a.example", "Byron, Ada K")),
        (_contact("x@a.example", "Ada Byron"), _contact("y@lab.a.example", "Ada K. Byron")),
        (_contact("x@a.example", "Bernadette Quill"), _contact("y@a.example", "Bernadete Quill")),
        (_contact("ada+news@a.example"), _contact("ada@a.example", "Ada Byron")),
        (_contact("ada.byron@gmail.com", "Ada Byron"), _contact("adabyron+x@googlemail.com", "Ada Byron")),
    ],
)
def test_one_person_in_two_spellings(contacts: tuple[ContactFacts, ...]) -> None:
    assert _together(*contacts)


@pytest.mark.parametrize(
    "contacts",
    [
        (_contact("bill@gmail.com", "Bill Quill"), _contact("w.quill@gmail.com", "William Quill")),
        (_contact("bill@a.example", "Bill Quill"), _contact("w.quill@b.example", "William Quill")),
        (_contact("bill@a.example", "Bill A. Quill"), _contact("w@a.example", "William B. Quill")),
        (
            _contact("bill@a.example", "Bill Quill"),
            _contact("w@a.example", "William Quill"),
            _contact("x@a.example", "Billy Quill"),
        ),
        (_contact("x@a.example", "Brian Quill"), _contact("y@a.example", "Bryan Quill")),
        (_contact("x@a.example", "Mark A. Quill"), _contact("y@a.example", "Mark S. Quill")),
        (_contact("x@a.example", "Mark Quill"), _contact("y@a.example", "Mark S. Quill")),
        (
            _contact("x@a.example", "Mark Quill"),
            _contact("y@lab.a.example", "Mark S. Quill"),
            _contact("z@a.example", "Mark A. Quill"),
        ),
        (_contact("x@a.example", "Ada Byron via Engines"), _contact("y@a.example", "Ada Byron")),
        (_contact("desk@a.example", "Ada Byron", "Bo Berg", "Cy Dahl"), _contact("ada@a.example", "Ada Byron")),
        (_contact("ada+x@a.example", "Bo Berg"), _contact("ada@a.example", "Ada Byron")),
        (_contact("info+x@a.example"), _contact("info@a.example")),
        (_contact("a.da@a.example"), _contact("ada@a.example")),
        (_contact("x@a.example", "Bernadette Quill"), _contact("y@a.example", "Bernadete Quill"),
         _contact("z@a.example", "Zoe Quill")),
    ],
)  # fmt: skip
def test_two_people_of_nearly_one_name(contacts: tuple[ContactFacts, ...]) -> None:
    """Two colleagues whose initials, or whose directory, tell them apart are made one person."""
    assert not _together(*contacts)


def test_no_tie_joins_names_whose_initials_differ() -> None:
    """Two brothers with one telephone."""
    one, other = (
        _contact("x@a.example", "Mark A. Quill", phone="713 555 0142"),
        _contact("y@b.example", "Mark S. Quill", phone="713 555 0142"),
    )
    assert not _together(one, other, evidence=(Link(one.address, other.address, "answered_from"),))


def test_a_name_that_several_may_bear_at_an_organization_ties_nobody_there() -> None:
    """In a firm with many Johns and many Smiths, two John Smiths are two people more often than not."""
    johns = [_contact(f"john{number}@a.example", f"John Fam{letter}") for number, letter in enumerate("abcdefgh")]
    smiths = [_contact(f"smith{number}@a.example", f"Giv{letter} Smith") for number, letter in enumerate("abcdefgh")]
    two = (_contact("x@a.example", "John Smith"), _contact("y@a.example", "Smith, John"))
    assert not _together(*two, *johns, *smiths)
    assert _together(*two, *johns), "a family name that nobody else bears"
    tied = (Link(two[0].address, two[1].address, "answered_from"),)
    assert _together(*two, *johns, *smiths, evidence=tied), "mail says more than a name"
    short = (_contact("x@a.example", "Jack Smith"), _contact("y@a.example", "Smith, John"))
    assert not _together(*short, *johns, *smiths)


def test_why_says_how() -> None:
    (person,) = merge_people(
        [_contact("bill@a.example", "Bill Quill"), _contact("w.quill@a.example", "William Quill"),
         _contact("bill+x@a.example")],
        namespace="m1",
    )  # fmt: skip
    assert {link.how for link in person.merged_by} == {"nickname", "same_mailbox"}
