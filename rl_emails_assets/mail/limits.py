"""How much of a message is read. Mail is hostile input: every size has a bound; passing one is a recorded defect."""

from dataclasses import dataclass, field

from rl_emails_assets.mail.message import Defect

_MOST_DEFECTS = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one parse. What exceeds a bound is cut off, the rest is parsed, and a `Defect` says so."""

    message_bytes: int = 64 * 1024 * 1024
    """Gmail accepts 50 MB, Exchange Online up to 150 MB; nothing a person wrote is beyond this."""
    parts: int = 1_000
    depth: int = 30
    """Of nested multiparts and attached messages together."""
    header_bytes: int = 256 * 1024
    """Of one header block, of the message or of a part."""
    headers: int = 1_000
    """Lines of one header block that are kept, continuation lines apart."""
    header_value_chars: int = 64 * 1024
    kept_header_chars: int = 1_000
    """Of a value in `Message.headers`."""
    subject_chars: int = 2_000
    addresses: int = 2_000
    """Of one header."""
    references: int = 100
    """The first and the newest are kept."""
    text_chars: int = 1_000_000
    html_chars: int = 2_000_000
    attachments: int = 1_000
    filename_chars: int = 255
    charset_guesses: int = 4
    """Statistical guesses of a charset in one message; each costs milliseconds."""
    tnef_bytes: int = 32 * 1024 * 1024
    rtf_chars: int = 1_000_000
    """Of decompressed RTF; compressed RTF can expand ninefold."""
    calendar_chars: int = 200_000


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class DefectLog:
    """Collects defects while one message is parsed: in order, each once, at most fifty."""

    found: list[Defect] = field(default_factory=list)

    def add(self, code: str, detail: str) -> None:
        """Record `code` once for each `detail`."""
        defect = Defect(code, detail)
        if len(self.found) < _MOST_DEFECTS and defect not in self.found:
            self.found.append(defect)
