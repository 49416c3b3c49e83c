"""One question, one reply: every way in which a server can fail is named, and none is raised."""

import pytest

from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.verdict import Verdict
from rl_emails_assets.language_models.asking import ask
from rl_emails_assets.language_models.client import DEFAULT_PAUSE_SECONDS, ModelClient
from rl_emails_assets.language_models.prices import Prices
from rl_emails_assets.language_models.question import Question, question_of, visible

LETTER = ClassifierInput(
    subject="The roof", new_text="The tiles have come. Could you call the roofer? He waits.", from_address="a@b.example"
)


def _question() -> Question:
    return question_of(LETTER, ("mailing_list", "person"))


def test_an_answer_comes_back_with_its_cost(model, with_model):
    """A cost that is not what the server counted makes every cap a guess."""
    model.verdict = lambda *_: {
        "category": "person",
        "needs": "reply",
        "urgency": "today",
        "quote": "Could you call the roofer?",
    }
    settings = with_model()
    reply = ModelClient(settings).ask(_question())
    assert reply.outcome == "answered"
    assert reply.answer is not None
    assert reply.answer.quote == "Could you call the roofer?"
    assert float(Prices.of(settings).paid(_question(), reply)) == pytest.approx(0.002)
    (request,) = model.requests
    assert request["response_format"]["json_schema"]["schema"]["properties"]["category"]["enum"] == [
        "mailing_list",
        "person",
    ]
    assert "tools" not in request
    assert model.headers[0]["authorization"] == "Bearer key-of-the-test"


def test_no_address_and_nothing_hidden_is_sent(model, with_model):
    """Addresses are not needed to judge a mail, and what a reader does not see is where orders to a program hide."""
    hidden = "Hello\u200b\u202e there \U000e0049\U000e0067 see https://a.example/?token=abc " + "QUJD" * 40
    ModelClient(with_model()).ask(
        question_of(ClassifierInput(new_text=hidden, from_address="a@b.example"), ("person",))
    )
    sent = str(model.requests[0]["messages"])
    assert "b.example" not in sent
    assert model.mails()[0]["text"] == "Hello there see [link] [code]"
    assert visible("a\n\n\n\nb  c") == "a\n\nb c"


@pytest.mark.parametrize(
    ("fault", "outcome", "is_for_all"),
    [
        ({"status": 429, "retry_after": 7}, "rate_limited", False),
        ({"status": 500}, "failed", False),
        ({"status": 401}, "failed", True),
        ({"status": 404}, "failed", True),
        ({"status": 400}, "failed", True),
        ({"status": 307, "location": "http://127.0.0.1:9/v1"}, "failed", True),
        ({"reset": True}, "failed", False),
        ({"delay": 1.0}, "timed_out", False),
        ({"refusal": "I cannot"}, "refused", False),
        ({"finish_reason": "content_filter", "content": ""}, "refused", False),
        ({"finish_reason": "length"}, "malformed", False),
        ({"content": "Sure! It is a letter."}, "malformed", False),
        ({"content": '{"category": "person"}'}, "malformed", False),
        ({"content": '{"category":"spam","needs":"read","urgency":"now","quote":""}'}, "malformed", False),
        ({"content": '{"category":"receipt","needs":"read","urgency":"now","quote":""}'}, "malformed", False),
        ({"content": '{"category":"person","needs":"read","urgency":"now","quote":"","tool":"x"}'}, "malformed", False),
        ({"content": "x" * 9000}, "malformed", False),
        ({"body": "<html>gateway</html>"}, "malformed", False),
        ({"body": '{"choices": []}'}, "malformed", False),
    ],
)
def test_every_failure_has_its_name(model, with_model, fault, outcome, is_for_all):
    """A failure that raised would end the run and keep the inbox waiting; one without a name could not be counted."""
    model.next(**fault)
    reply = ModelClient(with_model(language_model_timeout_seconds=0.5)).ask(_question())
    assert (reply.outcome, reply.answer, reply.is_for_all) == (outcome, None, is_for_all)
    assert len(model.requests) == 1, "who asks decides when to ask again"
    assert reply.outcome == "refused" or reply.reason


