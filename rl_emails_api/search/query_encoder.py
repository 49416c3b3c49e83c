"""The vector of a search query, by the default encoder, loaded when the first search needs it."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

from rl_emails_api.search.queries import QueryVector
from rl_emails_assets.embedding.encoder import Encoder
from rl_emails_assets.errors import RlEmailsError

_log = logging.getLogger(__name__)

KEPT_VECTORS = 512
"""Queries whose vectors are kept: pages of a result, a query that is corrected, the same search in another mailbox."""


class QueryEncoder:
    """Encodes queries; without an encoder it says why, and search goes on by words."""

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._kept: OrderedDict[str, QueryVector] = OrderedDict()
        self.why_not = ""
        """Why there is no encoder; '' while there is one or none was asked for."""

    def vector(self, query: str) -> QueryVector | None:
        """The query's vector, or None when there is no encoder; asked again only after a restart."""
        with self._lock:
            if (kept := self._kept.get(query)) is not None:
                self._kept.move_to_end(query)
                return kept
            if self._encoder is None and not self.why_not:
                try:
                    self._encoder = self._load()
                except (RlEmailsError, ImportError, OSError) as error:
                    self.why_not = f"No encoder: {error}"
                    _log.warning("search is by words only: %s", error)
            if self._encoder is None:
                return None
            values = self._encoder.encode([query])[0]
            made = QueryVector([float(value) for value in values], self._encoder.model, self._encoder.precision)
            self._kept[query] = made
            if len(self._kept) > KEPT_VECTORS:
                self._kept.popitem(last=False)
            return made
