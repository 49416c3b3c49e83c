"""Names for bytes: the id of a mail that came from a file, and the fingerprint of a file's beginning."""

import hashlib

FINGERPRINT_BYTES = 4096


def item_id(rfc822: bytes) -> str:
    """SHA-256 in hex of the mail with LF line ends and without blank lines at its end.

    The same mail in an mbox, a Maildir and an .eml file has the same id, whatever line ends a tool wrote and whether
    it ended the last line.
    """
    if b"\r" in rfc822:
        rfc822 = rfc822.replace(b"\r\n", b"\n")
    return hashlib.sha256(rfc822.rstrip(b"\n")).hexdigest()


def fingerprint(head: bytes) -> str:
    """Names the first `FINGERPRINT_BYTES` of a file, or all of a shorter one: "length:digest"."""
    head = head[:FINGERPRINT_BYTES]
    return f"{len(head)}:{hashlib.sha256(head).hexdigest()[:24]}"


def is_same_file(head: bytes, known: str) -> bool:
    """Whether a file that begins with `head` is, or has grown from, the one with the fingerprint `known`."""
    length, _, _ = known.partition(":")
    size = int(length) if length.isdecimal() and len(length) <= 6 else -1
    return 0 <= size <= len(head) and fingerprint(head[:size]) == known
