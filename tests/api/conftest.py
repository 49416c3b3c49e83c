"""Fixtures of the API's tests; `serving` and `seed` are modules of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from serving import client, mailbox_id, reader, serve, server, shared_server  # noqa: F401
