"""`rl-emails parse`: what the parser sees in one message."""

import sys
from pathlib import Path

from rl_emails_assets.commands.output import plain_text
from rl_emails_assets.errors import SourceError
from rl_emails_assets.mail.cli_view import to_json, to_text
from rl_emails_assets.mail.parse import parse


def parse_file(path: Path, *, is_json: bool) -> None:
    """Print the parsed message in `path` ("-" for standard input)."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}). Give the path of one RFC 822 message.") from error
    message = parse(content)
    sys.stdout.write(to_json(message) + "\n" if is_json else plain_text(to_text(message)))
