"""What came of asking a language model. Apart from the client, so that who only weighs replies loads no SDK."""

from dataclasses import dataclass

from rl_emails_assets.language_models.answer import Answer, Outcome

MOST_ANSWER_TOKENS = 2_000
"""Reasoning models think before they answer, and their thoughts count; the answer itself takes about 80."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a question. Token counts are None where the server did not tell: the call is then counted at the
    most that it can have cost. `pause_seconds` is how long the server wants to be left alone."""

    outcome: Outcome
    answer: Answer | None = None
    dropped: tuple[str, ...] = ()
    reason: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int = 0
    pause_seconds: float = 0.0
    is_for_all: bool = False
    """Any other question would fare the same: the key, the model or the address is wrong."""
    was_not_billed: bool = False
    """The server refused before it computed anything."""
