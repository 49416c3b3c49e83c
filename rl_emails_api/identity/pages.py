"""What a browser shows when nobody is signed in: small pages without scripts, the same for everybody."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse

CLOSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>rl-emails: closed</title>
<h1>This inbox is closed</h1>
<p>Open it with the link that <code>rl-emails up</code> prints; it ends in <code>?token=</code> and a long word.</p>
<p>If you have just opened that link: <a href="/">continue to the inbox</a>.</p>
</html>"""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>rl-emails: {title}</title>
<h1>{title}</h1>
<p>{text}</p>
{link}
</html>"""


def refused_page(
    title: str, words: str, status: HTTPStatus, where: str | None, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A page that says what is the matter, with a link to sign in where there is one."""
    link = "" if where is None else f'<p><a href="{escape(where)}">Sign in</a></p>'
    content = _PAGE.format(title=escape(title), text=escape(words), link=link)
    return HTMLResponse(content, status, headers=dict(headers or {}))
