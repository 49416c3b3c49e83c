"""The full sync of a Gmail mailbox: everything it holds, listed page by page, over as many runs as that takes.

Each page is one transaction with its page token, so a run that ends continues at the next page. The phases:

1. `recent` lists the newest month into the backlog, so that it is fetched first. A consistency sync, of a mailbox whose
   history cursor works, goes without.
2. `everything` lists all ids into raw.listings, and what is not stored into the backlog. A listing that shifts while it
   is read, because messages are deleted, may skip ids: if the history tells of deletions since the pass began, another
   pass follows, MOST_PASSES at most. Then what was stored before and was not listed, and the older gaps, are asked for
   again: the answer decides whether a message is gone.
3. `labels` lists the ids of each label; stored messages whose labels differ are asked for again. A first sync, which
   fetches every message with its labels, goes without.

Nothing is removed, and no label changed, because it is missing in a listing: only a 404, a record of the history, or a
fetched message's own labels do that. So a listing that is out of date, shifted or cut costs calls, never mail.
"""

from sqlalchemy import Connection, delete, func, select, text

from rl_emails_assets.db.tables import raw
from rl_emails_assets.errors import SourceError
from rl_emails_assets.providers.gmail.answers import ListedPage
from rl_emails_assets.steps import raw_gmail_backlog as backlog
from rl_emails_assets.steps import raw_gmail_history as history
from rl_emails_assets.steps.raw_gmail_cursor import EVERYTHING, LABELS, RECENT, Change, Cursor, GmailSync, Listing

RECENT_QUERY = "newer_than:31d"
MOST_PASSES = 3
PAGES_A_RUN = 60
"""Pages of 500 ids that one run reads before it fetches some of them: 300 units, of 6,000 a minute."""
UNLISTED_LABELS = frozenset({"CHAT"})
"""Gmail's chats have ids that no listing of messages has."""


def begin(sync: GmailSync, history_id: int | None) -> None:
    """Begin a full sync. With `history_id`, the cursor moves to it in the same transaction, and the listing covers what
    the cursor passes; without, the cursor is as good as new and stays."""
    mailbox_id = sync.step.mailbox_id
    with sync.transaction() as (connection, change):
        query = select(func.coalesce(func.max(raw.messages.c.seq), 0)).where(raw.messages.c.mailbox_id == mailbox_id)
        before_seq = connection.execute(query).scalar_one()
        _empty(connection, sync)
        change.begins_listing = True
        if history_id is not None:
            change.cursor.history_id = history_id
        change.cursor.listing = Listing(EVERYTHING if history_id is None else RECENT, before_seq)


def go_on(sync: GmailSync, *, is_begun_now: bool) -> None:
    """Continue the full sync under way, if there is one, for PAGES_A_RUN pages.

    The run that begins it (`is_begun_now`) lists no more than it needs to have recent mail to fetch.
    """
    for _ in range(PAGES_A_RUN):
        listing = sync.cursor.listing
        if listing is None:
            return
        is_after_a_page = listing.page_count > 0 or listing.phase == EVERYTHING
        if is_begun_now and is_after_a_page and _is_enough(sync):
            return
        if listing.phase == RECENT:
            _recent_page(sync)
        elif listing.phase == EVERYTHING:
            _page_of_everything(sync)
        else:
            _page_of_label(sync, listing.labels_left)


def _is_enough(sync: GmailSync) -> bool:
    with sync.step.engine.connect() as connection:
        query = select(func.count()).select_from(raw.backlog).where(raw.backlog.c.mailbox_id == sync.step.mailbox_id)
        return connection.execute(query).scalar_one() >= sync.step.settings.gmail_slice_messages


def _page(sync: GmailSync, *, query: str = "", label: str = "") -> ListedPage | None:
    """The listing's next page. None when Gmail does not accept its token any more; then the pass begins again, once."""
    listing = _listing(sync.cursor)
    try:
        return sync.client.list_ids(page_token=listing.page_token, query=query, label=label)
    except SourceError:
        if listing.page_token is None or sync.has_turned_back:
            raise
    sync.has_turned_back = True
    with sync.transaction() as (_, change):
        _turn(_listing(change.cursor), None)
    return None


