"""What a mailbox knows about one address, the full name in it, and how common that name is where the address is."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rl_emails_assets.extraction.person_names import PersonName, forms_of, person_name
from rl_emails_assets.extraction.signatures import SignatureFacts, name_key

_SAME_INITIAL = 0.07
"""How likely two people of one name share the initial too, about one in fifteen."""
_SHARED_NAMES = 3
"""An address that so many full names were seen with, none of them mostly, is shared."""
PUBLIC_HOSTS = frozenset(
    """gmail.com googlemail.com yahoo.com ymail.com rocketmail.com hotmail.com outlook.com live.com msn.com aol.com
    icloud.com me.com
    mac.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org proton.me
    protonmail.com
    fastmail.com fastmail.fm hey.com zoho.com mail.com mail.ru yandex.ru yandex.com qq.com 163.com 126.com sina.com
    naver.com orange.fr
    wanadoo.fr free.fr laposte.net sfr.fr libero.it tiscali.it virgilio.it hotmail.co.uk hotmail.fr hotmail.de
    yahoo.co.uk yahoo.fr yahoo.de
    yahoo.co.in btinternet.com bigpond.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net earthlink.net
    cox.net charter.net
    juno.com netzero.net swbell.net prodigy.net compuserve.com excite.com telefonica.net terra.es rediffmail.com
    pacbell.net""".split()  # noqa: SIM905
)
"""Hosts that give an address to anybody: they say nothing about an organization."""

_ROLE = re.compile(
    r"(?:^|[._+-])(?:info|support|help|helpdesk|service|services|sales|contact|kontakt|contacto"
    r"|office|admin|administrator|administration|webmaster|postmaster|hostmaster|abuse|billing"
    r"|accounts?|accounting|invoice|invoices|orders?|press|marketing|jobs|careers|hr|team|staff"
    r"|all|everyone|list|lists|users|announce|announcements|news|newsletter|noreply|no-?reply"
    r"|donotreply"
    r"|do-?not-?reply|notifications?|notify|alerts?|mailer|mailer-daemon|daemon|bounces?|bounce"
    r"|owner|request|subscribe|unsubscribe|robot|bot|system|root|feedback|enquiries|inquiries"
    r"|hello|mail"
    r"|security|privacy|legal|reply|updates?|digest|calendar|bugzilla|jira|github|devel?|discuss)(?:$|[._+-])",
    re.IGNORECASE,
)
_GENERIC_NAME_WORDS = frozenset(
    """team support service services customer desk help info news newsletter list group department dept office admin
    administrator accounts billing sales notification notifications alert alerts system mail mailing reply noreply
    undisclosed recipients user users owner unknown security account online store shop chairman editor editors
    editorial network member members investor investors announcement announcements messaging management com net org
    www inc llc ltd corp gmbh press marketing promotions offers deals rewards club community survey surveys events
    registration""".split()  # noqa: SIM905
)
_SECOND_LEVEL = frozenset("co com ac gov edu org net or ne".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What a mailbox knows about one address. `names` counts the display names seen with it; `from_count` and
    `to_count` are the
    messages that carry it as sender and as recipient; `received_count`, `sent_count` and `replied_count` are what the
    owner
    received from it, sent to it and answered."""

    address: str
    names: Mapping[str, int]
    from_count: int
    to_count: int
    received_count: int
    sent_count: int
    replied_count: int
    first_at: datetime
    last_at: datetime
    signature: SignatureFacts = field(default_factory=SignatureFacts)


def is_role_address(address: str) -> bool:
    """Whether an address names a function, a list or a robot instead of a person."""
    local = address.partition("@")[0]
    return bool(_ROLE.search(local[:80])) or len(local) > 64 or sum(map(str.isdigit, local)) > 8


def says_more(name: str) -> bool:
    """Whether a display name says more than an address."""
    return "@" not in name and any(character.isalpha() for character in name)


def full_name(contact: ContactFacts) -> tuple[str, ...]:
    """The full name most used with an address, as `name_key`; () when it has none, a generic
    one, or several people's."""
    counts: Counter[tuple[str, ...]] = Counter()
    for name, count in contact.names.items():
        if "@" not in name and (person := person_name(name)):
            counts[person.key] += count
    counts[name_key(contact.signature.name)] += 1
    del counts[()]
    if len(counts) >= _SHARED_NAMES and 2 * max(counts.values()) <= counts.total():
        return ()
    for key, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        return () if _GENERIC_NAME_WORDS.intersection(key) or len(key) > 4 else key
    # No display name with two words: "first.last@" says the name itself.
    parts = [part for part in re.split(r"[._]", contact.address.partition("@")[0][:64]) if part]
    if (
        len(parts) in (2, 3)
        and all(part.isalpha() and len(part) > 1 for part in (parts[0], parts[-1]))
        and not contact.names
    ):
        return name_key(f"{parts[0]} {parts[-1]}")
    return ()


def name_of(contact: ContactFacts) -> PersonName | None:
    """The full name of an address taken apart, in the form that has initials if there is one."""
    key = full_name(contact)
    forms = [name for said in sorted(contact.names) if (name := person_name(said)) and name.key == key]
    return max(forms, key=lambda name: (len(name.initials), name.given), default=person_name(" ".join(key)))


def place_of(contact: ContactFacts) -> str:
    """The organization of an address: the name in its domain, whatever country ("ibm.com", "ibm.de")."""
    site = site_of(contact.address.partition("@")[2])
    label = site.split(".")[0]
    return label if site not in PUBLIC_HOSTS and len(label) > 3 else site


def mailbox_of(address: str) -> str:
    """The mailbox that an address with a tag, or with the dots that one host ignores, leads to; "" for a role's."""
    local, _, domain = address.partition("@")
    local = local.partition("+")[0] or local
    if is_role_address(f"{local}@{domain}"):
        return ""
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def site_of(domain: str) -> str:
    """The registrable part of a domain, by a rule of thumb that knows "co.uk" and its like."""
    labels = domain.lower().split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


@dataclass(slots=True)
class Crowd:
    """The full names known at one place: how common each part of them is there."""

    names: int = 0
    given: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    family: Counter[str] = field(default_factory=Counter)

    def add(self, name: PersonName) -> None:
        """Count one more name."""
        self.names += 1
        self.given[name.given] += 1
        self.forms.update(forms_of(name.given))
        self.family[name.family] += 1

    def namesakes(self, one: PersonName, other: PersonName) -> float:
        """How many people besides are expected to bear these names there, were given and family names drawn apart."""
        if one.given == other.given:
            known, given = 1, self.given[one.given]
        else:
            known, given = 2, max((self.forms[form] for form in forms_of(one.given) & forms_of(other.given)), default=0)
        others = max(0, given - known) * max(0, self.family[one.family] - known) / max(1, self.names)
        return others * (_SAME_INITIAL if one.initials & other.initials else 1.0)


def crowds_of(named: Mapping[tuple[str, ...], Sequence[ContactFacts]]) -> dict[str, Crowd]:
    crowds: defaultdict[str, Crowd] = defaultdict(Crowd)
    for members in named.values():
        for place in {place_of(one) for one in members}:
            name = next((name for one in members if place_of(one) == place and (name := name_of(one))), None)
            if name is not None:
                crowds[place].add(name)
    return crowds
