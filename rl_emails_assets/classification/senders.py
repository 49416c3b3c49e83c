"""What the shape of a sender's name and address says about who writes: a person, a program, a department."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rl_emails_assets.classification.words import word_set

_SPLIT = re.compile(r"[^a-z]+")
_NAME_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]{0,30}")
_COMPACT = str.maketrans("", "", "._-+ ")

_DAEMONS = ("mailerdaemon", "postmaster", "maildelivery", "mailerror", "microsoftexchange")
_NO_REPLY = ("noreply", "donotreply", "noaddress", "nicht antworten", "nichtantworten", "nepasrepondre", "noresponder")
_KINDS: dict[str, frozenset[str]] = {
    "calendar": word_set("calendar kalender calendrier agenda calendario kalendar"),
    "notifier": word_set(
        """notification notifications notify notifier alert alerts system sysadmin monitor monitoring jira github
    gitlab bitbucket jenkins ci builds build tracker issues bot robot cron root daemon automail arsystem crawler
    reminder
    reminders mailsweeper security account accounts status ticket tickets helpdesk hotline workflow updates
    service"""
    ),
    "news": word_set(
        """news newsletter newsletters digest daily weekly bulletin headlines editor editors nytdirect magazine
    briefing reports dispatch subscriptions subscription lists update insider ecenter nieuwsbrief"""
    ),
    "seller": word_set(
        """offers offer promo promos promotions promotion marketing deals deal sale specials shop store rewards
    campaign savings club email emails mailing events seminars conference bestoffers getsmart ads"""
    ),
    "billing": word_set(
        """billing invoice invoices receipt receipts order orders payment payments shipping shipment booking
    bookings reservations confirm confirmation confirmations tracking delivery rechnung bestellung
    facturation factura facturas fatturazione ordini pedidos facturatie bestellingen autoconfirm"""
    ),
    "announcer": word_set("""announcements announcement announce chairman communications everyone"""),
    "role": word_set(
        """info support contact hello team help admin administrator office feedback customerservice customer
    webmaster sales enquiries inquiries hr kontakt servicio mail"""
    ),
}
_PRECEDENCE = ("calendar", "billing", "news", "seller", "announcer", "notifier", "role")
_ORGANIZATION_WORDS = word_set(
    """team newsletter news support alerts alert inc ltd gmbh llc corp store shop service services bank
    notifications offers daily weekly online customer sales via the digest group club center centre office
    announcements department admin administrator marketing deals dispatch updates magazine reports"""
)
FREE_DOMAINS = word_set(
    """gmail.com googlemail.com yahoo.com hotmail.com outlook.com live.com msn.com aol.com icloud.com me.com
    gmx.de gmx.net web.de t-online.de orange.fr free.fr wanadoo.fr laposte.net libero.it virgilio.it
    terra.com.br uol.com.br bol.com.br proton.me protonmail.com pm.me mail.ru yandex.ru qq.com 163.com
    yahoo.fr yahoo.de yahoo.es hotmail.fr ziggo.nl kpnmail.nl earthlink.net sbcglobal.net"""
)
_MAILING_LABELS = word_set(
    """e em email emails news newsletter newsletters offers promo promos info mailing mailings marketing
    campaign campaigns mkt click mailer reply bounce bounces updates notify notifications mg sendgrid service"""
)
SOCIAL_DOMAINS = word_set(
    """linkedin.com facebookmail.com facebook.com twitter.com x.com instagram.com pinterest.com meetup.com
    xing.com nextdoor.com reddit.com redditmail.com quora.com tiktok.com discord.com tumblr.com vk.com
    viadeo.com snapchat.com bsky.app mastodon.social strava.com youtube.com goodreads.com threads.net
    myspace.com friendster.com evite.com classmates.com whatsapp.com telegram.org twitch.tv"""
)


@dataclass(frozen=True, slots=True)
class Sender:
    """`kind` is daemon, calendar, notifier, news, seller, billing, announcer, role, or "" where nothing is said."""

    local: str
    domain: str
    kind: str
    is_no_reply: bool
    is_free_domain: bool
    is_mailing_domain: bool
    has_person_name: bool
    has_serial_address: bool
    social_domain: str


@lru_cache(maxsize=20_000)
def read_sender(name: str, address: str) -> Sender:
    """The shape of a sender; both may be ""."""
    name, address = name[:120], address[:320].lower()
    local, _, domain = address.rpartition("@")
    compact = local.translate(_COMPACT)
    words = frozenset(_SPLIT.split(local)) | {compact.rstrip("0123456789")}
    is_daemon = any(mark in compact for mark in _DAEMONS) or "mail delivery" in name.lower()
    kind = "daemon" if is_daemon else next((kind for kind in _PRECEDENCE if not words.isdisjoint(_KINDS[kind])), "")
    labels = domain.split(".")
    is_mailing = len(labels) > 2 and not _MAILING_LABELS.isdisjoint((labels[0], labels[0].rstrip("0123456789")))
    registered = ".".join(labels[-2:])
    return Sender(
        local=local,
        domain=domain,
        kind=kind,
        is_no_reply=any(mark in compact for mark in _NO_REPLY),
        is_free_domain=domain in FREE_DOMAINS,
        is_mailing_domain=is_mailing,
        has_person_name=not kind and _is_person_name(name, local),
        has_serial_address=sum(character.isdigit() for character in local) > 5,
        social_domain=registered if registered in SOCIAL_DOMAINS else "",
    )


def _is_person_name(name: str, local: str) -> bool:
    words = _NAME_WORD.findall(name)
    if words:
        low = {word.lower() for word in words}
        return 2 <= len(words) <= 4 and low.isdisjoint(_ORGANIZATION_WORDS) and not any(map(str.isdigit, name))
    # Mail without a display name: "anna.berg" and "a..howard" are people.
    parts = [part for part in re.split(r"[._']+", local) if part]
    return 2 <= len(parts) <= 3 and all(part.isalpha() for part in parts)
