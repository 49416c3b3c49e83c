"""Ids that last over regroupings."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.lasting_ids import lasting_ids


def _ids(groups: list[str], before: dict[str, uuid.UUID] | None = None, **weights: float) -> dict[str, uuid.UUID]:
    found = lasting_ids([tuple(group) for group in groups], before or {}, weights=weights or None, namespace="t")
    return dict(zip(groups, found, strict=True))


def _members(ids: dict[str, uuid.UUID]) -> dict[str, uuid.UUID]:
    return {member: each for group, each in ids.items() for member in group}


def test_a_group_keeps_its_id_while_members_come_and_go() -> None:
    """A bookmark of a project that leads nowhere once an older conversation joins it."""
    first = _ids(["bcd"])
    assert _ids(["abcd"], _members(first))["abcd"] == first["bcd"]
    assert _ids(["cd"], _members(first))["cd"] == first["bcd"]


def test_the_larger_part_keeps_the_id_and_the_other_gets_one_of_its_own() -> None:
    """Two projects under one id, or a split that makes the smaller part the old project."""
    first = _ids(["abcde"])
    parted = _ids(["ab", "cde"], _members(first))
    assert parted["cde"] == first["abcde"] != parted["ab"]
    merged = _ids(["abcde"], _members(parted))
    assert merged["abcde"] == parted["cde"]
    heavy = _ids(["ab", "cde"], _members(first), a=9.0)
    assert heavy["ab"] == first["abcde"]


def test_a_new_group_does_not_take_an_id_that_is_in_use() -> None:
    """The id made of a first member may be kept by the part that this member left."""
    first = _ids(["abc"])
    later = _ids(["bc", "a"], _members(first))
    assert later["bc"] == first["abc"]
    again = _ids(["bc", "a", "d"], _members(later))
    assert (again["bc"], again["a"]) == (later["bc"], later["a"])
    assert len(set(again.values())) == 3


def test_namespaces_keep_ids_apart() -> None:
    (one,) = lasting_ids([("a",)], {}, namespace="one")
    (other,) = lasting_ids([("a",)], {}, namespace="other")
    assert one != other


_PARTITIONS = st.lists(st.integers(0, 4), min_size=8, max_size=8).map(
    lambda places: ["".join(chr(97 + i) for i, place in enumerate(places) if place == group) for group in set(places)]
)


@given(_PARTITIONS, _PARTITIONS, st.randoms())
def test_ids_are_unique_and_the_same_in_every_order(first: list[str], second: list[str], random: object) -> None:
    before = _members(_ids(first))
    found = _ids(second, before)
    assert len(set(found.values())) == len(second)
    shuffled = list(second)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _ids(shuffled, before) == found
    assert _ids(second, _members(found)) == found
