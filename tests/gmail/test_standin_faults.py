"""The stand-in's quota, batches and faults: refused, broken off and cut short the way Gmail's answers are."""

import json
import re
import threading
import time

import httpx
import pytest
from googleapiclient.errors import HttpError

from tests.gmail.standin.client import batch_of, google_client
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import serving


@pytest.fixture
def service(gmail, owner):
    """The client, allowed everything."""
    with google_client(gmail, owner) as made:
        yield made


@pytest.fixture
def ask(gmail, owner):
    """A bare GET of the API: `ask("profile")`."""
    headers = {"Authorization": f"Bearer {owner.access_token()}"}
    with httpx.Client(base_url=f"{gmail.url}/gmail/v1/users/me/", headers=headers, timeout=10) as client:
        yield client.get


class TestQuota:
    """Units in a sliding minute."""

    def test_calls_cost_and_the_minute_passes(self, gmail, owner, service):
        gmail.quota.units_per_minute = 6_000
        message_id = owner.deliver()
        messages = service.users().messages()
        for _ in range(300):
            messages.get(userId="me", id=message_id, format="minimal").execute()
        assert gmail.calls.units(owner.address) == 6_000
        with pytest.raises(HttpError) as error:
            service.users().labels().list(userId="me").execute()
        body = json.loads(error.value.content)["error"]
        assert error.value.resp.status in {403, 429}
        assert body["errors"][0]["reason"] in {"rateLimitExceeded", "userRateLimitExceeded"}
        gmail.advance(seconds=61)
        assert service.users().labels().list(userId="me").execute()["labels"]

    def test_refusals_come_in_every_form_and_seldom_say_when_to_return(self, gmail, ask):
        gmail.quota.units_per_minute = 0
        answers = [ask("profile") for _ in range(200)]
        errors = [answer.json()["error"] for answer in answers]
        forms = {(e["code"], e["errors"][0]["reason"], e["errors"][0]["domain"]) for e in errors}
        assert forms == {
            (403, "rateLimitExceeded", "usageLimits"),
            (403, "userRateLimitExceeded", "usageLimits"),
            (429, "rateLimitExceeded", "global"),
        }
        assert 0 < sum("retry-after" in answer.headers for answer in answers) < 100
        assert gmail.calls.units() == 0

    @pytest.mark.parametrize(("style", "status"), [("403", 403), ("429", 429)])
    def test_one_form_only(self, gmail, ask, style, status):
        gmail.quota.units_per_minute = 0
        gmail.quota.style = style
        assert {ask("profile").status_code for _ in range(20)} == {status}

    def test_the_project_has_a_limit_of_its_own(self, gmail, ask):
        gmail.quota.project_units_per_minute = 1
        assert ask("profile").status_code == 200
        assert "per user" not in ask("profile").json()["error"]["message"]
        gmail.quota.reset()
        assert ask("profile").status_code == 200

    def test_too_many_at_once(self, gmail, ask):
        """All clients of a mailbox share the limit."""
        gmail.quota.concurrent_requests = 2
        gmail.faults.next("getProfile", times=2, delay=30)
        waiting = [threading.Thread(target=ask, args=("profile",)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        answer, deadline = ask("labels"), time.monotonic() + 30
        while answer.status_code == 200 and time.monotonic() < deadline:
            answer = ask("labels")
        assert answer.json()["error"]["message"] == "Too many concurrent requests for user"
        gmail.close()
        for thread in waiting:
            thread.join()


class TestBatch:
    """Several calls in one request."""

    def test_parts_are_told_apart_in_any_order(self, gmail, owner, service):
        ids = [owner.deliver() for _ in range(25)]
        owner.delete(ids[3])
        got = batch_of(service, gmail, ids)
        assert got.pop(ids[3]).resp.status == 404
        assert {key: answer["id"] for key, answer in got.items()} == {key: key for key in ids if key != ids[3]}
        assert gmail.calls.count("batch") == 1
        assert [call.argument for call in gmail.calls.of("messages.get")] == ids
        assert gmail.calls.units() == 25 * 20

    def test_a_large_batch_is_refused_in_part(self, gmail, owner, service):
        """A 200 outside says nothing about the parts."""
        ids = [owner.deliver() for _ in range(100)]
        got = batch_of(service, gmail, ids)
        refused = [key for key, answer in got.items() if isinstance(answer, HttpError)]
        assert 50 <= len(refused) <= 75
        assert {got[key].resp.status for key in refused} == {429}
        assert gmail.calls.of("batch")[0].status == 200

    def test_more_than_a_hundred_parts_are_refused_as_a_whole(self, gmail, owner, service):
        with pytest.raises(HttpError, match=r"Inner request count exceeds the limit. Received: 101, Limit: 100"):
            batch_of(service, gmail, [f"{number:x}" for number in range(101)])
        assert gmail.calls.count("messages.get", address=owner.address) == 0

    def test_each_part_meets_quota_and_faults(self, gmail, owner, service):
        ids = [owner.deliver() for _ in range(6)]
        gmail.quota.units_per_minute = 80
        gmail.faults.next("messages.get", status=503, after=1)
        gmail.faults.next("messages.get", vanish=True)
        got = batch_of(service, gmail, ids)
        assert [got[key].resp.status for key in ids[:2]] == [404, 503]
        assert [got[key]["id"] for key in ids[2:5]] == ids[2:5]
        assert got[ids[5]].resp.status in {403, 429}
        assert ids[0] not in owner.ids()

    def test_what_is_no_batch(self, gmail, owner):
        headers = {"Authorization": f"Bearer {owner.access_token()}", "Content-Type": "multipart/mixed; boundary=x"}
        for content in (b"", b"--x\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--x--\r\n"):
            answer = httpx.post(gmail.settings_overrides()["gmail_batch_url"], headers=headers, content=content)
            assert answer.status_code == 400

    def test_parts_can_be_missing_and_answers_cut(self, gmail, owner, service):
        ids = [owner.deliver() for _ in range(10)]
        gmail.faults.next("batch", drop_parts=2)
        with pytest.raises(KeyError):  # What the client does about a part that never came.
            batch_of(service, gmail, ids)
        url = gmail.settings_overrides()["gmail_batch_url"]
        body = b"".join(
            b"--x\r\nContent-Type: application/http\r\nContent-ID: <u + %d>\r\n\r\n"
            b"GET /gmail/v1/users/me/messages/%s?format=raw HTTP/1.1\r\n\r\n" % (number, key.encode())
            for number, key in enumerate(ids)
        )
        headers = {"Authorization": f"Bearer {owner.access_token()}", "Content-Type": "multipart/mixed; boundary=x"}
        orders = []
        for gmail.shuffle_parts in (True, False):
            whole = httpx.post(url, headers=headers, content=body + b"--x--\r\n").text
            orders.append([int(number) for number in re.findall(r"<response-u \+ (\d+)>", whole)])
        assert orders[0] != orders[1] == sorted(orders[0]) == list(range(10))
        gmail.faults.next("batch", truncate=True)
        cut = httpx.post(url, headers=headers, content=body + b"--x--\r\n").text
        assert "<response-u + 0>" in cut
        assert "<response-u + 9>" not in cut
        for effect in ({"reset": True}, {"reset_after": True}, {"reset_mid_body": True}):
            gmail.faults.next("batch", **effect)
            with pytest.raises(httpx.TransportError):
                httpx.post(url, headers=headers, content=body + b"--x--\r\n")
        gmail.faults.next("batch", revoke=True)
        assert httpx.post(url, headers=headers, content=body + b"--x--\r\n").text.count("HTTP/1.1 401") == 10
        gmail.faults.next("batch", status=429, reason="concurrent")
        assert httpx.post(url, headers=headers, content=body + b"--x--\r\n").status_code == 429


class TestFaults:
    """Answers that are wrong on purpose."""

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
    def test_statuses_have_googles_bodies(self, gmail, ask, status):
        gmail.faults.next("getProfile", status=status, retry_after=7, times=1)
        answer = ask("profile")
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
        assert answer.json()["error"]["errors"][0]["message"]
        assert answer.headers.get("retry-after") == (None if status == 401 else "7")
        assert ask("profile").status_code == 200

    def test_a_page_instead_of_json(self, gmail, ask):
        gmail.faults.next("getProfile", status=502, html=True)
        answer = ask("profile")
        assert (answer.status_code, answer.text[:9]) == (502, "<!DOCTYPE")

    def test_reasons_that_are_no_rate_limit(self, gmail, ask):
        gmail.faults.next("getProfile", status=403, reason="domainPolicy")
        assert ask("profile").json()["error"]["status"] == "PERMISSION_DENIED"
        gmail.faults.next("getProfile", status=403, reason="dailyLimitExceeded")
        assert ask("profile").json()["error"]["errors"][0]["reason"] == "dailyLimitExceeded"

    @pytest.mark.parametrize(
        "effect", [{"reset": True}, {"reset_after": True}, {"reset_mid_body": True}, {"hang": 0.01}]
    )
    def test_connections_break(self, gmail, ask, effect):
        """A reset before, after and within the answer; silence that ends in one."""
        gmail.faults.next("getProfile", **effect)
        with pytest.raises(httpx.TransportError):
            ask("profile")
        assert ask("profile").status_code == 200
        was_done = 1 if effect in ({"reset_after": True}, {"reset_mid_body": True}) else 0
        assert gmail.calls.of("getProfile")[0].units == was_done

    def test_half_an_answer(self, gmail, ask):
        gmail.faults.next("getProfile", truncate=True)
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            ask("profile").json()

    def test_a_grant_revoked_under_way(self, gmail, ask):
        gmail.faults.next("getProfile", revoke=True)
        assert [ask("profile").status_code for _ in range(2)] == [401, 401]

    def test_a_raw_that_is_broken_once(self, gmail, owner, service):
        message_id = owner.deliver()
        gmail.faults.next("messages.get", raw="missing")
        got = [service.users().messages().get(userId="me", id=message_id, format="raw").execute() for _ in range(2)]
        assert ["raw" in answer for answer in got] == [False, True]

    def test_aimed_and_counted(self, gmail, owner, ask):
        gmail.add_user("other@example.org")
        gmail.faults.next("*", status=500, address="other@example.org")
        fault = gmail.faults.next("labels.*", status=500, after=2, times=2)
        assert [ask("labels").status_code for _ in range(5)] == [200, 200, 500, 500, 200]
        assert fault.hit_count == 2
        gmail.faults.clear()
        with google_client(gmail, gmail.users["other@example.org"]) as other:
            assert other.users().getProfile(userId="me").execute()
        assert owner.address == "owner@example.org"

    def test_a_mistyped_effect_is_an_error(self, gmail):
        """Otherwise a test of a fault would pass without any."""
        for effects in ({}, {"stauts": 500}):
            with pytest.raises(ValueError, match="Not an effect"):
                gmail.faults.next("getProfile", **effects)

    def test_chance_repeats_with_its_seed(self):
        seen = []
        for _ in range(2):
            with serving(Gmail(seed=7)) as gmail:
                headers = {"Authorization": f"Bearer {gmail.add_user('a@example.org').access_token()}"}
                gmail.faults.sometimes("getProfile", 0.5, status=503)
                with httpx.Client(base_url=gmail.url, headers=headers) as client:
                    seen.append([client.get("/gmail/v1/users/me/profile").status_code for _ in range(40)])
        assert seen[0] == seen[1]
        assert 5 < seen[0].count(503) < 35

    def test_the_token_endpoint_has_faults_too(self, gmail, owner):
        url = gmail.settings_overrides()["google_token_url"]
        form = {
            "client_id": gmail.oauth.client_id,
            "client_secret": gmail.oauth.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": owner.grant(),
        }
        gmail.faults.next("token", status=503)
        assert httpx.post(url, data=form).status_code == 503
        gmail.faults.next("token", reset_after=True)
        with pytest.raises(httpx.TransportError):
            httpx.post(url, data=form)
        gmail.faults.next("token", revoke=True)
        assert httpx.post(url, data=form).json()["error"] == "invalid_grant"
        assert [call.status for call in gmail.calls.of("token")] == [503, 0, 400]
