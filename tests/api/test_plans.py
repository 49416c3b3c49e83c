"""The cost of a page of the inbox does not grow with the mailbox."""

import uuid
from datetime import UTC, datetime, timedelta

import many
import pytest
from sqlalchemy import event, text

from rl_emails_api.inbox import queries

COUNT = 6000
NEWEST_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def plans_of(shared_server):
    """Runs a query on a large mailbox, all in one transaction that is rolled back, and returns its plan's nodes."""
    with shared_server.engine.connect() as connection:
        mailbox_id = many.fill(connection, COUNT)

        def run(ask):
            statements = []

            def keep(_connection, _cursor, statement, parameters, *_rest):
                statements.append((statement, parameters))

            event.listen(connection, "before_cursor_execute", keep)
            rows = ask(connection, mailbox_id)
            event.remove(connection, "before_cursor_execute", keep)
            ((statement, parameters),) = statements
            explained = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", parameters).scalar()
            return rows, list(_nodes(explained[0]["Plan"]))

        yield run
        connection.rollback()


def _nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _touched(nodes, relation):
    """Rows of a relation that were read, loops and filtered ones included."""
    return sum(
        (each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"]
        for each in nodes
        if each.get("Relation Name") == relation
    )


DEEP = (0.3, NEWEST_AT, uuid.UUID(int=0))


@pytest.mark.parametrize("after", [None, DEEP])
def test_a_page_by_priority_walks_its_index(plans_of, after):
    """A page that sorts the whole mailbox, and gets slower with every message that arrives."""
    filters = queries.Filters()
    rows, nodes = plans_of(lambda connection, mailbox: queries.by_priority(connection, mailbox, filters, after, 51))
    assert len(rows) == 51
    assert [row["priority"] for row in rows] == sorted((row["priority"] for row in rows), reverse=True)
    assert "ix_priorities_messages_inbox" in {each.get("Index Name") for each in nodes}
    assert _touched(nodes, "messages") < COUNT / 3
    assert _touched(nodes, "labels") < COUNT / 3


def test_a_page_by_date_walks_its_index(plans_of):
    """As above, in the other order, with a window."""
    filters = queries.Filters(since=NEWEST_AT - timedelta(days=30))
    rows, nodes = plans_of(lambda connection, mailbox: queries.by_date(connection, mailbox, filters, None, 51))
    assert len(rows) == 51
    assert "ix_mail_messages_mailbox_id_received_at" in {each.get("Index Name") for each in nodes}
    assert _touched(nodes, "messages") < COUNT / 3


def test_pending_is_counted_once_over_the_mailbox(plans_of):
    """A count that looks at every pair of rows, or reads a text."""
    _, nodes = plans_of(queries.pending_count)
    assert _touched(nodes, "messages") <= 3 * COUNT


def test_nothing_of_it_is_left(shared_server, plans_of):
    """This test's mailbox beside the seeded one, where a test needs that there is one."""
    with shared_server.engine.connect() as connection:
        assert connection.execute(text("select count(*) from mailboxes.connections")).scalar() == 1
