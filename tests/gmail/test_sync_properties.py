"""Promise 1 for Gmail, over random lives of a mailbox: whatever happens in whichever order, no id is passed unnamed."""

from contextlib import nullcontext

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rl_emails_assets.errors import RlEmailsError
from rl_emails_assets.providers.gmail import gmail_requests
from tests.gmail.sync_mailbox import Box, Interrupted, interrupted_at_commit, old_mail

FAULTS: list[tuple[str, dict[str, object]]] = [
    ("messages.get", {"status": 500}),
    ("messages.get", {"status": 429, "reason": "rateLimitExceeded"}),
    ("messages.get", {"vanish": True}),
    ("messages.get", {"raw": "missing"}),
    ("batch", {"drop_parts": 2}),
    ("batch", {"reset_mid_body": True}),
    ("messages.list", {"status": 503}),
    ("messages.list", {"status": 400, "reason": "invalidArgument"}),
    ("messages.list", {"arrive": 2}),
    ("history.list", {"reset": True}),
    ("history.list", {"empty_page": True}),
    ("history.list", {"replay": True}),
    ("history.list", {"arrive": 1}),
    ("history.list", {"expired": True}),
]

ACTIONS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(1, 6)),
    st.tuples(st.just("delete"), st.integers(0, 30)),
    st.tuples(st.just("relabel"), st.integers(0, 30)),
    st.tuples(st.just("come and go"), st.just(0)),
    st.tuples(st.just("expire"), st.just(0)),
    st.tuples(st.just("fault"), st.integers(0, len(FAULTS) - 1)),
    st.tuples(st.just("sync"), st.integers(0, 14)),
    st.tuples(st.just("sync"), st.integers(0, 14)),
    st.tuples(st.just("full sync"), st.integers(0, 14)),
)


def _act(box: Box, name: str, number: int) -> None:
    keys = sorted(box.user.ids())
    if name == "deliver":
        for each in range(number):
            box.user.deliver(subject=f"Mail {each}")
    elif name == "delete" and keys:
        box.user.delete(*{keys[number % len(keys)], keys[number // 2 % len(keys)]})
    elif name == "relabel" and keys:
        box.user.relabel(keys[number % len(keys)], add=["STARRED"], remove=["UNREAD"])
    elif name == "come and go":
        box.user.add_and_delete(subject="A draft")
    elif name == "expire":
        box.gmail.advance(days=9)
    elif name == "fault":
        method, effects = FAULTS[number]
        box.gmail.faults.next(method, times=1 + number % 5, **effects)
    elif name in {"sync", "full sync"}:
        _sync(box, "full" if name == "full sync" else "partial", number)


def _sync(box: Box, kind: str, fatal_commit: int) -> None:
    """A run that may fail, or be cut off at a commit; 0 and the high numbers let it end."""
    try:
        with interrupted_at_commit(fatal_commit) if fatal_commit else nullcontext():
            box.sync(kind)
    except (RlEmailsError, Interrupted):
        box.execute("delete from sync_queue.requests")
    box.make_due()
    box.execute("delete from mailboxes.quotas")


def _assert_that_no_id_was_passed_unnamed(box: Box) -> None:
    cursors = box.rows("select position from raw.cursors")
    if not cursors or cursors[0]["position"]["history_id"] is None or cursors[0]["position"]["listing"] is not None:
        return
    cursor = int(cursors[0]["position"]["history_id"])
    told_of = {
        change.message_id
        for record in box.user.history.records
        if record.id > cursor
        for change in record.changes
        if change.kind == "messageAdded"
    }
    named = box.stored() | set(box.backlog()) | set(box.gaps())
    assert box.user.ids() - named - told_of == set()


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=st.lists(ACTIONS, min_size=3, max_size=14), is_shifting=st.booleans())
def test_whatever_happens_no_id_is_passed_unnamed_and_in_the_end_all_is_stored(
    box: Box, life: list[tuple[str, int]], is_shifting: bool
) -> None:
    """A cursor that passed an id which is neither stored nor named would lose it without a word."""
    before = gmail_requests.PAGE_SIZE
    try:
        gmail_requests.PAGE_SIZE = 4
        _begin(box, is_shifting)
        for name, number in life:
            _act(box, name, number)
            _assert_that_no_id_was_passed_unnamed(box)
        box.gmail.faults.clear()
        box.settle()
        assert box.stored() | set(box.gaps()) == box.user.ids()
        box.settle("full")
    finally:
        gmail_requests.PAGE_SIZE = before
    assert box.stored() == box.user.ids()
    assert box.labels() == box.true_labels()
    assert box.gaps() == {}


def _begin(box: Box, is_shifting: bool) -> None:
    box.gmail.faults.clear()
    box.gmail.pages_shift = is_shifting
    box.forget()
    for statement in ("delete from mailboxes.quotas", "delete from sync_queue.requests"):
        box.execute(statement)
    box.settings = box.settings.model_copy(update={"gmail_batch_size": 3, "gmail_slice_messages": 8})
    if box.user.ids():
        box.user.delete(*box.user.ids())
    box.user.fill(old_mail(9))
    box.user.fill(old_mail(4, days=3, label="STARRED"))


def test_the_faults_are_ones_that_the_stand_in_has(box: Box) -> None:
    """A misspelt fault would test nothing."""
    for method, effects in FAULTS:
        box.gmail.faults.next(method, **effects)
