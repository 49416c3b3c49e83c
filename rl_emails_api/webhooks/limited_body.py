"""The body of a request from outside, as long as it stays within a limit."""

from fastapi import Request


async def limited_body(request: Request, most_bytes: int) -> bytes | None:
    """The body; None when it is larger. Raises ClientDisconnect when it ends before its end."""
    told = request.headers.get("content-length", "0")
    # The length of the number first: int() refuses one with thousands of digits.
    if not told.isdecimal() or len(told) > len(str(most_bytes)) or int(told) > most_bytes:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            return None
    return bytes(body)
