"""Is it a trap: a lure for credentials or money, a borrowed name, a dangerous attachment.

Each sign adds its log odds; a message is called suspicious from `THRESHOLD` on. Correspondents whom the owner has
answered, and discussion lists, start below zero. Weights are judgements, checked on the labelled sets.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache

from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.senders import FREE_DOMAINS
from rl_emails_assets.classification.verdict import Evidence
from rl_emails_assets.classification.words import word_set

Add = Callable[[str, str, float], None]

THRESHOLD = 3.0

_PROGRAMS = (".exe", ".scr", ".pif", ".bat", ".cmd", ".com", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".hta", ".lnk",
             ".ps1", ".jar", ".msi", ".iso", ".img", ".cpl", ".reg")  # fmt: skip
_MACROS = (".docm", ".xlsm", ".pptm", ".xlam", ".one", ".html", ".htm", ".shtml")
_CREDENTIAL_LURES: tuple[str, ...] = (
    "verify your account", "confirm your account", "verify your identity", "confirm your identity",
    "verify your information", "update your account information", "confirm your password", "validate your account",
    "account has been suspended", "account has been limited", "account will be suspended", "account will be closed",
    "account will be deactivated", "account has been locked", "account is locked", "unusual activity",
    "unusual sign-in", "unauthorized access to your account", "restore your account", "restore access",
    "reactivate your account", "billing information is out of date", "mailbox is full", "mailbox quota",
    "password will expire", "password expires", "konto wurde gesperrt", "konto wurde eingeschränkt",
    "bestätigen sie ihr konto", "bestätigen sie ihre daten", "compte a été suspendu", "vérifier votre compte",
    "confirmer vos informations", "cuenta ha sido suspendida", "cuenta ha sido bloqueada", "verifique su cuenta",
    "conto è stato sospeso", "verifica il tuo account", "verificare il suo conto", "conta foi suspensa",
    "conta foi bloqueada", "verifique sua conta", "account is geblokkeerd", "verifieer uw account",
)  # fmt: skip
_LURE_WORDS = word_set(
    """account identity sign information password activity access billing mailbox konto daten compte informations
    cuenta conto conta"""
)
"""Each lure holds one of these tokens: a cheap look before the long list."""
_ADVANCE_FEE: tuple[str, ...] = (
    "next of kin", "beneficiary", "inheritance", "foreign account", "transfer of funds", "transfer this money",
    "late husband", "late president", "deceased", "strictly confidential", "confidential business", "modalities",
    "unclaimed", "bank of nigeria", "central bank", "lottery", "your assistance", "foreign partner",
    "compensation fund", "consignment", "percentage of the total", "of the total sum", "god bless",
)  # fmt: skip
_GIFT_CARDS = ("gift card", "gift cards", "itunes card", "google play card", "geschenkkarte", "carte cadeau")
_CARD_LURES = ("urgent", "quick", "favor", "favour", "purchase", "scratch", "reimburse", "buy ", "are you available",
               "at your desk", "dringend", "kaufen", "urgence", "acheter")  # fmt: skip
_FAVOURS: tuple[str, ...] = (
    "are you at your desk", "can not talk", "can't talk right now", "cannot talk", "keep this between us",
    "keep this confidential", "send me your cell", "send me your mobile number", "need you to handle a task",
    "need you to run an errand", "change my direct deposit", "change my bank details", "update my bank details",
    "new bank account details", "our bank details have changed", "process a wire", "wire transfer today",
    "bankverbindung hat sich geändert", "nos coordonnées bancaires ont changé", "kannst du schnell",
)  # fmt: skip
"""How somebody who borrows a superior's or a supplier's name begins."""
_EXTORTION = ("bitcoin", "btc wallet", "recorded you", "your webcam", "adult site")
_THREATS = ("within 24 hours", "within 48 hours", "immediately", "urgent", "suspended", "final notice", "innerhalb von",
            "sous 24", "en 24 horas", "entro 24", "binnen 24", "will be closed", "permanently")  # fmt: skip
_BRANDS: dict[str, tuple[str, ...]] = {
    "paypal": ("paypal.",),
    "microsoft": ("microsoft.", "office365.", "microsoftonline.", "outlook.", "live."),
    "apple": ("apple.", "icloud."),
    "amazon": ("amazon.", "amazonses."),
    "netflix": ("netflix.",),
    "google": ("google.", "youtube."),
    "docusign": ("docusign.",),
    "dhl": ("dhl.",),
    "ups": ("ups.",),
    "fedex": ("fedex.",),
    "ebay": ("ebay.", "ebay-"),
    "citibank": ("citi.", "citibank."),
    "wellsfargo": ("wellsfargo.",),
    "sparkasse": ("sparkasse",),
    "facebook": ("facebook.", "facebookmail."),
    "instagram": ("instagram.",),
    "linkedin": ("linkedin.",),
}
_WORD = re.compile(r"[a-z0-9]{2,40}")
_DIGIT_LETTERS = str.maketrans("01358", "oless")


@lru_cache(maxsize=20_000)
def borrowed_brand(name: str, domain: str) -> str:
    """A brand that the display name or a look-alike domain claims while the domain is not the brand's; "" if none."""
    if not domain:
        return ""
    claimed = set(_WORD.findall(name[:120].lower())) | {name[:120].lower().replace(" ", "")}
    label_words = set(_WORD.findall(domain[:200]))
    unmasked = {word.translate(_DIGIT_LETTERS) for word in label_words} - label_words
    for brand, hosts in _BRANDS.items():
        if any(f".{host}" in f".{domain}" for host in hosts):
            continue
        if brand in claimed or brand in unmasked or f"{brand}-" in domain or (len(brand) > 4 and f"-{brand}" in domain):
            return brand
    return ""


