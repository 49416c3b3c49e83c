"""How a machine's mail looks: a few marks of text become the HTML that shops, services and newsletters send.

The marks: "# " and "## " headings, "* " list items, "| a | b" table rows, "[words](address)" links, "**words**" bold,
"!button words | address", "!image words | address"; other lines are paragraphs.
"""

import re
from html import escape

_LINK = re.compile(r"\[([^\[\]]{1,200})\]\(([^()\s]{1,300})\)")
_BOLD = re.compile(r"\*\*([^*]{1,200})\*\*")
_CELL = 'style="padding:6px 8px;border-bottom:1px solid #ddd"'
_BUTTON = 'style="display:inline-block;padding:12px 22px;background:#1f4e5f;color:#fff;text-decoration:none"'


def _inline(line: str) -> str:
    linked = _LINK.sub(r'<a href="\2">\1</a>', escape(line, quote=False))
    return _BOLD.sub(r"<b>\1</b>", linked)


def _row(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("| ").split("|")]


def _block(line: str) -> str:
    mark, _, rest = line.partition(" ")
    if mark in {"#", "##"}:
        level = len(mark)
        return f"<h{level}>{_inline(rest)}</h{level}>"
    if mark == "*":
        return f"<ul><li>{_inline(rest)}</li></ul>"
    if mark == "|":
        cells = "".join(f"<td {_CELL}>{_inline(cell)}</td>" for cell in _row(line))
        return f'<table width="100%" cellspacing="0"><tr>{cells}</tr></table>'
    words, _, address = rest.partition(" | ")
    if mark == "!button":
        return f'<p><a href="{address}" {_BUTTON}>{_inline(words)}</a></p>'
    if mark == "!image":
        return f'<p><img src="{address}" alt="{escape(words)}" width="560" style="display:block"></p>'
    return f"<p>{_inline(line)}</p>"


def page_html(marked: str, *, title: str, preheader: str = "", pixel: str = "") -> str:
    """The marked text as a table-layout HTML page with a hidden preheader and, when an address is given, a pixel."""
    blocks = "\n".join(_block(line) for line in marked.split("\n") if line.strip())
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{escape(preheader)}</div>\n' if preheader else ""
    image = f'<img src="{pixel}" width="1" height="1" alt="">\n' if pixel else ""
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        "<style>body{font-family:Arial,sans-serif;color:#222} h1{font-size:22px} td{font-size:14px}</style></head>\n"
        f'<body style="margin:0;background:#f4f4f2">\n{hidden}<table role="presentation" width="100%" cellpadding="0">'
        '<tr><td align="center"><table role="presentation" width="600" bgcolor="#ffffff"><tr>'
        f'<td style="padding:24px">\n{blocks}\n</td></tr></table></td></tr></table>\n{image}</body></html>'
    )


def page_text(marked: str) -> str:
    """The marked text as the plain alternative that goes with it."""
    lines = []
    for line in marked.split("\n"):
        mark, _, rest = line.partition(" ")
        if mark == "!image":
            continue
        if mark == "!button":
            words, _, address = rest.partition(" | ")
            shown = f"{words}: {address}"
        elif mark == "|":
            shown = "   ".join(_row(line))
        elif mark in {"#", "##"}:
            shown = rest.upper() if mark == "#" else rest
        else:
            shown = line
        lines.append(_BOLD.sub(r"\1", _LINK.sub(r"\1 <\2>", shown)))
    return "\n".join(lines)
