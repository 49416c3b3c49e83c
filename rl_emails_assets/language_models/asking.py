"""One question from beginning to end: asked, and where the answer would move the verdict, asked again of each half."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from rl_emails_assets.classification.verdict import Verdict
from rl_emails_assets.language_models.merging import agreed, labels, merged
from rl_emails_assets.language_models.prices import Prices
from rl_emails_assets.language_models.question import Question
from rl_emails_assets.language_models.reply import Reply


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a question: the last reply, with the answer as far as it is confirmed, and what all replies cost."""

    reply: Reply
    paid_usd: Decimal


def ask(
    send: Callable[[Question], Reply],
    prices: Prices,
    verdict: Verdict,
    question: Question,
    asks: Callable[[str], float],
) -> Settled:
    """Ask; `send` is a client's `ask`, and `asks` the offline model's probability that a sentence asks for something.

    A half that gets no answer leaves the question unsettled: the reply is that half's.
    """
    replies = [send(question)]
    paid = [prices.paid(question, replies[0])]
    answer = replies[0].answer
    if answer is None or labels(merged(verdict, answer, asks)) == labels(verdict):
        return Settled(replies[0], paid[0])
    halves = question.halves()
    if halves is None:
        unmoved = answer.model_copy(
            update={"category": verdict.category, "needs": verdict.needs, "urgency": verdict.urgency}
        )
        return Settled(replace(replies[0], answer=unmoved, dropped=(*replies[0].dropped, "unconfirmed")), paid[0])
    for half in halves:
        replies.append(send(half))
        paid.append(prices.paid(half, replies[-1]))
        if replies[-1].answer is None:
            return Settled(_summed(replies, replies[-1]), sum(paid, Decimal(0)))
    confirmed, dropped = agreed(verdict, [reply.answer for reply in replies if reply.answer is not None])
    whole = replace(replies[0], answer=confirmed, dropped=(*replies[0].dropped, *dropped))
    return Settled(_summed(replies, whole), sum(paid, Decimal(0)))


def _summed(replies: list[Reply], last: Reply) -> Reply:
    """The reply with the tokens and the time of all of them."""
    return replace(
        last,
        input_tokens=sum(reply.input_tokens or 0 for reply in replies),
        output_tokens=sum(reply.output_tokens or 0 for reply in replies),
        latency_ms=sum(reply.latency_ms for reply in replies),
    )
