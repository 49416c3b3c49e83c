"""Reading a language model's answer. Whatever it is, it is checked here: a server need not have kept to the schema."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rl_emails_assets.classification.verdict import Category, Needs, Urgency
from rl_emails_assets.language_models.question import Question

MOST_ANSWER_CHARS = 8_000
MOST_QUOTE_CHARS = 600

Outcome = Literal["answered", "refused", "malformed", "timed_out", "rate_limited", "failed"]


class Answer(BaseModel):
    """What a model said of a message. `quote` occurs in what it was shown, word by word, or is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Category
    needs: Needs
    urgency: Urgency
    quote: str = Field(default="", max_length=MOST_QUOTE_CHARS)


class MalformedAnswerError(ValueError):
    """An answer that is not one of the allowed ones. Its text is never shown: it may be anything."""


def read_answer(content: str, question: Question) -> tuple[Answer, tuple[str, ...]]:
    """The answer, and what of it was dropped ("quote": it does not stand in the mail).

    Raises MalformedAnswerError for anything else than one JSON object with allowed values.
    """
    if len(content) > MOST_ANSWER_CHARS:
        raise MalformedAnswerError(f"an answer of {len(content)} characters")
    try:
        answer = Answer.model_validate_json(_unfenced(content))
    except ValidationError as error:
        kinds = sorted({f"{'.'.join(map(str, one['loc'])) or 'json'}: {one['type']}" for one in error.errors()})
        raise MalformedAnswerError(", ".join(kinds)) from None
    if answer.category not in question.allowed:
        raise MalformedAnswerError("category: not one of those asked for")
    if answer.quote and not stands_in(answer.quote, f"{question.subject}\n{question.text}"):
        return answer.model_copy(update={"quote": ""}), ("quote",)
    return answer, ()


def stands_in(quote: str, text: str) -> bool:
    """Whether the words stand in the text in this order, however they are broken into lines."""
    words = " ".join(quote.split())
    return bool(words) and words in " ".join(text.split())


def as_stored(answer: Answer) -> dict[str, Any]:
    """The answer as it is kept."""
    return answer.model_dump()


def _unfenced(content: str) -> str:
    """Small local models put their JSON into a Markdown fence whatever they are told."""
    bare = content.strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        return bare[bare.index("\n") + 1 : -3].strip()
    return bare
