"""Hostile input: mail, strangers' servers, and requests that mean harm; on the API of tests/api."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from serving import client, mailbox_id, reader, serve, server, shared_server  # noqa: F401
