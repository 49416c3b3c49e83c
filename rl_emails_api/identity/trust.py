"""Which certificate authorities are trusted when the identity provider is asked."""

import ssl
from pathlib import Path


def trusted(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    """What httpx's `verify` takes: those of the file, or the usual ones. Raises OSError when it cannot be read."""
    return ssl.create_default_context(cafile=str(ca_bundle)) if ca_bundle else True
