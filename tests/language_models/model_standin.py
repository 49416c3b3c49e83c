"""A stand-in for a language model behind an OpenAI-compatible endpoint: a real HTTP server of chat completions.

It answers honestly by a rule (`verdict`), counts what reaches it, and does next what `next` was told: refusals for the
rate, errors, slow and broken answers, refusals of the model, answers that are none. Its dialect can lack JSON schemas
and `max_completion_tokens`, as local servers' do.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Labels = dict[str, Any]


def plain_verdict(mail: Labels, allowed: list[str]) -> Labels:
    """A model that has no opinion of its own."""
    return {"category": allowed[0], "needs": "read", "urgency": "whenever", "quote": ""}


class ModelStandin:
    """What the server does and what it saw."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.verdict: Callable[[Labels, list[str]], Labels] = plain_verdict
        self.knows_schema = True
        self.knows_completion_tokens = True
        self.counts_tokens = True
        self.most_at_once = 0
        self.url = ""
        self._faults: deque[dict[str, Any]] = deque()
        self._at_once = 0
        self._lock = threading.Lock()

    def next(self, *, times: int = 1, **fault: Any) -> None:
        """The next answers: status, retry_after, delay, content, refusal, finish_reason, reset, body, location."""
        self._faults.extend([fault] * times)

    def mails(self) -> list[Labels]:
        """What was shown of each mail, in the order asked."""
        return [json.loads(request["messages"][1]["content"])["mail"] for request in self.requests]

    @contextmanager
    def _counted(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self._faults.popleft() if self._faults else {}
        try:
            yield fault
        finally:
            with self._lock:
                self._at_once -= 1

    def answer(self, request: dict[str, Any], fault: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """The response to a request: status, headers, body."""
        if complaint := self._complaint(request):
            return 400, {}, json.dumps({"error": {"message": complaint, "type": "invalid_request_error"}}).encode()
        if "status" in fault:
            headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            if "location" in fault:
                headers["Location"] = fault["location"]
            return fault["status"], headers, json.dumps({"error": {"message": "as told"}}).encode()
        if "body" in fault:
            return 200, {}, fault["body"].encode()
        user = json.loads(request["messages"][1]["content"])
        allowed = json.loads(request["messages"][0]["content"].split('"category": one of ')[1].split(".\n")[0])
        content = fault.get("content", json.dumps(self.verdict(user["mail"], allowed)))
        message = {"role": "assistant", "content": content, "refusal": fault.get("refusal")}
        body: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": fault.get("finish_reason", "stop")}],
        }
        if self.counts_tokens:
            body["usage"] = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return 200, {}, json.dumps(body).encode()

    def _complaint(self, request: dict[str, Any]) -> str:
        if not self.knows_completion_tokens and "max_completion_tokens" in request:
            return "Unrecognized request argument supplied: max_completion_tokens"
        if not self.knows_schema and request["response_format"]["type"] == "json_schema":
            return "'response_format' of type json_schema is not supported"
        return ""


@contextmanager
def model_standin() -> Iterator[ModelStandin]:
    """A stand-in that serves on loopback while the block runs."""
    standin = ModelStandin()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            with standin._counted() as fault:
                standin.requests.append(request)
                standin.headers.append({name.lower(): value for name, value in self.headers.items()})
                time.sleep(fault.get("delay", 0))
                if fault.get("reset"):
                    self.connection.close()
                    return
                status, headers, body = standin.answer(request, fault)
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # whoever asked did not wait

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    standin.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
