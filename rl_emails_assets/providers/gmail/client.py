"""Everything a sync asks of Gmail.

A call pays its quota units first, is repeated a few times when it fails for a while, and then raises; the queue of sync
requests repeats the rest. Every host is a setting, and nothing is looked up elsewhere.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rl_emails_assets.errors import (
    HistoryExpiredError,
    ProviderUnavailableError,
    RateLimitedError,
    RlEmailsError,
    SettingsError,
)
from rl_emails_assets.providers.gmail import answers
from rl_emails_assets.providers.gmail.faults import Kind, error_of, fault_of
from rl_emails_assets.providers.gmail.fetching import RawPass
from rl_emails_assets.providers.gmail.gmail_requests import gmail_requests
from rl_emails_assets.providers.gmail.pacing import LONGEST_WAIT_SECONDS, TRIES, Pacing, PassClock
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.providers.gmail.transport import Tokens, Transport
from rl_emails_assets.settings import Settings

T = TypeVar("T")


class GmailClient:
    """One mailbox's Gmail, for one run; not to be shared by threads. `close` it, or use it as a context manager.

    Any method may raise
    * ReconnectNeededError: the grant is gone or too narrow; nothing but its owner helps.
    * RateLimitedError: Gmail refuses, or the quota bucket would be waited for longer than 20 s; end the slice and come
      back after `retry_after_seconds`.
    * ProviderUnavailableError: Gmail cannot be reached, failed, or answered nonsense, four times.
    * SettingsError: the Google Cloud project may not use Gmail, or a proxy or CA bundle is wrong.
    * SourceError: Gmail refused the call for good, for instance a page token that it no longer knows.
    * NotFoundError: the mailbox was erased meanwhile.
    """

    def __init__(self, settings: Settings, tokens: Tokens, quota: QuotaBucket, *, pacing: Pacing | None = None) -> None:
        """Connects nothing yet. Raises SettingsError when the CA bundle cannot be used."""
        self._settings = settings
        self._quota = quota
        self._pacing = pacing or Pacing()
        self._transport = Transport(tokens, settings.ca_bundle)
        self._requests = gmail_requests(settings.gmail_api_url)

    def __enter__(self) -> "GmailClient":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the connection to Gmail. A later call opens another."""
        self._transport.close()

    def profile(self) -> answers.Profile:
        """The mailbox's address and its state now. A full sync asks for it first."""
        return self._call("getProfile", self._requests.profile(), answers.profile)

    def list_ids(self, *, page_token: str | None = None, query: str = "", label: str = "") -> answers.ListedPage:
        """A page of 500 ids at most, newest first, with those in spam and trash.

        `query` is in Gmail's search language, `label` a label's id.
        """
        return self._call("messages.list", self._requests.listing(page_token, query, label), answers.listed_page)

    def history(self, start_history_id: int, *, page_token: str | None = None) -> answers.HistoryPage:
        """A page of what changed after `start_history_id`, oldest first.

        Raises HistoryExpiredError when Gmail no longer knows that far back; a full sync follows.
        """
        return self._call("history.list", self._requests.history(start_history_id, page_token), answers.history_page)

    def get_raw(self, ids: Sequence[str]) -> list[answers.Outcome]:
        """The messages of these ids with their bytes, one outcome an id and in the order asked.

        One pass, in batches whose size adapts: only failed parts are asked for again, four times at most. What still
        failed, and what the pass had no units or no time for (about half a minute), is Deferred; `tries` tells the one
        from the other. Raises what every method raises only when nothing at all could be had for a reason that is
        not a message's own, or when the grant or the project is at fault.
        """
        one_pass = RawPass(self._settings, self._requests, self._transport, self._quota, self._pacing)
        return one_pass.fetch(ids)

    def labels(self) -> dict[str, str]:
        """The mailbox's labels: names by id."""
        return self._call("labels.list", self._requests.labels(), answers.labels)

    def watch(self, topic: str) -> answers.WatchGrant:
        """Make or renew the mailbox's watch: Gmail publishes changes to the topic until it expires.

        Raises SettingsError when Gmail cannot publish to the topic.
        """
        return self._call("watch", self._requests.watch(topic), answers.watch_grant)

    def stop_watch(self) -> None:
        """End the mailbox's watch; without one nothing happens."""
        self._call("stop", self._requests.stop(), lambda _: None)

    def _call(self, method: str, request: Any, read: Callable[[Any], T]) -> T:
        clock = PassClock()
        failures = 0
        while True:
            self._pacing.pay(self._quota, method)
            try:
                return read(self._once(method, request))
            except ProviderUnavailableError as error:
                failures += 1
                retry_after = 0.0
                if isinstance(error, RateLimitedError):
                    retry_after = error.retry_after_seconds
                    self._quota.refused(is_empty=True, retry_after_seconds=retry_after)
                if failures >= TRIES or clock.is_over or retry_after > LONGEST_WAIT_SECONDS:
                    raise
            self._pacing.pause(failures, retry_after)

    def _once(self, method: str, request: Any) -> Any:
        from googleapiclient.errors import HttpError  # type: ignore[import-untyped]  # noqa: PLC0415 - as in gmail_requests.py

        try:
            return request.execute(http=self._transport.asking(method))
        except HttpError as error:
            raise _refused(method, error.resp, error.content) from None


def _refused(method: str, response: Any, content: bytes) -> RlEmailsError:
    fault = fault_of(response.status, response, content)
    if method == "history.list" and fault.kind is Kind.GONE:
        return HistoryExpiredError(
            "Gmail no longer knows the history since the mailbox's cursor (HTTP 404). A full sync follows."
        )
    if method == "watch" and (fault.kind in {Kind.GONE, Kind.REFUSED} or fault.reason == "forbidden"):
        return SettingsError(
            f"Gmail answered watch with {fault.text}: it cannot publish to the topic. Check RL_EMAILS_GMAIL_TOPIC, and "
            "that gmail-api-push@system.gserviceaccount.com may publish to it; mail is polled for until then."
        )
    return error_of(fault, method)
