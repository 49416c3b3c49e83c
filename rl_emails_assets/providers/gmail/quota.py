"""How much of Gmail a mailbox may still use: one token bucket a mailbox, shared by all processes through the database.

A spend is one short transaction on a connection of its own, so that nothing is locked while Gmail is asked. The clock
is the database's.

The bucket holds what Gmail allows in a minute. A sync leaves a reserve in it for calls that a person waits for, and the
refill leaves the reserve out: a sync that goes on for an hour takes its share of every minute, and the reserve is still
there in Gmail's count. A bucket that is full, after a quiet minute, may be emptied at once; its refill then begins a
minute later, so that the first minute of a large sync costs what Gmail allows and not twice that.

In no minute is more spent than the capacity and one minute's refill. That is a bound for odd patterns (little is spent,
then, just before the refill begins, all of it); Gmail refuses what is too much, and `refused` follows it.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, TextClause, text

from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.settings import Settings

MINUTE_SECONDS = 60.0
"""Gmail's limit is a number of units a minute."""

_SPEND = text("""
with held as (
    select
        mailbox_id,
        greatest(counted_at, now()) as counted_at,
        least(
            :capacity,
            units_left
            + extract(epoch from greatest(counted_at, now()) - counted_at) * cast(:units_a_second as numeric)
        ) as units,
        case when day = (now() at time zone 'utc')::date then units_today else 0 end as units_today
    from mailboxes.quotas
    where mailbox_id = :mailbox_id
    for update
), decided as (
    -- A call dearer than the bucket can ever hold above the reserve is made when the bucket is full.
    select held.*, units - :units >= :floor or units >= :capacity as is_spent, units >= :capacity as is_full from held
)
update mailboxes.quotas as quota set
    units_left = decided.units - case when is_spent then :units else 0 end,
    counted_at = decided.counted_at
        + case when is_spent and is_full then :quiet_seconds else 0 end * interval '1 second',
    day = (now() at time zone 'utc')::date,
    units_today = decided.units_today + case when is_spent then :units else 0 end
from decided
where quota.mailbox_id = decided.mailbox_id
returning
    cast(
        case when is_spent then 0 else
            greatest(
                0.001,
                extract(epoch from quota.counted_at - now())
                + (least(:units + :floor, :capacity) - quota.units_left) / :units_a_second
            )
        end as float8
    )
""")

_REFUSED = text("""
with held as (
    select
        mailbox_id,
        greatest(counted_at, now()) as counted_at,
        least(
            :capacity,
            units_left
            + extract(epoch from greatest(counted_at, now()) - counted_at) * cast(:units_a_second as numeric)
        ) as units
    from mailboxes.quotas
    where mailbox_id = :mailbox_id
    for update
)
update mailboxes.quotas as quota set
    units_left = case when :is_empty then least(held.units, :floor) else held.units end,
    counted_at = case
        when not :is_empty then held.counted_at
        -- Another process was told to wait longer.
        when held.units <= :floor then greatest(held.counted_at, now() + :retry_after_seconds * interval '1 second')
        else now() + :retry_after_seconds * interval '1 second'
    end,
    throttled_at = now()
from held
where quota.mailbox_id = held.mailbox_id
returning 1
""")

_MAKE = text(
    """
insert into mailboxes.quotas (mailbox_id, units_left, counted_at, day, batch_size)
select mailbox_id, :capacity, now(), (now() at time zone 'utc')::date, :batch_size
from mailboxes.connections where mailbox_id = :mailbox_id
on conflict do nothing
"""
)

_BATCH_SIZE = text("select batch_size from mailboxes.quotas where mailbox_id = :mailbox_id")

_KEEP_BATCH_SIZE = text(
    "update mailboxes.quotas set batch_size = :batch_size where mailbox_id = :mailbox_id returning 1"
)


@dataclass(frozen=True, slots=True)
class QuotaBucket:
    """The bucket of one mailbox, as one process sees it."""

    engine: Engine
    settings: Settings
    mailbox_id: uuid.UUID
    is_interactive: bool = False
    """Whether somebody waits for these calls; they may use the reserve."""

    @property
    def capacity(self) -> int:
        """Units of a full bucket."""
        return self.settings.gmail_quota_units_per_minute

    @property
    def units_a_second(self) -> float:
        """The refill."""
        return self.capacity * (1 - self.settings.gmail_quota_reserve) / MINUTE_SECONDS

    @property
    def floor(self) -> float:
        """What these calls leave in the bucket, in units."""
        return 0.0 if self.is_interactive else self.capacity * self.settings.gmail_quota_reserve

    def cost(self, method: str) -> int:
        """Units of one call of `method`, as in GMAIL_COSTS."""
        return self.settings.gmail_cost(method)

    def most_calls(self, method: str) -> int:
        """How many calls of `method` can be paid for at once from a full bucket; at least one."""
        return max(1, int((self.capacity - self.floor) // max(1, self.cost(method))))

    def spend(self, units: int) -> float:
        """Take units out. Returns 0 when done, else the seconds to wait before trying again; then none was taken.

        Raises NotFoundError when the mailbox is gone.
        """
        return float(self._changed(_SPEND, units=units))

    def refused(self, *, is_empty: bool, retry_after_seconds: float = 0.0) -> None:
        """Gmail refused for its rate.

        When it refused everything that was asked, the bucket `is_empty`: what these calls may use is taken out, and the
        refill begins after what Gmail asked for. When it refused some of a batch, too much was under way at once, which
        smaller batches cure.

        Raises NotFoundError when the mailbox is gone.
        """
        self._changed(_REFUSED, is_empty=is_empty, retry_after_seconds=retry_after_seconds)

    def batch_size(self) -> int:
        """How many messages to ask for in one batch, as the last run learnt it.

        Raises NotFoundError when the mailbox is gone.
        """
        return int(self._changed(_BATCH_SIZE))

    def keep_batch_size(self, batch_size: int) -> None:
        """Keep what this run learnt for the next. Raises NotFoundError when the mailbox is gone."""
        self._changed(_KEEP_BATCH_SIZE, batch_size=batch_size)

    def _changed(self, statement: TextClause, **more: float) -> float:
        parameters = {
            "mailbox_id": self.mailbox_id,
            "capacity": self.capacity,
            "floor": self.floor,
            "units_a_second": self.units_a_second,
            "quiet_seconds": MINUTE_SECONDS,
            **more,
        }
        with self.engine.begin() as connection:
            found = _scalar(connection, statement, parameters)
            if found is None:
                connection.execute(_MAKE, {**parameters, "batch_size": self.settings.gmail_batch_size})
                found = _scalar(connection, statement, parameters)
        if found is None:
            raise NotFoundError(
                f"Mailbox {self.mailbox_id} is not there any more; nothing was asked of Gmail. Connect it again."
            )
        return found


def _scalar(connection: Connection, statement: TextClause, parameters: dict[str, object]) -> float | None:
    found: float | None = connection.execute(statement, parameters).scalar_one_or_none()
    return found
