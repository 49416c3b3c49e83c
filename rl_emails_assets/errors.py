"""The exceptions of rl-emails.

    RlEmailsError
    ├── PermanentError            doing it again gives the same result; no layer retries
    │   ├── SettingsError         a setting is missing or wrong
    │   ├── SourceError           a mail source cannot be read as a whole (missing, not mail, no permission)
    │   ├── UnreadableItemError   one item of a source cannot become a message; it becomes a gap
    │   ├── ModelFileError        a model file is missing or is not the one that was expected
    │   ├── SchemaVersionError    the database was migrated by a newer or a broken release
    │   ├── ReconnectNeededError  the grant to a mailbox is gone or too narrow; only its owner can renew it
    │   ├── SignInError           a sign-in at a provider cannot be finished (state, session, scope, refusal)
    │   ├── SealError             an encrypted value cannot be opened: another key, another row, or damaged
    │   ├── HistoryExpiredError   the provider no longer knows the cursor's history; a full sync follows
    │   └── NotFoundError         what was named is not there
    └── TransientError            it may work later; callers may retry with backoff
        ├── DatabaseUnavailableError
        ├── ProviderUnavailableError  the provider cannot be reached, or failed
        │   └── RateLimitedError      it refuses for its rate; `retry_after_seconds` says for how long at least
        └── LeaseLostError        another worker took the sync request over; nothing was changed

Every message says what happened, to what, and what to do next.
"""


class RlEmailsError(Exception):
    """Anything that rl-emails raises on purpose."""


class PermanentError(RlEmailsError):
    """Doing it again gives the same result."""


class TransientError(RlEmailsError):
    """It may work when tried again later."""


class SettingsError(PermanentError):
    """A setting is missing or wrong."""


class SourceError(PermanentError):
    """A mail source cannot be read as a whole."""


class UnreadableItemError(PermanentError):
    """One item of a source cannot become a message."""


class ModelFileError(PermanentError):
    """A model file is missing or is not the expected one."""


class SchemaVersionError(PermanentError):
    """The database's schema is not one this release can use."""


class ReconnectNeededError(PermanentError):
    """The grant to a mailbox is gone or too narrow; only its owner can renew it."""


class SignInError(PermanentError):
    """A sign-in at a provider cannot be finished."""


class SealError(PermanentError):
    """An encrypted value cannot be opened."""


class HistoryExpiredError(PermanentError):
    """The provider no longer knows the history since the cursor."""


class NotFoundError(PermanentError):
    """What was named is not there."""


class DatabaseUnavailableError(TransientError):
    """The database cannot be reached."""


class ProviderUnavailableError(TransientError):
    """The provider cannot be reached, or failed."""


class RateLimitedError(ProviderUnavailableError):
    """The provider refuses for its rate."""

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        """What the provider asked for; 0 where it did not say."""


class LeaseLostError(TransientError):
    """Another worker took the sync request over."""
