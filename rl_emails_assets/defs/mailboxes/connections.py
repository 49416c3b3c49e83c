"""The connected mailboxes. Made by `rl-emails import` and by connecting an account, only observed here."""

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.defs.mailbox_asset import Owner, spec_of

connections = dg.AssetSpec(
    **spec_of(keys.MAILBOXES_CONNECTIONS, mailboxes.connections, owner=Owner.INGESTION, version="1")
)