def _listing(cursor: Cursor) -> Listing:
    if cursor.listing is None:
        raise ValueError("No full sync is under way.")
    return cursor.listing


def _turn(listing: Listing, token: str | None) -> None:
    """To the next page, or, without a token, to the beginning of a pass."""
    listing.page_token = token
    listing.page_count = 0 if token is None else listing.page_count + 1


def _recent_page(sync: GmailSync) -> None:
    page = _page(sync, query=RECENT_QUERY)
    if page is None:
        return
    with sync.transaction() as (connection, change):
        found = [(item.provider_message_id, item.provider_thread_id) for item in page.items]
        backlog.add(connection, sync.step.mailbox_id, found, found_by="recent")
        listing = _listing(change.cursor)
        _turn(listing, page.next_page_token)
        if page.next_page_token is None:
            listing.phase, listing.deleted_count = EVERYTHING, 0


def _page_of_everything(sync: GmailSync) -> None:
    page = _page(sync)
    if page is None:
        return
    if page.next_page_token is None and sync.cursor.history_id is not None:
        # What was deleted while the listing was read is known before the pass is judged.
        history.follow(sync)
    with sync.transaction() as (connection, change):
        _remember(connection, sync, page)
        listing = _listing(change.cursor)
        was_one_page = listing.page_count == 0
        _turn(listing, page.next_page_token)
        if page.next_page_token is None:
            listing.pass_count += 1
            if listing.deleted_count == 0 or was_one_page or listing.pass_count >= MOST_PASSES:
                _reconcile(connection, sync, change)
            listing.deleted_count = 0


def _remember(connection: Connection, sync: GmailSync, page: ListedPage) -> None:
    mailbox_id = sync.step.mailbox_id
    found = {item.provider_message_id: item.provider_thread_id for item in page.items}
    connection.execute(
        text(
            "insert into raw.listings (mailbox_id, provider_message_id) "
            "select :mailbox_id, l.id from unnest(cast(:ids as text[])) as l(id) on conflict do nothing"
        ),
        {"mailbox_id": mailbox_id, "ids": list(found)},
    )
    backlog.add(connection, mailbox_id, found.items(), found_by="listing")


def _reconcile(connection: Connection, sync: GmailSync, change: Change) -> None:
    """Everything is listed: ask again for what is not, then compare labels, or end."""
    listing = _listing(change.cursor)
    backlog.add_unlisted(connection, sync.step.mailbox_id, listing.before_seq)
    backlog.add_gaps(connection, sync.step.mailbox_id)
    _empty(connection, sync)
    listing.phase, listing.page_token, listing.page_count = LABELS, None, 0
    if listing.before_seq == 0:
        change.cursor.listing = None


def _page_of_label(sync: GmailSync, labels_left: list[str]) -> None:
    if not labels_left:
        _choose_labels(sync)
        return
    label = labels_left[0]
    try:
        page = _page(sync, label=label)
    except SourceError:
        if label in sync.client.labels():
            raise
        # It was deleted since, and no message has it any more.
        page = ListedPage([], None, 0)
    if page is None:
        return
    with sync.transaction() as (connection, change):
        _remember(connection, sync, page)
        listing = _listing(change.cursor)
        _turn(listing, page.next_page_token)
        if page.next_page_token is None:
            backlog.add_mislabelled(connection, sync.step.mailbox_id, sync.name_of(label))
            _empty(connection, sync)
            listing.labels_left = listing.labels_left[1:]
            if not listing.labels_left:
                change.cursor.listing = None


def _choose_labels(sync: GmailSync) -> None:
    sync.ask_names()
    labels = sorted(set(sync.client.labels()) - UNLISTED_LABELS)
    with sync.transaction() as (_, change):
        _listing(change.cursor).labels_left = labels


def _empty(connection: Connection, sync: GmailSync) -> None:
    connection.execute(delete(raw.listings).where(raw.listings.c.mailbox_id == sync.step.mailbox_id))
