"""Where the browser reaches us, for whoever has to send it back here."""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request

from rl_emails_api.problems import ProblemError
from rl_emails_assets.settings import Settings

# What may follow a name in the Host header is a port, and nothing else that an address could be made of.
_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def own_origin(request: Request, settings: Settings, *, whose: str) -> str:
    """Where the browser reaches us: `whose` page sends it back there, and only there it has the cookie.

    Without a public address it is the loopback name that was asked for; the middleware let no other name pass. Raises a
    409 problem when the page was opened at another name than the public address.
    """
    asked = request.headers.get("host", "").lower()
    if settings.public_url is None and _HOST.fullmatch(asked):
        return f"{request.url.scheme}://{asked}"
    if _HOST.sub(r"\1", asked) != urlsplit(settings.api_url).hostname:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "wrong-address",
            f"{whose} sends browsers back to {settings.api_url}. Open the page there first, or set "
            "RL_EMAILS_PUBLIC_URL to where you open it.",
        )
    return settings.api_url
