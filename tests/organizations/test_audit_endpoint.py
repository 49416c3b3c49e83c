"""GET /v1/admin/audit: administrators see who did what in their organization, and that they looked is seen as well."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from rl_emails_api.audit.log import View
from rl_emails_api.identity.principal import SCOPES, Principal
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db import audit

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _listed(place, name="olga", **asked):
    return place[name].get("/v1/admin/audit", params=asked).raise_for_status().json()


def _record(place, action, *, at=NOON, who="mia", **more):
    event_id = uuid.uuid4()
    with place.engine.begin() as connection:
        audit.record(
            connection,
            action,
            organization_id=place.organization_id,
            user_id=place.people[who].user_id,
            event_id=event_id,
            **more,
        )
    place.do("update identity.audit_events set created_at = :at where audit_event_id = :id", at=at, id=event_id)
    return str(event_id)


def test_a_view_is_recorded_once_an_hour_for_each_person(place):
    """An administrator who reads everything about everybody and leaves no trace; or a log of its readers alone."""
    for _ in range(3):
        for name in ("olga", "adam"):
            _listed(place, name)
            place[name].get("/v1/admin/status").raise_for_status()
            place[name].get("/v1/admin/dead-letters").raise_for_status()
    seen = place.actions()
    actions = ("audit.viewed", "dead_letters.viewed", "status.viewed")
    assert sorted(seen) == sorted((name, action) for name in ("olga", "adam") for action in actions)
    event = next(each for each in _listed(place)["items"] if each["action"] == "status.viewed")
    assert (event["credential"], event["client"]) == ("api_key", "127.0.0.1")


def test_another_process_records_no_second_view_and_memory_is_bounded(place):
    """Two servers, or one that forgot, would write the same view twice; one that forgets nothing grows for ever."""
    view = View("status.viewed")

    class Asking:
        app, client = type("App", (), {"state": type("State", (), {"engine": place.engine})}), None

        def __init__(self, principal):
            self.state = type("State", (), {"principal": principal})

    def principal(name):
        return Principal(place.people[name].user_id, place.organization_id, "admin", SCOPES, "session")

    for each in (view, View("status.viewed")):
        each(Asking(principal("adam")))
    view._recorded = dict.fromkeys(uuid.uuid4() for _ in range(1000))
    view(Asking(principal("adam")))
    assert place.actions() == [("adam", "status.viewed")]
    assert len(view._recorded) == 1


def test_members_and_other_organizations_see_nothing_of_it(place, make_place):
    """A member who reads who signed in when; or another tenant who does."""
    other = make_place("olga")
    _record(place, "session.created")
    answers = [place[name].get("/v1/admin/audit") for name in ("mia", "max")]
    assert {answer.status_code for answer in answers} == {403}
    assert [each["action"] for each in _listed(other)["items"]] == ["audit.viewed"]
    assert place.actions() == [("mia", "session.created")], "who was refused has viewed nothing"


def test_pages_and_filters(place):
    """A page that repeats or skips events that happened in one moment; a filter that lets others through."""
    ids = {_record(place, "session.created") for _ in range(5)}
    late = _record(place, "session.revoked", at=NOON + timedelta(seconds=1), who="max")
    _record(place, "sessionless.created", at=NOON - timedelta(days=1))
    until = (NOON + timedelta(hours=1)).isoformat()
    found, cursor = [], {}
    while True:
        page = _listed(place, limit=2, until=until, since=NOON.isoformat(), **cursor)
        found += [each["audit_event_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found[0] == late
    assert len(found) == 6
    assert set(found) == {*ids, late}
    assert len(_listed(place, action="session.")["items"]) == 6
    assert [each["audit_event_id"] for each in _listed(place, action="session.revoked")["items"]] == [late]
    assert [each["audit_event_id"] for each in _listed(place, user=place.id_of("max"))["items"]] == [late]
    assert _listed(place, until=NOON.isoformat(), since=(NOON - timedelta(days=2)).isoformat())["items"][0][
        "action"
    ] == ("sessionless.created")


@pytest.mark.parametrize(
    "asked", [{"action": "x"}, {"action": "a.b'"}, {"user": "me"}, {"since": "now"}, {"cursor": "!"}]
)
def test_what_makes_no_sense_is_refused(place, asked):
    """A filter that is not understood and so shows everything."""
    assert place["olga"].get("/v1/admin/audit", params=asked).status_code == 422


@pytest.mark.parametrize(
    "statement", ["update identity.audit_events set action = 'a.b'", "delete from identity.audit_events"]
)
def test_the_api_can_neither_change_nor_delete_what_is_recorded(place, statement):
    """Whoever takes over the API also covers their tracks."""
    _record(place, "session.created")
    owner = Principal(place.people["olga"].user_id, place.organization_id, "owner", SCOPES, "session")
    with pytest.raises(DBAPIError, match="permission denied"), transaction_of(place.engine, owner) as connection:
        connection.exec_driver_sql(statement)
