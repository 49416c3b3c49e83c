"""Who writes in the sample mailbox, when, and under which ids: scene entries resolved to plain facts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parseaddr

from rl_emails_assets.errors import SourceError
from rl_emails_assets.sample.mime_bytes import digest
from rl_emails_assets.sample.scene_text import Entry

YEAR = 2026
# Minutes east of UTC in summer and winter and when clocks change, instead of zoneinfo: Debian's slim images have no
# time zone data, and the sample must be buildable there.
_ZONES = {
    "uk": (60, 0, datetime(YEAR, 10, 25, 1, tzinfo=UTC)),
    "eu": (120, 60, datetime(YEAR, 10, 25, 1, tzinfo=UTC)),
    "us": (-240, -300, datetime(YEAR, 11, 1, 6, tzinfo=UTC)),
    "jp": (540, 540, datetime(YEAR, 1, 1, tzinfo=UTC)),
    "utc": (0, 0, datetime(YEAR, 1, 1, tzinfo=UTC)),
}
OWNER = "me"
OWNER_KEYS = frozenset({OWNER, "home"})


@dataclass(frozen=True, slots=True)
class Person:
    """A sender: a person with a mail program and a language, or a machine (`client` "machine")."""

    key: str
    name: str
    address: str
    client: str
    language: str
    zone: str
    signature: str
    headers: tuple[tuple[str, str], ...]

    @property
    def domain(self) -> str:
        """The part of the address after the at sign."""
        return self.address.partition("@")[2]

    @property
    def written(self) -> str:
        """Name and address as prose: in attributions and forwarded blocks."""
        return f"{self.name} <{self.address}>"


@dataclass(frozen=True, slots=True)
class Mail:
    """A scene with everything that other scenes may refer to."""

    scene: Entry
    sender: Person
    to: tuple[tuple[str, str], ...]
    """Names and addresses."""
    cc: tuple[tuple[str, str], ...]
    at: datetime
    """In the sender's zone."""
    message_id: str
    subject: str
    parent: str
    """Key of the mail it answers, or ""."""
    root: str
    """Key of the first mail of its thread."""

    @property
    def is_sent(self) -> bool:
        """The owner wrote it."""
        return self.sender.key in OWNER_KEYS


def person(entry: Entry) -> Person:
    """The person of an entry of people.txt."""
    return Person(
        key=entry.key,
        name=entry.get("Name"),
        address=entry.get("Address"),
        client=entry.get("Client", "machine"),
        language=entry.get("Lang", "en"),
        zone=entry.get("Zone", "uk"),
        signature=entry.text,
        headers=entry.mail_headers(),
    )


def local_time(written: str, zone: str) -> datetime:
    """The aware time of "MM-DD HH:MM" on the clock of a zone."""
    summer, winter, change = _ZONES[zone]
    naive = datetime.strptime(f"{YEAR}-{written} +0000", "%Y-%m-%d %H:%M %z")
    minutes = summer if naive - timedelta(minutes=summer) < change else winter
    return naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))


def _message_id(scene: Entry, sender: Person) -> str:
    mark = digest("id", scene.key)
    if sender.client == "gmail":
        return f"CA{mark[:22]}@mail.{sender.domain}"
    if sender.client == "outlook":
        return f"{mark[:32].upper()}@exch01.{sender.domain}"
    if sender.client == "apple":
        upper = mark.upper()
        return f"{upper[:8]}-{upper[8:12]}-{upper[12:16]}-{upper[16:20]}-{upper[20:32]}@{sender.domain}"
    return f"{mark[:10]}.{scene.key}@{sender.domain}"


def resolve(people: dict[str, Person], scenes: list[Entry]) -> dict[str, Mail]:
    """Every scene as a Mail, in the order written. Raises SourceError where a scene names nobody or nothing known."""

    def recipients(field: str) -> tuple[tuple[str, str], ...]:
        words = [word.strip() for word in field.split(",") if word.strip()]
        return tuple(parseaddr(word) if "@" in word else (people[word].name, people[word].address) for word in words)

    mails: dict[str, Mail] = {}
    for scene in scenes:
        try:
            sender = people[scene.get("From")]
            parent = scene.get("Re")
            subject = scene.get("Subject")
            default_to = OWNER
            if parent:
                start = mails[parent].subject
                reply = "AW" if sender.language == "de" and sender.client == "outlook" else "Re"
                subject = subject or (start if start.startswith(("Re: ", "AW: ")) else f"{reply}: {start}")
                asker = mails[parent].sender.key
                default_to = asker if (sender.key in OWNER_KEYS) != (asker in OWNER_KEYS) else OWNER
            mails[scene.key] = Mail(
                scene=scene,
                sender=sender,
                to=recipients(scene.get("To", default_to)),
                cc=recipients(scene.get("Cc")),
                at=local_time(scene.get("Date"), sender.zone),
                message_id=_message_id(scene, sender),
                subject=subject,
                parent=parent,
                root=mails[parent].root if parent else scene.get("Thread", scene.key),
            )
        except KeyError as error:
            raise SourceError(f"scene {scene.key!r} refers to {error}, which is not there; mend the scene") from error
    return mails
