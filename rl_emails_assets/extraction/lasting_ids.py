"""Ids that last: groups that are computed anew keep the ids of the groups that they go on from.

New groups are matched to the old ones by the members that they share, the largest overlap first, each id given once.
So a project or person keeps its id while members come and go; where groups merge or one falls apart, the larger
part keeps the id. What matches nothing gets an id from its first member.
"""

import uuid
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Member = TypeVar("Member", bound=Hashable)


def lasting_ids(
    groups: Sequence[Sequence[Member]],
    before: Mapping[Member, uuid.UUID],
    *,
    weights: Mapping[Member, float] | None = None,
    namespace: str,
) -> list[uuid.UUID]:
    """An id for each group, in order; no two alike.

    `before` has the old id of each member that was in a group; `weights` say how much a member counts (1 unless told).
    A group's first member makes its id when nothing of it was known; `namespace` keeps kinds and mailboxes apart. The
    same for every order of the groups, as long as no two groups begin with the same member.
    """
    overlaps: list[tuple[float, str, str, int]] = []
    for index, group in enumerate(groups):
        shared: dict[uuid.UUID, float] = {}
        for member in group:
            old = before.get(member)
            if old is not None:
                shared[old] = shared.get(old, 0.0) + (1.0 if weights is None else weights.get(member, 1.0))
        overlaps.extend((-round(weight, 6), str(old), str(group[0]), index) for old, weight in shared.items())
    given: dict[int, uuid.UUID] = {}
    taken: set[uuid.UUID] = set()
    for _, old_text, _, index in sorted(overlaps):
        old = uuid.UUID(old_text)
        if index not in given and old not in taken:
            given[index] = old
            taken.add(old)
    for index in sorted(range(len(groups)), key=lambda place: str(groups[place][0])):
        if index not in given:
            given[index] = _new_id(namespace, str(groups[index][0]), taken)
            taken.add(given[index])
    return [given[index] for index in range(len(groups))]


def _new_id(namespace: str, first: str, taken: set[uuid.UUID]) -> uuid.UUID:
    """From the first member; from a longer name when a group that this one parted from kept that id."""
    made = uuid.uuid5(uuid.NAMESPACE_URL, f"rl-emails:{namespace}:{first}")
    again = 1
    while made in taken:
        again += 1
        made = uuid.uuid5(uuid.NAMESPACE_URL, f"rl-emails:{namespace}:{first}:{again}")
    return made
