"""The control API: steers a stand-in that runs in another process."""

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.gmail.standin.replies import Request, Response, json_response

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail


class Control:
    """`POST /control/<verb>` with arguments as a JSON object; the answer is `{"result": ...}`."""

    def __init__(self, gmail: "Gmail") -> None:
        self.gmail = gmail

    def answer(self, request: Request) -> Response:
        """Runs one verb; an error of the caller's is 400 with its message."""
        verb = request.path.removeprefix("/control/").replace("-", "_")
        run = getattr(self, f"do_{verb}", None)
        if run is None:
            return json_response({"error": f"No verb {verb}."}, 404)
        try:
            return json_response({"result": run(**request.json())})
        except (KeyError, TypeError, ValueError) as error:
            return json_response({"error": f"{type(error).__name__}: {error}"}, 400)

    def do_ready(self) -> bool:
        """Whether it listens."""
        return True

    def do_settings(self) -> dict[str, Any]:
        """As Gmail.settings_overrides."""
        return self.gmail.settings_overrides()

    def do_environment(self) -> dict[str, str]:
        """As Gmail.environment."""
        return self.gmail.environment()

    def do_add_user(self, address: str) -> dict[str, str]:
        """A new account; its address back."""
        return {"address": self.gmail.add_user(address).address}

    def do_users(self) -> list[str]:
        """Addresses of all accounts."""
        return list(self.gmail.users)

    def do_deliver(self, address: str, rfc822_base64: str | None = None, at: str | None = None, **fields: Any) -> str:
        """As User.deliver; bytes in base64, `at` in ISO 8601."""
        rfc822 = None if rfc822_base64 is None else base64.b64decode(rfc822_base64)
        return self.gmail.users[address].deliver(
            rfc822, at=None if at is None else datetime.fromisoformat(at), **fields
        )

    def do_fill(self, address: str, mail: list[dict[str, Any]]) -> list[str]:
        """As User.fill; each of `mail` has rfc822_base64, labels and at."""
        return self.gmail.users[address].fill(
            (base64.b64decode(m["rfc822_base64"]), m["labels"], datetime.fromisoformat(m["at"])) for m in mail
        )

    def do_user(self, address: str, act: str, **arguments: Any) -> Any:
        """One of the acts in USER_ACTS with its arguments."""
        if act not in USER_ACTS:
            raise ValueError(f"Not an act: {act}. There are {sorted(USER_ACTS)}.")
        result = getattr(self.gmail.users[address], act)(**arguments)
        return sorted(result) if isinstance(result, set) else result

    def do_delete(self, address: str, ids: list[str]) -> None:
        """As User.delete."""
        self.gmail.users[address].delete(*ids)

    def do_ids(self, address: str, spam_and_trash: bool = True) -> list[str]:
        """Ids of all messages."""
        return sorted(self.gmail.users[address].ids(spam_and_trash=spam_and_trash))

    def do_labels(self, address: str) -> dict[str, list[str]]:
        """Label ids of every message."""
        with self.gmail.lock:
            return {m.id: sorted(m.labels) for m in self.gmail.users[address].messages.values()}

    def do_watch(self, address: str) -> dict[str, Any] | None:
        """The watch of an account, if it has one."""
        watch = self.gmail.users[address].watch
        return None if watch is None else {"topic": watch.topic, "expires_at": watch.expires_at}

    def do_advance(self, **by: float) -> str:
        """Jumps the clock; the new time back."""
        return self.gmail.clock.advance(**by).isoformat()

    def do_fault(self, method: str, probability: float | None = None, times: int = 1, **more: Any) -> None:
        """As Faults.sometimes with a probability, as Faults.next without."""
        with self.gmail.lock:
            if probability is None:
                self.gmail.faults.next(method, times=times, **more)
            else:
                self.gmail.faults.sometimes(method, probability, **more)

    def do_clear_faults(self) -> None:
        """As Faults.clear."""
        with self.gmail.lock:
            self.gmail.faults.clear()

    def do_configure(self, **values: Any) -> None:
        """Sets attributes by dotted name, as {"quota.units_per_minute": 15000, "pubsub.endpoint": "http://..."}."""
        with self.gmail.lock:
            for name, value in values.items():
                *path, last = name.split(".")
                target: Any = self.gmail
                for step in path:
                    target = getattr(target, step)
                if last.startswith("_") or not hasattr(target, last):
                    raise ValueError(f"Nothing to configure: {name}.")
                kept = getattr(target, last)
                setattr(target, last, type(kept)(value) if isinstance(kept, tuple | set) else value)

    def do_publish(self, address: str, history_id: int, **more: Any) -> str:
        """As PubSub.publish; the message's id back."""
        return self.gmail.pubsub.publish(address, history_id, **more).id

    def do_push_request(self, address: str, history_id: int, **more: Any) -> dict[str, Any]:
        """As PubSub.request; the body in base64."""
        made = self.gmail.pubsub.request(address, history_id, **more)
        return {"body_base64": base64.b64encode(made.body).decode(), "headers": made.headers}

    def do_pushes(self) -> list[dict[str, Any]]:
        """Every notification published."""
        with self.gmail.lock:
            return [
                {
                    "id": push.id,
                    "address": push.address,
                    "history_id": push.history_id,
                    "published_at": push.published_at.isoformat(),
                    "statuses": list(push.statuses),
                    "acknowledged_at": push.acknowledged_at.isoformat() if push.acknowledged_at else None,
                    "lost": push.lost,
                }
                for push in self.gmail.pubsub.pushes
            ]

    def do_calls(self, clear: bool = False) -> dict[str, Any]:
        """The call log, with counts and units."""
        with self.gmail.lock:
            answer = {**self.gmail.calls.summary(), "calls": self.gmail.calls.as_json()}
            if clear:
                self.gmail.calls.clear()
            return answer

    def do_forget_access_tokens(self) -> None:
        """As OAuth.forget_access_tokens."""
        self.gmail.oauth.forget_access_tokens()

    def do_rotate_key(self) -> None:
        """As Gmail.rotate_key."""
        self.gmail.rotate_key()

    def do_consent(self, address: str | None = None, denied: bool = False, unticked: list[str] | None = None) -> None:
        """What people do at the consent page from now on."""
        consent = self.gmail.oauth.consent
        consent.address, consent.denied, consent.unticked = address, denied, set(unticked or [])


USER_ACTS = {
    "access_token",
    "add_and_delete",
    "break_raw",
    "drop_label",
    "ghost_record",
    "grant",
    "labels_of",
    "make_label",
    "relabel",
    "revoke",
    "trash",
    "untrash",
}
"""What `do_user` runs, its arguments by keyword."""
