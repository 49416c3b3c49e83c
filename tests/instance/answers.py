"""A web server whose answer a test sets."""

import http.server
from http import HTTPStatus


class _Handler(http.server.BaseHTTPRequestHandler):
    server: "Answer"

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Answer(http.server.HTTPServer):
    """Answers every GET with `status` and `body`."""

    status = HTTPStatus.OK
    body = b"not JSON"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
