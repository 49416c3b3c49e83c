"""google-api-python-client on the stand-in, without anything of rl-emails between."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import google.oauth2.credentials
from googleapiclient.discovery import build

from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import GMAIL_MODIFY, User

FULL = "https://mail.google.com/"


@contextmanager
def google_client(gmail: Gmail, user: User, *, scopes: Iterable[str] = (GMAIL_MODIFY, FULL)) -> Iterator[Any]:
    """The client with a grant of the user's, refreshed as it needs, for the length of a block."""
    refresh_token = user.grant(scopes)
    credentials = google.oauth2.credentials.Credentials(
        # Without a token to begin with, a batch would fetch one over a connection that the client never closes.
        gmail.oauth.refresh(refresh_token)["access_token"],
        refresh_token=refresh_token,
        token_uri=f"{gmail.url}/token",
        client_id=gmail.oauth.client_id,
        client_secret=gmail.oauth.client_secret,
    )
    options = {"api_endpoint": gmail.url}
    with build("gmail", "v1", credentials=credentials, client_options=options, static_discovery=True) as service:
        yield service


def batch_of(service: Any, gmail: Gmail, ids: Iterable[str]) -> dict[str, Any]:
    """Raw gets of several messages in one batch: the answer or the error of each, by id."""
    got: dict[str, Any] = {}
    batch = service.new_batch_http_request(callback=lambda key, answer, error: got.update({key: answer or error}))
    # The client sends batches to Google's own host whatever endpoint is set.
    batch._batch_uri = gmail.settings_overrides()["gmail_batch_url"]
    for message_id in ids:
        batch.add(service.users().messages().get(userId="me", id=message_id, format="raw"), request_id=message_id)
    batch.execute()
    return got
