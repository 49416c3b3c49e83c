"""The exceptions of rl-emails.

    RlEmailsError
    ├── PermanentError            doing it again gives the same result; no layer retries
    │   ├── SettingsError         a setting is missing or wrong
    │   ├── SourceError           a mail source cannot be read as a whole (missing, not mail, no permission)
    │   ├── UnreadableItemError   one item of a source cannot become a message; it becomes a gap
    │   ├── ModelFileError        a model file is missing or is not the one that was expected
    │   ├── SchemaVersionError    the database was migrated by a newer or a broken release
    │   └── NotFoundError         what was named is not there
    └── TransientError            it may work later; callers may retry with backoff
        ├── DatabaseUnavailableError
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


class NotFoundError(PermanentError):
    """What was named is not there."""


class DatabaseUnavailableError(TransientError):
    """The database cannot be reached."""


class LeaseLostError(TransientError):
    """Another worker took the sync request over."""
