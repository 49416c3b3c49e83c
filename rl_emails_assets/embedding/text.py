"""The text of a message that becomes its vector."""

MAX_CHARACTERS = 4_000
"""More than 256 word pieces hold in any written language (English has about 4.5 characters a piece); the rest is cut
before it is tokenized, so that a huge mail costs no more than a long one."""


def text_to_encode(subject: str, new_text: str) -> str:
    """The subject, a line break and what the sender wrote, white space folded, at most `MAX_CHARACTERS` characters.

    NUL and other characters are left as they are: the encoder's tokenizer drops what it cannot read. The same
    arguments always give the same text; empty arguments give "".
    """
    parts = (_folded(subject), _folded(new_text))
    return "\n".join(part for part in parts if part)[:MAX_CHARACTERS].rstrip()


def _folded(text: str) -> str:
    # Eight times the bound leaves room for indentation and blank lines, and keeps a 50 MB body from being split whole.
    return " ".join(text[: 8 * MAX_CHARACTERS].split())
