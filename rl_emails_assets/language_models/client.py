"""Asking a language model over any OpenAI-compatible endpoint.

One question, one call, one reply: what fails is named and given back, never raised, so that the offline verdict stands.
The SDK's own retries are off; who asks decides when to ask again. No tool is ever offered, no redirect followed.
"""

import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from rl_emails_assets.language_models.answer import MalformedAnswerError, read_answer
from rl_emails_assets.language_models.question import Question, answer_schema, prompt
from rl_emails_assets.language_models.reply import MOST_ANSWER_TOKENS, Reply
from rl_emails_assets.settings import Settings

DEFAULT_PAUSE_SECONDS = 20.0
"""After a refusal for the rate that does not say how long to wait."""
MOST_PAUSE_SECONDS = 3600.0
_NO_KEY = "none"  # local servers need none, and the SDK insists on one


@dataclass(slots=True)
class _Dialect:
    """What this server understands; found out by its refusals."""

    knows_schema: bool = True
    knows_completion_tokens: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


class ModelClient:
    """A client for one run; safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self._model = settings.language_model or ""
        self._dialect = _Dialect()
        verify: ssl.SSLContext | bool = True
        if settings.ca_bundle is not None:
            verify = ssl.create_default_context(cafile=str(settings.ca_bundle))
        self._http = openai.DefaultHttpxClient(
            verify=verify, follow_redirects=False, timeout=settings.language_model_timeout_seconds
        )
        self._sdk = openai.OpenAI(
            base_url=settings.openai_url,
            api_key=settings.openai_key or _NO_KEY,
            max_retries=0,
            timeout=settings.language_model_timeout_seconds,
            http_client=self._http,
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def ask(self, question: Question) -> Reply:
        """Ask; a server that does not know strict schemas is asked again in plain JSON mode, once."""
        started = time.perf_counter()
        reply = self._asked(question)
        elapsed = int((time.perf_counter() - started) * 1000)
        return replace(reply, latency_ms=elapsed)

    def _asked(self, question: Question) -> Reply:
        for _ in range(3):
            try:
                completion = self._sdk.chat.completions.create(**self._arguments(question))
            except openai.BadRequestError as error:
                if self._learn(str(error)):
                    continue
                return Reply(outcome="failed", reason=_status(error), is_for_all=True, was_not_billed=True)
            except openai.RateLimitError as error:
                return Reply(
                    outcome="rate_limited", reason=_status(error), pause_seconds=_pause(error), was_not_billed=True
                )
            except openai.APITimeoutError:
                return Reply(outcome="timed_out", reason="no answer in time")
            except openai.APIConnectionError as error:
                # A connection that breaks after the question was sent may have been computed, and billed.
                return Reply(outcome="failed", reason=f"connection: {type(error.__cause__ or error).__name__}")
            except openai.APIStatusError as error:
                is_for_all = error.status_code < 500
                return Reply(outcome="failed", reason=_status(error), is_for_all=is_for_all, was_not_billed=is_for_all)
            except (openai.APIError, ValueError) as error:
                # No JSON, or JSON that is no completion.
                return Reply(outcome="malformed", reason=f"response: {type(error).__name__}")
            return _read(completion, question)
        return Reply(outcome="failed", reason="the server takes neither JSON schemas nor JSON mode", is_for_all=True)

    def _arguments(self, question: Question) -> dict[str, Any]:
        schema = {"name": "label", "strict": True, "schema": answer_schema(question)}
        knows_schema, knows_tokens = self._dialect.knows_schema, self._dialect.knows_completion_tokens
        return {
            "model": self._model,
            "messages": prompt(question),
            "response_format": (
                {"type": "json_schema", "json_schema": schema} if knows_schema else {"type": "json_object"}
            ),
            ("max_completion_tokens" if knows_tokens else "max_tokens"): MOST_ANSWER_TOKENS,
        }

    def _learn(self, complaint: str) -> bool:
        """Whether a refusal taught something that makes another try worthwhile."""
        with self._dialect.lock:
            if "max_completion_tokens" in complaint and self._dialect.knows_completion_tokens:
                self._dialect.knows_completion_tokens = False
                return True
            if self._dialect.knows_schema and ("response_format" in complaint or "json_schema" in complaint):
                self._dialect.knows_schema = False
                return True
        return False


def _read(completion: ChatCompletion, question: Question) -> Reply:
    usage = completion.usage
    told = partial(
        Reply,
        input_tokens=None if usage is None else max(usage.prompt_tokens, 0),
        output_tokens=None if usage is None else max(usage.completion_tokens, 0),
    )
    if not completion.choices:
        return told(outcome="malformed", reason="no choice")
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return told(outcome="refused", reason=choice.finish_reason)
    if choice.finish_reason == "length":
        return told(outcome="malformed", reason="cut off")
    try:
        answer, dropped = read_answer(choice.message.content or "", question)
    except MalformedAnswerError as error:
        return told(outcome="malformed", reason=str(error))
    return told(outcome="answered", answer=answer, dropped=dropped)


def _status(error: openai.APIStatusError) -> str:
    """The status only: what a server writes into an error may repeat the mail."""
    return f"HTTP {error.status_code}"


def _pause(error: openai.APIStatusError) -> float:
    told = error.response.headers.get("retry-after", "")
    try:
        return min(max(float(told), 0.0), MOST_PAUSE_SECONDS)
    except ValueError:
        return DEFAULT_PAUSE_SECONDS
