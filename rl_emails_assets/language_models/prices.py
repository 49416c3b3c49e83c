"""What a question can cost at most, what it did cost, and what it will about cost."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from rl_emails_assets.language_models.question import Question, prompt
from rl_emails_assets.language_models.reply import MOST_ANSWER_TOKENS, Reply
from rl_emails_assets.settings import Settings

BYTES_PER_TOKEN = 3.6
"""Of mail in English and its neighbours under the current encodings, for estimates; a token is a byte at least."""
USUAL_ANSWER_TOKENS = 90
_ENVELOPE_TOKENS = 400
"""The schema and the marks between messages, which some servers count."""
_MILLION = Decimal(1_000_000)
_CENT_PART = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens."""

    input_usd: Decimal
    output_usd: Decimal

    @classmethod
    def of(cls, settings: Settings) -> "Prices":
        """The settings refuse a model without prices; see there."""
        return cls(
            Decimal(str(settings.language_model_input_usd or 0)), Decimal(str(settings.language_model_output_usd or 0))
        )

    def cost(self, input_tokens: float, output_tokens: float) -> Decimal:
        """Rounded up to a millionth of a dollar."""
        exact = (Decimal(input_tokens) * self.input_usd + Decimal(output_tokens) * self.output_usd) / _MILLION
        return exact.quantize(_CENT_PART, rounding=ROUND_UP)

    def most(self, question: Question) -> Decimal:
        """No answer can cost more: no token is shorter than a byte, and the answer's length is bounded. With the halves
        that may have to confirm it."""
        return sum((self._most_alone(one) for one in (question, *(question.halves() or ()))), Decimal(0))

    def about(self, question: Question) -> Decimal:
        """What it will probably cost."""
        return self.cost(about_tokens(question), USUAL_ANSWER_TOKENS)

    def paid(self, question: Question, reply: Reply) -> Decimal:
        """What was paid, as far as it is known; the most possible where the server does not tell."""
        if reply.was_not_billed:
            return Decimal(0)
        if reply.input_tokens is None or reply.output_tokens is None:
            return self._most_alone(question)
        return self.cost(reply.input_tokens, reply.output_tokens)

    def _most_alone(self, question: Question) -> Decimal:
        return self.cost(_bytes(question) + _ENVELOPE_TOKENS, MOST_ANSWER_TOKENS)


def about_tokens(question: Question) -> int:
    """Tokens of the prompt, estimated."""
    return round(_bytes(question) / BYTES_PER_TOKEN)


def _bytes(question: Question) -> int:
    return sum(len(message["content"].encode()) for message in prompt(question))
