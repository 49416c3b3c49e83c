"""The words of subjects that tell one matter from another."""

import re
from functools import lru_cache

MAX_SUBJECT_CHARS = 200
MAX_WORDS = 16

_PREFIX = re.compile(
    (
        r"^\s{0,4}(?:(?:re|fwd?|aw|wg|sv|tr|rv|antw|vs|ref|fyi)\s{0,2}(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,2}:"
        r"|\[[^\]]{1,40}\])"
    ),
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+){0,4}")

_STOP = """
a about above after again against all also am an and any are as at attached back be because been before being below
best between both but by call calls can cc
could day days dear did do does doing done down due during each email emails e-mail fax few file files first follow
following for forward forwarded
forwarding found free from further fw fwd fyi get go good got great had hard has have having he hello help her here
hey hi him his home how i if important in info information
into is issue issues it item items its just know last latest let letter list look lunch mail make may me meet meeting
meetings memo message messages minutes misc monday month more
morning most mr ms my need needed new news next night no not note notes now number numbers of off ok old on one only
open or other our out over
page part per phone please possible problem problems question questions quick re read ready really regarding reminder
reply report reports request response revised same saturday
schedule see send sending sent she should small so some something status still stuff subject sunday sure system talk
team test than thank thanks that the their them then there these they thing
things this those thoughts through thursday time times to today tomorrow tonight too topic tuesday two under until up
update updated updates urgent us use using very via vs want was way we wednesday
week weekend weekly weeks well were what when where which while who why will with work would year yes yesterday you
your friday daily monthly agenda draft final version document documents doc
action required invitation accepted declined canceled cancelled confirmation confirmed reschedule rescheduled summary
review comments comment feedback proposal discussion conference visit trip plan plans
january february march april june july august september october november december jan feb mar apr jun jul aug sep sept
oct nov dec morning afternoon evening
der die das den dem des ein eine einen einer eines und oder mit von vom zu zum zur im in ins auf für fuer bei nach
über ueber aus an am ist sind war nicht auch noch bitte wegen betreff betr anfrage frage fragen
antwort termin termine treffen besprechung neue neuer neues neu ihre ihr unser unsere wir sie ich heute morgen danke
info
le la les un une des du de d l et ou au aux en dans sur pour par avec sans ce cette ces est sont pas plus votre vos
notre nos vous nous je merci bonjour réunion question demande réponse
el los las uno unos unas del al y o con sin por para en es son no más su sus nuestro nuestra su usted gracias hola
reunión pregunta consulta respuesta solicitud
ii iii iv vi cancel cancellation respond event events special whats web site website online notice notices link links
id requested submitted
untitled none undeliverable delivery failed failure returned automatic auto office bounce spam test testing hello
happy birthday congratulations congrats
"""
STOP_WORDS = frozenset(_STOP.split())
"""Words that name no matter: grammar, the calendar, and what half of all subjects say."""


@lru_cache(maxsize=1 << 14)
def subject_words(subject: str) -> tuple[str, ...]:
    """The words of a subject as written, without reply prefixes and list tags, at most MAX_WORDS."""
    rest = subject[:MAX_SUBJECT_CHARS]
    for _ in range(8):
        match = _PREFIX.match(rest)
        if match is None:
            break
        rest = rest[match.end() :]
    return tuple(match.group() for match in _WORD.finditer(rest))[:MAX_WORDS]


def is_distinctive(word: str, names: frozenset[str]) -> bool:
    """Whether `word` (as written) may tell a matter: not grammar, not a date or a bare number, not a person's name."""
    lowered = word.lower()
    if lowered in STOP_WORDS or lowered in names or len(lowered) > 30:
        return False
    if not any(character.isalpha() for character in word) or re.fullmatch(
        (r"[\d.,:/-]*(?:st|nd|rd|th|am|pm|k|mm|m|h)?"), lowered
    ):
        return False
    return len(word) >= 4 or (len(word) >= 2 and word.isupper()) or len(word) == 3
