"""How people's mail looks: wrapping, signatures, and the quoting habits of their mail programs and languages."""

import textwrap
from datetime import datetime
from html import escape

from rl_emails_assets.sample.cast import OWNER_KEYS, Mail
from rl_emails_assets.sample.mime_bytes import multipart, text_part

_WIDTH = 74
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"],
    "sv": ["jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."],
    "fr": ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
    "pl": ["sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"],
}
_DAYS = {
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "sv": ["mån", "tis", "ons", "tors", "fre", "lör", "sön"],
    "fr": ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
    "es": ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
    "pl": ["pon.", "wt.", "śr.", "czw.", "pt.", "sob.", "niedz."],
    "ja": ["月", "火", "水", "木", "金", "土", "日"],
}
_OUTLOOK = {"en": ("From", "Sent", "To", "Subject"), "de": ("Von", "Gesendet", "An", "Betreff")}


def _attribution(mail: Mail, parent: Mail) -> str:
    """The line over a quotation. The date is the parent's, on the quoter's clock, as their program writes it."""
    at: datetime = parent.at.astimezone(mail.at.tzinfo)
    who, clock, language = parent.sender.written, f"{at:%H:%M}", mail.sender.language
    if mail.sender.client == "apple":
        return f"On {at.day} {at:%b} {at.year}, at {clock}, {who} wrote:"
    if mail.sender.client == "thunderbird":
        if language == "de":
            return f"Am {at:%d.%m.%Y} um {clock} schrieb {parent.sender.name}:"
        return f"On {at:%d/%m/%Y} {clock}, {parent.sender.name} wrote:"
    if language == "ja":
        return f"{at.year}年{at.month}月{at.day}日({_DAYS['ja'][at.weekday()]}) {clock} {who}:"
    weekday, month = _DAYS[language][at.weekday()], _MONTHS[language][at.month - 1]
    if language == "sv":
        return f"Den {weekday} {at.day} {month} {at.year} kl {clock} skrev {who}:"
    if language == "fr":
        return f"Le {weekday} {at.day} {month} {at.year} à {clock}, {who} a écrit :"
    if language == "es":
        return f"El {weekday}, {at.day} {month} {at.year} a las {clock}, {who} escribió:"
    if language == "pl":
        return f"{weekday}, {at.day} {month} {at.year} o {clock} {who} napisał(a):"
    return f"On {weekday}, {at.day} {month} {at.year} at {clock}, {who} wrote:"


def _outlook_head(mail: Mail, parent: Mail) -> list[str]:
    from_, sent, to, subject = _OUTLOOK.get(mail.sender.language, _OUTLOOK["en"])
    at = parent.at.astimezone(mail.at.tzinfo)
    return [
        f"{from_}: {parent.sender.written}",
        f"{sent}: {at.day} {at:%B} {at.year} {at:%H:%M}",
        f"{to}: {'; '.join(name for name, _ in parent.to)}",
        f"{subject}: {parent.subject}",
    ]


def new_text(mail: Mail) -> str:
    """What the sender wrote this time, with the signature where the sender's program puts one."""
    text, sender = mail.scene.text, mail.sender
    if not sender.signature or mail.scene.get("Sig") == "no":
        return text
    if mail.parent and (sender.client != "outlook" or sender.key in OWNER_KEYS):
        return text
    return f"{text}\n\n{'' if sender.client == 'outlook' else '-- ' + chr(10)}{sender.signature}"


def _quoted(text: str) -> str:
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in text.split("\n"))


def full_text(mail: Mail, mails: dict[str, Mail]) -> str:
    """The whole plain text: what is new, then what is quoted. "Quote: none" is for mail that quotes by itself."""
    own = new_text(mail)
    if not mail.parent or mail.scene.get("Quote") == "none":
        return own
    parent = mails[mail.parent]
    below = full_text(parent, mails)
    if mail.sender.client == "outlook":
        return f"{own}\n\n{'_' * 32}\n" + "\n".join(_outlook_head(mail, parent)) + f"\n\n{below}"
    return f"{own}\n\n{_attribution(mail, parent)}\n{_quoted(below)}"


def _paragraphs(text: str) -> str:
    return "".join(f"<div>{escape(line, quote=False) or '<br>'}</div>" for line in text.split("\n"))


def _html(mail: Mail, mails: dict[str, Mail]) -> str:
    """The HTML that Gmail and Outlook send beside the text."""
    own = _paragraphs(new_text(mail).replace("-- \n", ""))
    if mail.parent and mail.scene.get("Quote") != "none":
        parent = mails[mail.parent]
        below = _paragraphs(full_text(parent, mails))
        if mail.sender.client == "outlook":
            head = "<br>".join(escape(line) for line in _outlook_head(mail, parent))
            return f'<div class="WordSection1">{own}</div><hr><p class="MsoNormal">{head}</p>{below}'
        return (
            f'<div dir="ltr">{own}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
            f'{escape(_attribution(mail, parent))}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;'
            f'border-left:1px solid #ccc;padding-left:1ex">{below}</blockquote></div>'
        )
    return f'<div dir="ltr">{own}</div>'


def _wrapped(text: str, *, flowed: bool) -> str:
    """Long lines broken at spaces; format=flowed leaves a space at each break (RFC 3676) and stuffs none of ours."""
    lines: list[str] = []
    for line in text.split("\n"):
        mark = line[: len(line) - len(line.lstrip("> "))] if line.startswith(">") else ""
        pieces = textwrap.wrap(
            line[len(mark) :], _WIDTH - len(mark), break_long_words=False, break_on_hyphens=False
        ) or [""]
        if line == "-- ":
            lines.append(line)
            continue
        soft = " " if flowed else ""
        lines += [f"{mark}{piece}{soft}" for piece in pieces[:-1]] + [f"{mark}{pieces[-1]}"]
    return "\n".join(lines)


def letter(mail: Mail, mails: dict[str, Mail], *, charset: str, encoding: str, declared: str) -> bytes:
    """The body part of a person's mail, as their program makes it."""
    text = full_text(mail, mails)
    client = mail.sender.client
    if client in {"gmail", "outlook"} and not mail.scene.get("Charset"):
        long = encoding or ("quoted-printable" if client == "outlook" else "")
        shown = text if client == "outlook" else _wrapped(text, flowed=False)
        plain = text_part(shown, "plain", charset=charset, encoding=long)
        return multipart("alternative", [plain, text_part(_html(mail, mails), "html", encoding="quoted-printable")])
    flowed = client in {"apple", "thunderbird"} and charset == "utf-8"
    shown = text if mail.scene.get("Wrap") == "no" else _wrapped(text, flowed=flowed)
    return text_part(shown, "plain", charset=charset, encoding=encoding, flowed=flowed, declared=declared)
