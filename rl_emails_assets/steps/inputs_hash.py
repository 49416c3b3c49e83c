"""The hash of what a decision was made from (promise 4)."""

import hashlib
import json
from typing import Any


def inputs_hash(*inputs: Any) -> bytes:
    """SHA-256 of plain values (dataclasses as dicts, times as text), the same on every machine and in every release."""
    written = json.dumps(inputs, sort_keys=True, default=str, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
