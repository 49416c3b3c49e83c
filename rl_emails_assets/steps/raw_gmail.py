"""raw.messages, raw.labels and raw.gaps of a Gmail mailbox: partial and full sync.

**The invariant** (promise 1). Every id that Gmail has is stored (raw.messages), a gap (raw.gaps), in the backlog
(raw.backlog, with its attempts), told of by a history record after the cursor, or covered by a listing that is under
way and written in the cursor's own row. It holds after every commit, because each transaction of a sync moves ids
between these places and never drops one:

* *A page of history* (raw_gmail_history) puts its additions in the backlog, removes its deletions, and moves the cursor
  to its last record; to the mailbox's state only with the last page, and to the state that the first page's answer
  gave, since what came later may be on no page of that reading.
* *A page of a listing* (raw_gmail_listing) puts its ids in the backlog and keeps the token of the next page.
* *A batch* (raw_gmail_fetch) takes ids from the backlog as it stores them, makes them gaps, or learns that they are
  gone.
* *A full sync begins* with Gmail's history id, asked for before the first page is listed: the cursor moves to it in the
  transaction that notes the listing. What existed then is covered by the listing until its end; what came later is told
  of by the history. The cursor passes ids here, but only together with the listing that covers them.

**While a listing is read, mail comes and goes.** Let H be the cursor when a page is listed. An id that the page names
and that is deleted later has a deletion record after H: it is dropped from wherever it is then. One that was deleted
before and is named all the same (an index that lags) is fetched, and the 404 drops it. A message that arrives has a
record after H. A message that the page should have named and did not, because deletions shifted the listing, is why a
pass with deletions is followed by another (raw_gmail_listing).
Each run follows the history before it lists, so what a listing says is never older than the cursor: whatever it says of
a message that changes afterwards is corrected by a record after the cursor.

**One run** (`run`): the history from the cursor, so that new mail never waits for a long first sync; then pages of the
listing under way; then a slice of the backlog. What is left is for the next run, which steps.claim_end asks for.
"""

from sqlalchemy import Connection, func, update

from rl_emails_assets.connections.credentials import TokenSource
from rl_emails_assets.connections.reconnection import need_reconnect
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import HistoryExpiredError, RateLimitedError, ReconnectNeededError
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.steps import raw_gmail_fetch, raw_gmail_history, raw_gmail_listing
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.steps.raw_gmail_cursor import GmailSync


def client_of(step: StepContext) -> GmailClient:
    """The mailbox's client; nothing is sent yet."""
    tokens = TokenSource(step.engine, step.settings, step.mailbox_id)
    return GmailClient(step.settings, tokens, QuotaBucket(step.engine, step.settings, step.mailbox_id))


def run(step: StepContext, name: str, *, is_full: bool) -> StepResult:
    """Bring the mailbox up to date, or as far as one run goes; the caller holds the mailbox's lock for the step `name`.

    `is_full` asks for a comparison with everything that Gmail has, unless one is under way.

    Raises:
        ReconnectNeededError: The mailbox is not connected, or Gmail does not let us in; its owner is told.
        ProviderUnavailableError: Gmail cannot be reached, or failed; what was stored until then is kept.
        LeaseLostError: Another run is syncing the mailbox.
    """
    try:
        with client_of(step) as client:
            sync = GmailSync(step, name, client)
            try:
                _sync(sync, is_full=is_full)
            except RateLimitedError as limit:
                sync.wait(limit.retry_after_seconds)
        with sync.transaction() as (connection, _):
            _note_sync(connection, sync)
    except ReconnectNeededError as error:
        with step.engine.begin() as connection:
            need_reconnect(connection, step.mailbox_id, str(error).rstrip("."))
        raise
    sync.report()
    sync.result.row_count = sync.result.counts["imported"]
    return sync.result


def _sync(sync: GmailSync, *, is_full: bool) -> None:
    try:
        is_known = sync.cursor.history_id is not None
        if is_known:
            raw_gmail_history.follow(sync)
            is_compared = is_full and sync.cursor.listing is None
            if is_compared:
                raw_gmail_listing.begin(sync, None)
            raw_gmail_listing.go_on(sync, is_begun_now=is_compared)
    except HistoryExpiredError:
        is_known = False
    if not is_known:
        # Once a run: an id that Gmail gives and then does not know is no reason to list everything over and over.
        raw_gmail_listing.begin(sync, sync.client.profile().history_id)
        raw_gmail_listing.go_on(sync, is_begun_now=True)
    raw_gmail_fetch.fetch_slice(sync)


def _note_sync(connection: Connection, sync: GmailSync) -> None:
    """Say when the mailbox was last in step with its history."""
    if sync.is_up_to_date:
        columns = mailboxes.connections.c
        connection.execute(
            update(mailboxes.connections).where(columns.mailbox_id == sync.step.mailbox_id).values(synced_at=func.now())
        )