def suspicion(reading: Reading, *, is_list: bool) -> tuple[float, list[Evidence]]:
    """The log odds that it is a trap, relative to `THRESHOLD`, and the signs."""
    found: list[Evidence] = []

    def add(source: str, quote: str, weight: float) -> None:
        found.append(evidence("category", source, quote, weight))

    _attachments(reading, add)
    _sender(reading, add)
    _words(reading, add)
    total = math.fsum(item.weight for item in found)
    if found:
        given = reading.given
        if given.sender_replied_count:
            total -= 3.0
        if is_list or given.is_reply_to_owner:
            total -= 2.5
    return total - THRESHOLD, found


def _attachments(reading: Reading, add: Add) -> None:
    for name in reading.given.attachment_names[:50]:
        low = name[-80:].lower().strip()
        if low.endswith(_PROGRAMS):
            add("text", f"attachment {name[-80:]}", 3.6)
            return
        if low.endswith(_MACROS):
            add("text", f"attachment {name[-80:]}", 1.2)
            return


def _sender(reading: Reading, add: Add) -> None:
    given, sender = reading.given, reading.sender
    brand = borrowed_brand(given.from_name, sender.domain)
    if brand:
        add("sender", f"{given.from_name} <{given.from_address}> is not {brand}", 2.2)
    answer_domain = given.reply_to_address[-200:].lower().rpartition("@")[2]
    if answer_domain and sender.domain and _apart(answer_domain, sender.domain):
        is_free = answer_domain in FREE_DOMAINS
        add("header", f"Reply-To: {given.reply_to_address[-200:]}", 1.4 if is_free else 0.5)
    if given.has_mismatched_link:
        add("text", "a link leads to another host than it shows", 1.5)
    results = reading.header("authentication-results")
    if "dmarc=fail" in results or "spf=fail" in results or "dkim=fail" in results:
        add("header", f"Authentication-Results: {results}", 1.5)


def _words(reading: Reading, add: Add) -> None:
    given = reading.given
    whole = f"{reading.low_subject}\n{reading.low}"
    has_way_out = bool(given.link_count or "<url>" in reading.words or given.attachment_names)
    may_lure = not (_LURE_WORDS.isdisjoint(reading.words) and _LURE_WORDS.isdisjoint(reading.subject_words))
    lure = phrase_in(whole, _CREDENTIAL_LURES) if may_lure else ""
    if lure:
        add("text", lure, 2.0 if has_way_out else 1.2)
    if reading.has_money or "million" in whole or "lottery" in whole:
        signs = [phrase for phrase in _ADVANCE_FEE if phrase in whole]
        if len(signs) >= 2:
            weight = min(4.5, 1.0 * len(signs)) + (1.0 if "million" in whole else 0.0)
            add("text", ", ".join(signs[:6]), weight)
    cards = phrase_in(whole, _GIFT_CARDS)
    if cards and _is_stranger(reading) and not reading.is_from_machine and phrase_in(whole, _CARD_LURES):
        add("text", cards, 3.2)
    favour = phrase_in(whole, _FAVOURS) if _is_stranger(reading) and len(reading.tokens) < 120 else ""
    if favour:
        add("text", favour, 1.6)
    blackmail = [phrase for phrase in _EXTORTION if phrase in whole]
    if len(blackmail) >= 2:
        add("text", ", ".join(blackmail), 3.5)
    threat = phrase_in(whole, _THREATS) if lure else ""
    if threat:
        add("text", threat, 1.0)


def _is_stranger(reading: Reading) -> bool:
    """Nobody whom the owner has answered, nor of the owner's own organization."""
    given, domain = reading.given, reading.sender.domain
    is_colleague = bool(given.owner_domain) and domain == given.owner_domain and not reading.sender.is_free_domain
    return not (given.sender_replied_count or given.is_reply_to_owner or is_colleague)


def _apart(left: str, right: str) -> bool:
    return left.split(".")[-2:] != right.split(".")[-2:]
