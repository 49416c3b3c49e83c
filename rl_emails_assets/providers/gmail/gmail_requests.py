"""Gmail's methods as requests, made by google-api-python-client of the API description that it carries."""

from functools import cache
from typing import Any

import httplib2

from rl_emails_assets.errors import SettingsError

PAGE_SIZE = 500
"""The largest page of listings and of history."""


class GmailRequests:
    """Makes requests; sends nothing. `userId` is `me`, the mailbox that the access token belongs to."""

    def __init__(self, api_url: str) -> None:
        """Raises SettingsError when the installed client library does not know Gmail."""
        # Its import takes 0.4 s, which a process that never asks Gmail does not spend.
        from googleapiclient import discovery, discovery_cache  # type: ignore[import-untyped]  # noqa: PLC0415

        description = discovery_cache.get_static_doc("gmail", "v1")
        if description is None:
            raise SettingsError(
                "The installed google-api-python-client does not describe Gmail. Install rl-emails again."
            )
        # The endpoint given here is used for every method; batches have none and are sent by fetching.py.
        gmail = discovery.build_from_document(
            description, http=httplib2.Http(), client_options={"api_endpoint": api_url.rstrip("/") + "/"}
        )
        self._users: Any = gmail.users()
        self._messages: Any = self._users.messages()

    def profile(self) -> Any:
        """users.getProfile."""
        return self._users.getProfile(userId="me")

    def listing(self, page_token: str | None, query: str, label: str) -> Any:
        """users.messages.list, spam and trash included."""
        return self._messages.list(
            userId="me",
            maxResults=PAGE_SIZE,
            includeSpamTrash=True,
            pageToken=page_token,
            q=query or None,
            labelIds=[label] if label else None,
        )

    def history(self, start_history_id: int, page_token: str | None) -> Any:
        """users.history.list, with every kind of change."""
        return self._users.history().list(
            userId="me", startHistoryId=str(start_history_id), maxResults=PAGE_SIZE, pageToken=page_token
        )

    def raw_message(self, provider_message_id: str) -> Any:
        """users.messages.get with the bytes."""
        return self._messages.get(userId="me", id=provider_message_id, format="raw")

    def labels(self) -> Any:
        """users.labels.list."""
        return self._users.labels().list(userId="me")

    def watch(self, topic: str) -> Any:
        """users.watch, of every label."""
        return self._users.watch(userId="me", body={"topicName": topic})

    def stop(self) -> Any:
        """users.stop."""
        return self._users.stop(userId="me")


@cache
def gmail_requests(api_url: str) -> GmailRequests:
    """The requests to one endpoint, described once a process."""
    return GmailRequests(api_url)
