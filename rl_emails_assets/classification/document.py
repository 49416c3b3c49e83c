"""What the genre model reads of a whole message: its tokens, cleaned of what only tells where it was collected."""

import re
from collections.abc import Sequence

from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.words import word_set

MAX_TOKENS = 220
GENRES: tuple[str, ...] = ("person", "newsletter", "promotion", "transaction")
"""person: somebody wrote it to somebody; newsletter: regular reading for many; promotion: it sells; transaction: a
receipt, an account notice, a system's notice."""
DOCUMENT_CUES: tuple[str, ...] = (
    "greeting",
    "sign_off",
    "first_person",
    "second_person",
    "unsubscribe",
    "money",
    "many_exclamations",
    "loud_subject",
    "no_link",
    "many_links",
    "many_numbers",
    "up_to_20_tokens",
    "up_to_80_tokens",
    "over_200_tokens",
    "question",
    "headlines",
)
_INDEX = {name: position for position, name in enumerate(DOCUMENT_CUES)}

_SUBJECT_TAG = re.compile(r"\[[^\[\]]{1,60}\]")
_REPLY_MARK = re.compile(
    r"^(?:(?:re|fw|fwd|aw|wg|sv|rv|tr|rif|enc)(?:\[\d{1,2}\])?\s{0,2}:\s{0,2}){1,6}", re.IGNORECASE
)
_GREETINGS = word_set("""hi hello hey dear hallo liebe lieber bonjour hola ciao olá beste guten cher chère""")
_SIGN_OFFS = word_set(
    """regards thanks cheers thx best sincerely love grüße gruß cordialement saludos saluti abraços groeten"""
)
_FIRST = word_set("""i i'm i've i'll i'd my me ich mir mich je j'ai yo mi io eu ik""")
_SECOND = word_set("you your you're yours you'll")
_UNSUBSCRIBE = word_set("""unsubscribe unsubscribed unsubscribing abmelden désabonner baja disiscriviti""")
_HOLDING: tuple[tuple[str, frozenset[str]], ...] = (
    ("first_person", _FIRST),
    ("second_person", _SECOND),
    ("unsubscribe", _UNSUBSCRIBE),
    ("money", word_set("$ € £ ¥")),
    ("question", word_set("?")),
    ("headlines", word_set("headlines newsletter digest edition issue subscribers")),
)


def plain_subject(subject: str) -> str:
    """The subject without reply marks and list tags."""
    untagged = _SUBJECT_TAG.sub(" ", subject[:300]).strip()
    return _REPLY_MARK.sub("", untagged)


def document_tokens(lexer: Lexer, subject: str, text_tokens: Sequence[str]) -> list[str]:
    """The tokens of the subject, a border, and the first tokens of the text."""
    return [*lexer.tokens(plain_subject(subject))[:40], "<body>", *text_tokens[: MAX_TOKENS - 41]]


def document_cues(subject: str, tokens: Sequence[str]) -> list[int]:
    """Which of `DOCUMENT_CUES` hold, as positions."""
    here = frozenset(tokens)
    count = len(tokens)
    links = tokens.count("<url>")
    border = tokens.index("<body>")
    found = {name for name, words in _HOLDING if not here.isdisjoint(words)}
    checks = (
        ("greeting", not _GREETINGS.isdisjoint(tokens[border + 1 : border + 3])),
        ("sign_off", not _SIGN_OFFS.isdisjoint(tokens[-12:])),
        ("many_exclamations", tokens.count("!") > max(2, count // 60)),
        ("loud_subject", len(subject) > 8 and subject.isupper()),
        ("no_link", links == 0),
        ("many_links", links > 3),
        ("many_numbers", tokens.count("<number>") > max(3, count // 12)),
        ("up_to_20_tokens", count <= 20),
        ("up_to_80_tokens", 20 < count <= 80),
        ("over_200_tokens", count > 200),
    )
    found.update(name for name, holds in checks if holds)
    return sorted(_INDEX[name] for name in found)
