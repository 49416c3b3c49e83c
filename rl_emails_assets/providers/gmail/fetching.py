"""Fetching messages with their bytes: one batch in flight, only failed parts asked for again."""

import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rl_emails_assets.errors import ProviderUnavailableError, RateLimitedError
from rl_emails_assets.providers.gmail import answers
from rl_emails_assets.providers.gmail.answers import Deferred, Outcome, Refused, Vanished
from rl_emails_assets.providers.gmail.batches import LARGEST_BATCH, BatchSize, Part, compose, parts_of
from rl_emails_assets.providers.gmail.faults import Fault, Kind, error_of, fault_of
from rl_emails_assets.providers.gmail.gmail_requests import GmailRequests
from rl_emails_assets.providers.gmail.pacing import LONGEST_WAIT_SECONDS, TRIES, Pacing, PassClock
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.providers.gmail.transport import Transport
from rl_emails_assets.settings import Settings

METHOD = "messages.get"
_NO_BATCHES = frozenset({404, 405, 501})
"""What a host without a batch endpoint answers."""
_BAD_ID = frozenset({"invalidArgument", "INVALID_ARGUMENT"})
_CUT = Fault(Kind.BROKEN, 0, "the batch's answer ended before this part, or holds it in pieces")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one batch came to."""

    outcomes: dict[str, Outcome | Fault]
    """For every id that was asked for."""
    answer_bytes: int = 0
    whole: Fault | None = None
    """Why the batch as a whole failed; None when its parts have answers of their own."""


class RawPass:
    """One pass over some ids."""

    def __init__(
        self,
        settings: Settings,
        requests: GmailRequests,
        transport: Transport,
        quota: QuotaBucket,
        pacing: Pacing,
    ) -> None:
        self._settings = settings
        self._requests = requests
        self._transport = transport
        self._quota = quota
        self._pacing = pacing
        self._has_batches = True
        self._settled: dict[str, Outcome] = {}
        self._failed: dict[str, tuple[int, Fault]] = {}
        """How often an id was asked for in vain, and why the last time."""
        self._unauthorized: set[str] = set()
        """What was refused for the access token, and is asked for with another."""
        self._fresh: deque[str] = deque()
        self._again: deque[str] = deque()

    def fetch(self, ids: Sequence[str]) -> list[Outcome]:
        """The outcomes in the order of `ids`; see GmailClient.get_raw."""
        self._fresh.extend(dict.fromkeys(ids))
        learnt = self._quota.batch_size()
        size = BatchSize(learnt, most=min(LARGEST_BATCH, self._quota.most_calls(METHOD)))
        try:
            self._drain_queue(size)
        finally:
            if size.size != learnt:
                self._quota.keep_batch_size(size.size)
        return [self._settled[provider_message_id] for provider_message_id in ids]

    def _drain_queue(self, size: BatchSize) -> None:
        clock = PassClock()
        failed_in_a_row = 0
        has_paused = False
        while self._fresh or self._again:
            if clock.is_over:
                self._defer_rest("the time of one pass is over", 0.0)
                return
            if not self._fresh and not has_paused:
                self._pacing.pause(max(self._failed[waiting][0] for waiting in self._again))
            batch = self._take(size)
            try:
                self._pacing.pay(self._quota, METHOD, len(batch))
            except RateLimitedError as error:
                self._fresh.extendleft(reversed(batch))
                if not self._settled:
                    raise
                self._defer_rest("the mailbox's quota bucket is empty", error.retry_after_seconds)
                return
            answer = self._ask(batch)
            faults = self._note(answer)
            rate = [fault for fault in faults if fault.is_rate]
            is_all = len(faults) == len(batch)
            failed_in_a_row = failed_in_a_row + 1 if is_all else 0
            retry_after = max((fault.retry_after_seconds for fault in rate), default=0.0)
            if rate:
                self._quota.refused(is_empty=is_all or retry_after > 0, retry_after_seconds=retry_after)
            if rate or is_all:
                size.refused()
            elif len(answer.outcomes) == len(batch) and not faults:
                size.clean(len(batch), answer.answer_bytes)
            if failed_in_a_row >= TRIES or retry_after > LONGEST_WAIT_SECONDS:
                self._give_up(answer, faults[-1], retry_after)
                return
            has_paused = bool(rate) or is_all
            if has_paused and (self._fresh or self._again):
                self._pacing.pause(max(1, failed_in_a_row), retry_after)

    def _take(self, size: BatchSize) -> list[str]:
        source = self._fresh or self._again
        return [source.popleft() for _ in range(min(max(1, size.size), size.most, len(source)))]

    def _note(self, answer: _Answer) -> list[Fault]:
        """Keep what is settled, queue what failed. Returns the faults."""
        faults: list[Fault] = []
        for provider_message_id, outcome in answer.outcomes.items():
            if not isinstance(outcome, Fault):
                self._settled[provider_message_id] = outcome
                continue
            faults.append(outcome)
            tries = self._failed.get(provider_message_id, (0, outcome))[0] + 1
            self._failed[provider_message_id] = (tries, outcome)
            # Nothing was learnt about a message when its batch failed as a whole; the pass gives up on that itself.
            if tries >= TRIES and answer.whole is None:
                self._settled[provider_message_id] = Deferred(
                    provider_message_id, outcome.text, outcome.retry_after_seconds, tries, outcome.is_rate
                )
            else:
                self._again.append(provider_message_id)
        return faults

    def _give_up(self, answer: _Answer, fault: Fault, retry_after: float) -> None:
        if answer.whole is not None and not self._settled:
            raise error_of(answer.whole, METHOD)
        self._defer_rest(fault.text, retry_after)

    def _defer_rest(self, reason: str, retry_after: float) -> None:
        for provider_message_id in self._fresh:
            self._settled[provider_message_id] = Deferred(provider_message_id, reason, retry_after)
        for provider_message_id in self._again:
            tries, fault = self._failed[provider_message_id]
            self._settled[provider_message_id] = Deferred(
                provider_message_id, fault.text, retry_after, tries, fault.is_rate
            )
        self._fresh.clear()
        self._again.clear()

    def _ask(self, batch: list[str]) -> _Answer:
        """Ask for a batch. What was refused for the token is not in the answer but is next, with another token.

        Raises ReconnectNeededError and SettingsError when every message would be refused.
        """
        answer, token = self._answers(batch)
        faults = {each: outcome for each, outcome in answer.outcomes.items() if isinstance(outcome, Fault)}
        expired = [each for each, fault in faults.items() if fault.kind is Kind.TOKEN]
        for each, fault in faults.items():
            if fault.kind in {Kind.GRANT, Kind.PROJECT} or (fault.kind is Kind.TOKEN and each in self._unauthorized):
                raise error_of(fault, METHOD)
        if expired:
            self._transport.renewed(token)
            self._unauthorized.update(expired)
            self._fresh.extendleft(reversed(expired))
            for each in expired:
                del answer.outcomes[each]
        return answer

    def _answers(self, batch: list[str]) -> tuple[_Answer, str]:
        """The answers to one batch, and the token that it was asked for with ("" when there was no answer)."""
        if not self._has_batches or len(batch) == 1:
            return self._one_by_one(batch)
        requests = [urlsplit(self._requests.raw_message(each).uri) for each in batch]
        body, content_type = compose([f"{uri.path}?{uri.query}" for uri in requests], requests[0].netloc)
        try:
            response, content, token = self._transport.request(
                METHOD,
                self._settings.gmail_batch_url,
                "POST",
                body,
                {"content-type": content_type, "user-agent": "rl-emails (gzip)"},
            )
        except ProviderUnavailableError as error:
            return _failed_whole(batch, Fault(Kind.BROKEN, 0, str(error))), ""
        if response.status in _NO_BATCHES:
            log.warning(
                "%s answered a batch with HTTP %s; messages are asked for one by one. Check RL_EMAILS_GMAIL_BATCH_URL.",
                urlsplit(self._settings.gmail_batch_url).netloc,
                response.status,
            )
            self._has_batches = False
            return self._one_by_one(batch)
        if response.status != 200:
            fault = fault_of(response.status, response, content)
            if fault.kind is Kind.REFUSED:
                # A batch may be refused for its number of parts; a smaller one is asked for.
                fault = Fault(Kind.BROKEN, fault.status, fault.reason)
            return _failed_whole(batch, fault), token
        outcomes: dict[str, Outcome | Fault] = dict.fromkeys(batch, _CUT)
        try:
            for part in parts_of(response.get("content-type", ""), content):
                if part.index < len(batch):
                    outcomes[batch[part.index]] = self._outcome(batch[part.index], part)
        except ProviderUnavailableError as error:
            return _failed_whole(batch, Fault(Kind.BROKEN, response.status, str(error))), token
        return _Answer(outcomes, len(content)), token

    def _one_by_one(self, batch: list[str]) -> tuple[_Answer, str]:
        """The same without a batch. After a failure the others are not asked for."""
        outcomes: dict[str, Outcome | Fault] = {}
        answer_bytes, token = 0, ""
        for index, each in enumerate(batch):
            request = self._requests.raw_message(each)
            try:
                response, content, token = self._transport.request(METHOD, request.uri, "GET", None, request.headers)
            except ProviderUnavailableError as error:
                fault = Fault(Kind.BROKEN, 0, str(error))
                return _Answer({**outcomes, **dict.fromkeys(batch[index:], fault)}, answer_bytes, fault), token
            answer_bytes += len(content)
            outcomes[each] = outcome = self._outcome(each, Part(index, response.status, response, content))
            if isinstance(outcome, Fault) and outcome.is_rate:
                return _Answer({**outcomes, **dict.fromkeys(batch[index:], outcome)}, answer_bytes), token
        return _Answer(outcomes, answer_bytes), token

    def _outcome(self, provider_message_id: str, part: Part) -> Outcome | Fault:
        if part.status != 200:
            fault = fault_of(part.status, part.headers, part.content)
            if fault.kind is Kind.GONE:
                return Vanished(provider_message_id)
            if fault.kind is Kind.REFUSED and fault.reason in _BAD_ID:
                return Refused(provider_message_id, f"Gmail does not take it for a message's id ({fault.text}).")
            return fault
        try:
            return answers.message(provider_message_id, json.loads(part.content), self._settings.message_max_bytes)
        except (ValueError, RecursionError):
            return Fault(Kind.BROKEN, part.status, "its answer is not JSON")
        except ProviderUnavailableError as error:
            return Fault(Kind.BROKEN, part.status, str(error))


def _failed_whole(batch: list[str], fault: Fault) -> _Answer:
    return _Answer(dict.fromkeys(batch, fault), whole=fault)
