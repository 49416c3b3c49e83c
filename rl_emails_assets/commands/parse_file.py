"""`rl-emails parse`: what the parser sees in one message."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape

from rl_emails_assets.commands.output import console, print_json
from rl_emails_assets.errors import SourceError
from rl_emails_assets.mail.html_text import html_to_text
from rl_emails_assets.mail.message import Message
from rl_emails_assets.mail.parse import parse


def parse_file(path: Path, *, is_json: bool) -> None:
    """Print the parsed message in `path` ("-" for standard input)."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}). Give the path of one RFC 822 message.") from error
    seen = as_seen(parse(content))
    if is_json:
        print_json(seen)
        return
    out = console()
    for name in ("subject", "from", "to", "cc", "sent_at", "rfc822_message_id"):
        out.print(f"[bold]{name}:[/] {escape(_shown(seen[name]))}")
    for name in ("new_text", "quoted_text", "signature"):
        out.print(f"\n[bold]{name}[/]\n{escape(seen[name])}")
    for attachment in seen["attachments"]:
        out.print(f"[bold]attachment[/] {escape(attachment['filename'])} ({attachment['content_type']})")
    for defect in seen["defects"]:
        out.print(f"[yellow]defect[/] {defect['code']}: {escape(defect['detail'])}")


def as_seen(message: Message) -> dict[str, Any]:
    """The message as plain values, under the names that scripts read."""
    values = asdict(message)
    values["from"] = values.pop("from_")
    values["references"] = list(message.references)
    values["html_text"] = html_to_text(message.html) if message.html else ""
    return values


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['name']} <{value['address']}>" if value["name"] else str(value["address"])
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item) for item in value)
    return "" if value is None else str(value)
