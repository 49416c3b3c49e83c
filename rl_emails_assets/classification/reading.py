"""One message, read once: what every rule looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rl_emails_assets.classification.document import plain_subject
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.lexer import MAX_CHARS, Lexer, sentences
from rl_emails_assets.classification.senders import Sender, read_sender
from rl_emails_assets.classification.verdict import Evidence
from rl_emails_assets.classification.words import STOPWORDS, UNSUBSCRIBE_PHRASES

MAX_QUOTE_CHARS = 300
_FOOT_CHARS = 1_500


@dataclass
class Reading:
    """The input with its words cut, its sender read and its headers cleaned. Nothing here outlives one message."""

    given: ClassifierInput
    lexer: Lexer

    def __post_init__(self) -> None:
        given = self.given
        self.body: str = (given.new_text or given.text)[:MAX_CHARS]
        self.low: str = self.body.lower()
        self.subject: str = given.subject[:300].strip()
        self.low_subject: str = self.subject.lower()
        self.plain_subject: str = plain_subject(self.subject)
        self.headers: Mapping[str, str] = given.headers
        self.sender: Sender = read_sender(given.from_name, given.from_address)
        self.sentences: list[str] = sentences(self.body)
        self.sentence_tokens: list[list[str]] = [self.lexer.tokens(sentence) for sentence in self.sentences]
        self.tokens: list[str] = [token for tokens in self.sentence_tokens for token in tokens]
        self.words: frozenset[str] = frozenset(self.tokens)
        self.subject_tokens: list[str] = self.lexer.tokens(self.plain_subject)
        self.subject_words: frozenset[str] = frozenset(self.subject_tokens)

    def header(self, name: str) -> str:
        """A header's value, lower case and cut to what a rule can need; "" when it is absent."""
        return self.headers.get(name, "")[:300].lower()

    @cached_property
    def language(self) -> str:
        """Its most likely language of the seven that the rules know; "en" when nothing tells, "" when it is another."""
        words = self.words | self.subject_words
        best, most = "en", 0
        for language, frequent in STOPWORDS.items():
            hits = len(frequent & words)
            if hits > most:
                best, most = language, hits
        if not most and not (self.body + self.subject).isascii():
            return ""
        return best

    @cached_property
    def has_unsubscribe_words(self) -> bool:
        """The foot or the head of the body tells how to get off a list."""
        foot = self.given.text[-_FOOT_CHARS:].lower()
        if phrase_in(self.low, UNSUBSCRIBE_PHRASES):
            return True
        return foot != self.low[-_FOOT_CHARS:] and bool(phrase_in(foot, UNSUBSCRIBE_PHRASES))

    @cached_property
    def is_generated(self) -> bool:
        """A program says that it wrote it."""
        return self.header("auto-submitted").startswith("auto-generated")

    @cached_property
    def is_from_machine(self) -> bool:
        """Its headers or its sender's address say that no person sent it to one other."""
        sender = self.sender
        marks = ("list-unsubscribe", "feedback-id", "x-campaign", "x-campaignid")
        is_marked = self.is_generated or any(name in self.headers for name in marks)
        return is_marked or sender.is_no_reply or sender.is_mailing_domain or sender.kind in ("notifier", "news")

    @cached_property
    def has_money(self) -> bool:
        """An amount of money stands in it."""
        return not self.words.isdisjoint(("$", "€", "£", "¥", "usd", "eur", "gbp", "chf"))


def evidence(supports: str, source: str, quote: str, weight: float = 0.0) -> Evidence:
    """One item of evidence, its quote bounded and on one line."""
    return Evidence(supports, source, " ".join(quote[: MAX_QUOTE_CHARS * 2].split())[:MAX_QUOTE_CHARS], weight)


def phrase_in(text: str, phrases: tuple[str, ...]) -> str:
    """The first of the phrases that stands in the text, or ""."""
    for phrase in phrases:
        if phrase in text:
            return phrase
    return ""
