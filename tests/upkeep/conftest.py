"""Mailboxes that need upkeep."""

from tests.queue.conftest import make_mailbox as make_mailbox