def test_a_server_says_for_how_long_it_is_to_be_left_alone(model, with_model):
    """Asking again too early counts as more of the same."""
    for told, pause in ((7, 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", DEFAULT_PAUSE_SECONDS), (10**9, 3600.0)):
        model.next(status=429, retry_after=told)
        assert ModelClient(with_model()).ask(_question()).pause_seconds == pause


def test_servers_that_know_less_are_asked_in_their_own_way(model, with_model):
    """Local servers lack JSON schemas or the newer name of the limit; people run their models behind them."""
    model.knows_schema = model.knows_completion_tokens = False
    client = ModelClient(with_model(openai_key=None))
    assert client.ask(_question()).outcome == "answered"
    assert client.ask(_question()).outcome == "answered"
    assert [request["response_format"]["type"] for request in model.requests[-2:]] == ["json_object"] * 2
    assert len(model.requests) == 4, "what was learned is not learned again"
    assert "max_tokens" in model.requests[-1]


def test_an_answer_in_a_fence_is_read_and_a_quote_that_is_not_the_mails_is_dropped(model, with_model):
    """Words that the sender never wrote would be shown to the reader as proof."""
    model.next(
        content='```json\n{"category":"person","needs":"reply","urgency":"today","quote":"Send the money today."}\n```'
    )
    reply = ModelClient(with_model()).ask(_question())
    assert (reply.outcome, reply.dropped) == ("answered", ("quote",))
    assert reply.answer is not None
    assert reply.answer.quote == ""


def test_where_the_server_counts_no_tokens_the_most_is_counted(model, with_model):
    """A server that keeps silent would be free, and no cap would ever be reached."""
    model.counts_tokens = False
    settings = with_model()
    reply = ModelClient(settings).ask(_question())
    prices = Prices.of(settings)
    assert prices.paid(_question(), reply) > prices.about(_question()) > 0
    assert prices.paid(_question(), reply) < prices.most(_question())


OFFLINE = Verdict("person", "read", "whenever", "owner", 0.4, ())


def _ask(model, with_model, offline=OFFLINE, question=None):
    settings = with_model()
    client = ModelClient(settings)
    return ask(client.ask, Prices.of(settings), offline, question or _question(), lambda _: 0.9)


def test_what_would_move_a_verdict_is_asked_of_each_half_as_well(model, with_model):
    """One sentence that orders the model about would otherwise be enough."""
    said = {"category": "person", "needs": "reply", "urgency": "today", "quote": "Could you call the roofer?"}
    model.verdict = lambda *_: said
    settled = _ask(model, with_model)
    assert settled.reply.answer is not None
    assert settled.reply.answer.needs == "reply"
    halves = [mail["text"] for mail in model.mails()]
    assert " ".join(halves[1:]) == halves[0]
    assert [mail["subject"] for mail in model.mails()] == ["The roof", "The roof", ""]
    assert float(settled.paid_usd) == pytest.approx(0.006)
    assert settled.reply.input_tokens == 3000

    model.requests.clear()
    model.verdict = lambda mail, _: said if "Could" in mail["text"] else said | {"needs": "read"}
    settled = _ask(model, with_model)
    assert settled.reply.answer is not None
    assert (settled.reply.answer.needs, settled.reply.answer.urgency) == ("read", "today")
    assert settled.reply.dropped == ("needs",)


def test_an_answer_that_moves_nothing_is_paid_for_once(model, with_model):
    """Most answers agree; asking three times about each would triple the bill."""
    model.verdict = lambda *_: {"category": "person", "needs": "read", "urgency": "whenever", "quote": ""}
    assert _ask(model, with_model).reply.dropped == ()
    assert len(model.requests) == 1


def test_a_half_without_an_answer_confirms_nothing(model, with_model):
    """A failure in the middle must not let the first answer through."""
    model.verdict = lambda *_: {"category": "person", "needs": "nothing", "urgency": "whenever", "quote": ""}
    model.next()
    model.next(status=500)
    settled = _ask(model, with_model)
    assert (settled.reply.outcome, settled.reply.answer) == ("failed", None)
    assert float(settled.paid_usd) > 0.002


def test_a_single_sentence_cannot_be_confirmed(model, with_model):
    """There is no half without the place that an order may stand in."""
    model.verdict = lambda *_: {"category": "person", "needs": "nothing", "urgency": "whenever", "quote": ""}
    settled = _ask(model, with_model, question=question_of(ClassifierInput(new_text="No end"), ("person",)))
    assert settled.reply.answer is not None
    assert settled.reply.answer.needs == "read"
    assert settled.reply.dropped == ("unconfirmed",)
