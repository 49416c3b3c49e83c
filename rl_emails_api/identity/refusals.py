"""Refused sign-ins in the audit log: of people and keys that are known, and few enough that nobody can fill a disk."""

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from rl_emails_assets.db import audit

SAME_SECONDS = 60
"""The same refusal of the same person from the same address is recorded once in this time."""
MOST_A_MINUTE = 60
"""Of all refusals together, in one process."""

_log = logging.getLogger(__name__)
_Which = tuple[str, str, str, UUID | None]


class RefusalLog:
    """Records `sign_in.refused`. May be called from any thread."""

    def __init__(self, engine: Callable[[], Engine], clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: dict[_Which, float] = {}

    def record(
        self,
        reason: str,
        *,
        credential: str,
        client: str,
        user_id: UUID | None = None,
        organization_id: UUID | None = None,
    ) -> bool:
        """Record that a credential was refused, and from where; returns whether it was not too much."""
        if not self._may_record((reason, credential, client, user_id)):
            return False
        try:
            with self._engine().begin() as connection:
                audit.record(
                    connection,
                    "sign_in.refused",
                    details={"reason": reason},
                    organization_id=organization_id,
                    user_id=user_id,
                    credential=credential,
                    client=client,
                )
        except SQLAlchemyError as error:
            # The refusal itself must not become a failure of the server.
            _log.warning("A refused sign-in (%s) could not be recorded: %s.", reason, type(error).__name__)
        return True

    def _may_record(self, which: _Which) -> bool:
        now = self._clock()
        with self._lock:
            self._recent = {key: at for key, at in self._recent.items() if now - at < SAME_SECONDS}
            if which in self._recent or len(self._recent) >= MOST_A_MINUTE:
                return False
            self._recent[which] = now
            return True
