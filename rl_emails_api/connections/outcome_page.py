"""The page a browser sees when it comes back from the provider.

It is reached by a navigation from another site, so the browser has not sent the inbox's own cookie (SameSite=Strict)
along; a redirect to the inbox would count as that site's, too, and be shut out. A page that goes on by itself does not.
"""

from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse

CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{seconds};url=/">
<title>rl-emails: {title}</title>
<h1>{title}</h1>
<p>{text}</p>
<p><a href="/">Continue to the inbox</a></p>
</html>"""
SUCCESS_SECONDS = 3
FAILURE_SECONDS = 60
"""Time to read what went wrong."""


def connected(address: str) -> HTMLResponse:
    """The account is connected."""
    text = f"{address} is connected. Its newest mail appears in the inbox within a minute or so."
    return _page("Connected", text, HTTPStatus.OK, SUCCESS_SECONDS)


def failed(text: str) -> HTMLResponse:
    """It is not, and why."""
    return _page("Not connected", text, HTTPStatus.BAD_REQUEST, FAILURE_SECONDS)


def _page(title: str, text: str, status: HTTPStatus, seconds: int) -> HTMLResponse:
    content = _PAGE.format(title=title, text=escape(text), seconds=seconds)
    return HTMLResponse(content, status_code=status, headers={"Content-Security-Policy": CSP})
