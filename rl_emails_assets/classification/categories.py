"""What a message is: first the headers that decide alone, in order; then signs that add up.

The order of the deciding rules is documented in docs/reference/classification.md and held by its test.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.verdict import Category, Evidence
from rl_emails_assets.classification.words import SOCIAL_PHRASES

_CALENDAR_SUBJECTS = re.compile(
    r"(?:(?:updated |accepted |tentative )?invitation: |(?:accepted|declined|tentative|tentatively accepted|cancell?ed"
    r"(?: event)?|updated(?: event)?|new time proposed|meeting forward notification|"
    r"einladung|zugesagt|abgesagt|abgelehnt|aktualisierte einladung|invitation à|accepté|refusé|annulé|"
    r"invitación|aceptado|rechazado|cancelado|invito|accettato|rifiutato|annullato|convite|aceito|recusado|"
    r"uitnodiging|geaccepteerd|geweigerd|geannuleerd) ?: )"
)
_CALENDAR_WORDS = ("when:", "where:", "wann:", "wo:", "quand", "cuándo", "quando:", "wanneer:", "calendar entry",
                   "*~*~*", "google calendar", "join with google meet", "microsoft teams meeting",
                   "detailed description:", "invitation from")  # fmt: skip
_AUTOMATIC_SUBJECTS: tuple[str, ...] = (
    "out of office", "out of the office", "autoreply", "auto-reply", "auto reply", "automatic reply", "auto response",
    "autoresponse", "automatische antwort", "abwesenheit", "abwesend", "réponse automatique", "absence du bureau",
    "absent du bureau", "respuesta automática", "fuera de la oficina", "fuera de oficina", "risposta automatica",
    "fuori sede", "fuori ufficio", "resposta automática", "fora do escritório", "automatisch antwoord",
    "afwezig", "niet aanwezig",
)  # fmt: skip
_BOUNCE_SUBJECTS: tuple[str, ...] = (
    "undeliverable", "undelivered mail", "delivery status notification", "delivery failure", "mail delivery failed",
    "delivery has failed", "returned mail", "failure notice", "message not delivered", "delivery notification",
    "unzustellbar", "nicht zustellbar", "non remis", "échec de la remise", "no se puede entregar", "no entregado",
    "mancata consegna", "impossibile recapitare", "não entregue", "falha na entrega", "niet bezorgd", "onbestelbaar",
    "message recall failure", "message recall success",
)  # fmt: skip
_JOB_SUBJECTS = ("cron <", "cron job", "logwatch", "nightly build", "backup report", "backup completed",
                 "schedule crawler", "hourahead", "job completed", "job failed", "daily run output")  # fmt: skip
_JOB_WORDS = ("parsing file -->", "log messages:", "no variances detected", "variances detected",
              "schedule crawler", "exit status", "exit code", "traceback (most recent call last)")  # fmt: skip
_READ_RECEIPTS = ("read: ", "not read: ", "gelesen: ", "ungelesen gelöscht: ", "lu : ", "lu: ", "leído: ", "letto: ",
                  "lida: ", "gelezen: ")  # fmt: skip
_LIST_TAG = re.compile(r"^(?:(?:re|fwd?|aw|wg|sv|antw) ?: ?){0,4}\[([a-z][\w .+-]{1,40})\]")
_NO_LIST_TAGS = frozenset(("external", "extern", "urgent", "action required", "confidential", "secure", "spam", "fwd",
                           "reminder", "important", "info", "fwd", "fw", "fyi", "internal", "encrypt", "test",
                           "ext"))  # fmt: skip
_SERVICE_HOSTS: tuple[str, ...] = (
    "github.com", "gitlab.com", "bitbucket.org", "atlassian.net", "atlassian.com", "jira.com", "circleci.com",
    "travis-ci.com", "travis-ci.org", "sentry.io", "pagerduty.com", "datadoghq.com", "opsgenie.net", "asana.com",
    "trello.com", "slack.com", "notion.so", "linear.app", "zendesk.com", "basecamp.com", "monday.com", "figma.com",
    "docs.google.com", "accounts.google.com", "dropbox.com", "statuspage.io", "accountprotection.microsoft.com",
    "teams.mail.microsoft", "sharepointonline.com", "jenkins-ci.org", "bugzilla.org", "phabricator.org",
)  # fmt: skip


_SPAM_OVER_LIST = 0.5
"""Log odds that nobody asked for it, from which mail over a list is no discussion."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A category, how sure it is (0-1), what it rests on, and which rule gave it ("" for the sum of signs).

    `likely` holds the probabilities of all categories that were weighed; {} where a rule decided.
    """

    category: Category
    certainty: float
    evidence: tuple[Evidence, ...]
    rule: str
    likely: Mapping[Category, float] = field(default_factory=dict)


def decide_first(reading: Reading) -> Finding | None:
    """The category if the owner, a calendar or a program that answers speaks for itself, else None."""
    for rule in (_own, _calendar, _automatic):
        finding = rule(reading)
        if finding:
            return finding
    return None


def decide(reading: Reading, odds: float, trap_odds: float, trap_signs: list[Evidence]) -> Finding | None:
    """The category if one sign decides alone, else None; for what `decide_first` left. The first that speaks wins.

    `odds` are the log odds that nobody asked for the message, `trap_odds` and `trap_signs` those of `suspicion`.
    """
    if trap_odds >= 0:
        return Finding("suspicious", min(0.97, 0.7 + 0.08 * trap_odds), tuple(trap_signs[:6]), "trap")
    for rule in (_social, _service):
        finding = rule(reading)
        if finding:
            return finding
    is_list, list_sign = discussion_list(reading)
    # A tracker or a build server names its project as a list does, but nobody talks there.
    is_list = is_list and not (reading.sender.kind == "notifier" or reading.sender.is_no_reply or reading.is_generated)
    # Mail that came over a list and that nobody asked for: spam has the list's headers too.
    # "Re:" alone is cheap to fake; an archive shows nothing else of an answer.
    is_answer = reading.given.is_reply or ("date" not in reading.headers and "re:" in reading.low_subject[:60])
    if is_list and (is_answer or odds < _SPAM_OVER_LIST):
        return Finding("mailing_list", max(0.6, min(0.98, 1 / (1 + math.exp(odds - 1)))), (list_sign,), "list")
    return None


def _decided(rule: str, category: Category, certainty: float, source: str, quote: str) -> Finding:
    return Finding(category, certainty, (evidence("category", source, quote),), rule)


def _own(reading: Reading) -> Finding | None:
    if not reading.given.is_from_owner:
        return None
    # Answers that the owner's own calendar or absence notice sent are no letters of the owner.
    other = _calendar(reading) or _automatic(reading)
    return other or _decided("own", "person", 0.99, "sender", reading.given.from_address or "the owner")


def _calendar(reading: Reading) -> Finding | None:
    given = reading.given
    if given.has_calendar and given.calendar_method in ("REQUEST", "CANCEL", "REPLY", "COUNTER", "DECLINECOUNTER"):
        return _decided("calendar", "calendar", 0.99, "calendar", f"METHOD:{given.calendar_method}")
    content_class = reading.header("content-class")
    if "calendarmessage" in content_class:
        return _decided("calendar", "calendar", 0.97, "header", f"Content-Class: {content_class}")
    if given.has_calendar and _looks_like_invitation(reading):
        return _decided("calendar", "calendar", 0.95, "calendar", f"calendar part, {reading.subject}")
    if _CALENDAR_SUBJECTS.match(reading.low_subject) and phrase_in(reading.low, _CALENDAR_WORDS):
        return _decided("calendar", "calendar", 0.9, "subject", reading.subject)
    if reading.sender.kind == "calendar":
        return _decided("calendar", "calendar", 0.9, "sender", given.from_address)
    if reading.low.startswith(("calendar entry", "when: ", "wann: ", "quand : ", "cuándo: ", "quando: ", "wanneer: ")):
        return _decided("calendar", "calendar", 0.9, "text", reading.body[:80])
    return None


def _looks_like_invitation(reading: Reading) -> bool:
    # Tickets and bookings carry events too (METHOD:PUBLISH or none): those are judged by their words.
    words = reading.subject_words | reading.words
    return words.isdisjoint(
        ("booking", "ticket", "tickets", "reservation", "order", "e-ticket", "buchung", "réservation")
    )


def _automatic(reading: Reading) -> Finding | None:
    subject, sender = reading.low_subject, reading.sender
    submitted = reading.header("auto-submitted")
    if submitted.startswith(("auto-replied", "auto-notified")):
        return _decided("automatic", "automatic", 0.97, "header", f"Auto-Submitted: {submitted}")
    for name in ("x-autoreply", "x-autorespond", "x-failed-recipients"):
        if reading.header(name):
            return _decided("automatic", "automatic", 0.97, "header", f"{name}: {reading.header(name)}")
    if "multipart/report" in reading.header("content-type"):
        return _decided("automatic", "automatic", 0.97, "header", "Content-Type: multipart/report")
    if "auto_reply" in reading.header("precedence"):
        return _decided("automatic", "automatic", 0.95, "header", "Precedence: auto_reply")
    if sender.kind == "daemon":
        return _decided("automatic", "automatic", 0.96, "sender", reading.given.from_address)
    # People answer "Re: Out of office"; a program's own subject starts with it or ends in it.
    is_answer = reading.subject != reading.plain_subject and subject.startswith(("re:", "aw:", "fw:", "fwd:", "wg:"))
    if not is_answer:
        for phrases in (_BOUNCE_SUBJECTS, _JOB_SUBJECTS):
            phrase = phrase_in(subject[:80], phrases)
            if phrase:
                return _decided("automatic", "automatic", 0.93, "subject", reading.subject)
        phrase = phrase_in(subject, _AUTOMATIC_SUBJECTS)
        if phrase and (subject.startswith(phrase) or "is out of" in subject or len(reading.tokens) < 160):
            return _decided("automatic", "automatic", 0.9, "subject", reading.subject)
        if subject.startswith(_READ_RECEIPTS) and len(reading.tokens) < 60:
            return _decided("automatic", "automatic", 0.85, "subject", reading.subject)
    job = phrase_in(reading.low, _JOB_WORDS)
    if job and not reading.given.is_reply_to_owner and not is_answer and reading.words.isdisjoint(("hi", "thanks")):
        return _decided("automatic", "automatic", 0.85, "text", job)
    return None


def _social(reading: Reading) -> Finding | None:
    sender = reading.sender
    if sender.social_domain and not (sender.has_person_name and not reading.headers):
        return _decided("social", "social", 0.95, "sender", reading.given.from_address)
    if reading.is_from_machine:
        phrase = phrase_in(f"{reading.low_subject}\n{reading.low[:300]}", SOCIAL_PHRASES)
        if phrase:
            return _decided("social", "social", 0.85, "text", phrase)
    return None


def _service(reading: Reading) -> Finding | None:
    domain = reading.sender.domain
    host = next((host for host in _SERVICE_HOSTS if domain == host or domain.endswith("." + host)), "")
    if not host:
        listed = reading.header("list-id")
        host = next((host for host in _SERVICE_HOSTS[:4] if host in listed), "") if listed else ""
    if not host and not reading.header("x-github-reason"):
        return None
    # Those who write from a service's own office write as people do.
    if not (reading.sender.kind or reading.sender.is_no_reply or reading.header("list-id") or len(domain) > len(host)):
        return None
    if reading.words.isdisjoint(("receipt", "invoice")) or not reading.has_money:
        return _decided("service", "notification", 0.94, "sender", reading.given.from_address or host)
    return None


def discussion_list(reading: Reading) -> tuple[bool, Evidence]:
    """Whether it came over a list on which people talk (not one that only sends), and the sign."""
    for name in ("x-beenthere", "x-mailman-version", "mailing-list", "x-mailing-list"):
        value = reading.header(name)
        if value:
            return True, evidence("category", "header", f"{name}: {value}")
    posting = reading.header("list-post")
    listed = reading.header("list-id")
    if posting and posting.strip()[:2] != "no":
        return True, evidence("category", "header", f"List-Post: {posting}")
    tag = _LIST_TAG.match(reading.low_subject)
    is_tagged = tag is not None and tag.group(1).strip() not in _NO_LIST_TAGS
    is_bulk = reading.header("precedence") in ("list", "bulk")
    is_campaign = bool(reading.header("feedback-id") or reading.header("x-campaign") or reading.header("x-campaignid"))
    if listed and not is_campaign and (is_tagged or reading.header("precedence") == "list"):
        return True, evidence("category", "header", f"List-Id: {listed}")
    sender_header = reading.header("sender")
    if "owner-" in sender_header or "-bounces@" in sender_header or "-admin@" in sender_header:
        return True, evidence("category", "header", f"Sender: {sender_header}")
    given = reading.given
    is_addressed = given.is_owner_in_to or given.is_owner_in_cc
    if is_tagged and not is_addressed and (is_bulk or not reading.headers.get("list-unsubscribe")):
        return True, evidence("category", "subject", reading.subject)
    return False, evidence("category", "header", "")
