"""What a refusal of Gmail's means, and what follows from it.

The reasons are those of Gmail's error guide ("Resolve errors", April 2026); the newer form of Google's errors names
them in `details`. Only a reason's code is repeated in a message: free text of the provider's may hold an address.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from rl_emails_assets.errors import (
    ProviderUnavailableError,
    RateLimitedError,
    ReconnectNeededError,
    RlEmailsError,
    SettingsError,
    SourceError,
)

DAILY_PAUSE_SECONDS = 900.0
"""A daily limit does not say when it ends; asking every quarter of an hour costs nothing."""
LONGEST_PAUSE_SECONDS = 24 * 3600.0

_DAILY = frozenset({"dailyLimitExceeded", "dailyLimitExceededUnreg", "quotaExceeded"})
_RATE = frozenset({"userRateLimitExceeded", "rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
_PROJECT = frozenset({
    "accessNotConfigured", "SERVICE_DISABLED", "API_KEY_SERVICE_BLOCKED", "CONSUMER_SUSPENDED", "projectSuspended",
})  # fmt: skip
_STATE = frozenset({"failedPrecondition", "FAILED_PRECONDITION"})
"""Status 400 for the mailbox's state, not for the call: it passes, or the queue's tries end."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_RETRY_AFTER = re.compile(r"[Rr]etry after (\d{4}-\d\d-\d\dT[\d:.]+Z)")


class Kind(StrEnum):
    """Why a call was refused."""

    TOKEN = "token"  # noqa: S105 - the access token is not accepted
    GRANT = "grant"
    RATE = "rate"
    DAY = "day"
    PROJECT = "project"
    GONE = "gone"
    BROKEN = "broken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused call."""

    kind: Kind
    status: int
    """Of HTTP; 0 when there was no answer."""
    reason: str
    """The provider's code for it, or words of ours; never free text of the provider's."""
    retry_after_seconds: float = 0.0
    """What the provider asked for; 0 where it did not say."""

    @property
    def is_rate(self) -> bool:
        """Whether less should be asked for."""
        return self.kind in {Kind.RATE, Kind.DAY}

    @property
    def text(self) -> str:
        """For a person: the status and the reason."""
        return f"HTTP {self.status}, {self.reason}" if self.status else self.reason


def fault_of(status: int, headers: Mapping[str, str], content: bytes) -> Fault:
    """The meaning of an answer that is not a success. `headers` have lower-case names."""
    error = _error_object(content)
    reasons = list(_reasons(error))
    reason = next((code for code in reasons if code in _DAILY | _RATE | _PROJECT), next(iter(reasons), ""))
    kind = _kind(status, reason)
    return Fault(kind, status, reason or "no reason given", _retry_after(kind, headers, error))


def _kind(status: int, reason: str) -> Kind:
    if status == 401:
        return Kind.TOKEN
    if status in {403, 429}:
        if reason in _DAILY:
            return Kind.DAY
        if status == 429 or reason in _RATE:
            return Kind.RATE
        # Whatever else is forbidden (a scope, a delegation, a policy), only people can allow.
        return Kind.PROJECT if reason in _PROJECT else Kind.GRANT
    if status == 404:
        return Kind.GONE
    if status >= 500 or status == 408 or status < 400 or reason in _STATE:
        return Kind.BROKEN
    return Kind.REFUSED


def error_of(fault: Fault, method: str) -> RlEmailsError:
    """The exception for a whole call of `method` that was refused."""
    came = f"Gmail answered {method} with {fault.text}"
    match fault.kind:
        case Kind.TOKEN:
            return ReconnectNeededError(f"{came}, also with a fresh access token. Connect the mailbox again.")
        case Kind.GRANT:
            return ReconnectNeededError(
                f"{came}: the grant does not allow it. Connect the mailbox again and tick every permission asked for; "
                "if the reason is domainPolicy, ask the domain's administrator to allow the app."
            )
        case Kind.PROJECT:
            return SettingsError(
                f"{came}: the Google Cloud project may not use the Gmail API. Enable the API in the project of "
                "RL_EMAILS_GOOGLE_CLIENT_ID, then sync again."
            )
        case Kind.RATE | Kind.DAY:
            return RateLimitedError(
                f"{came}: too much was asked for. The sync continues later.",
                retry_after_seconds=fault.retry_after_seconds,
            )
        case Kind.BROKEN:
            return ProviderUnavailableError(f"{came}. The sync is tried again later.")
        case _:
            return SourceError(
                f"{came}. Asking again gives the same answer, so it is not repeated; check RL_EMAILS_GMAIL_API_URL and "
                "the mailbox, then start a full sync."
            )


def _error_object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list) and found:
        found = found[0]
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}


def _reasons(error: Mapping[str, object]) -> Iterator[str]:
    """The codes an error names, the most telling first."""
    for name in ("errors", "details"):
        entries = error.get(name)
        for entry in entries if isinstance(entries, list) else []:
            code = entry.get("reason") if isinstance(entry, dict) else None
            if isinstance(code, str) and _CODE.fullmatch(code):
                yield code
    status = error.get("status")
    if isinstance(status, str) and _CODE.fullmatch(status):
        yield status


def _retry_after(kind: Kind, headers: Mapping[str, str], error: Mapping[str, object]) -> float:
    now = datetime.now(UTC)
    seconds = DAILY_PAUSE_SECONDS if kind is Kind.DAY else 0.0
    asked = headers.get("retry-after", "").strip()
    message = _RETRY_AFTER.search(str(error.get("message", "")))
    if asked.isascii() and asked.isdigit():
        seconds = float(asked)
    elif asked:
        seconds = _seconds_until(asked, now, seconds)
    elif message:
        seconds = _seconds_until(message[1], now, seconds)
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def _seconds_until(moment: str, now: datetime, otherwise: float) -> float:
    """Seconds until an HTTP date or an ISO 8601 time; `otherwise` when it is neither."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(moment)
        except ValueError:
            continue
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return otherwise
