"""The words around a date: which announce one, which look ahead or back, and the cheap test before all patterns."""

import re

from rl_emails_assets.extraction.date_vocabulary import (
    MONTHS,
    NAMED_TIMES,
    PARTS_OF_DAY,
    RELATIVE_DAYS,
    UNITS,
    WEEKDAYS,
)
from rl_emails_assets.extraction.feasts import NAMES

_WORD = re.compile(r"[^\W\d_]+")
_DAY_UNITS = frozenset(word for word, unit in UNITS.items() if unit != "second") - {
    "an",
    "ora",
    "ore",
    "ano",
    "min",
    "dia",
}

TRIGGER_WORDS = (
    frozenset(WEEKDAYS)
    | frozenset(MONTHS)
    | _DAY_UNITS
    | frozenset(word for name in (*NAMES, *RELATIVE_DAYS, *PARTS_OF_DAY, *NAMED_TIMES) for word in _WORD.findall(name))
    | frozenset(f"{day}s" for day in WEEKDAYS)
    | frozenset(
        """seconds secs min mins am everyday eod eow eom eoq eoy spring summer autumn winter
        weekend kw wk monatsende jahresende quartalsende oclock clock uhr uur daily weekly monthly yearly annual
        annually quarterly biweekly semiannual q ish feira segunda terça quarta quinta sexta pm minuti noonish
        workweek weekdays weekday fall fiscal thirty fifteen forty three four five six seven eight nine ten eleven
        twelve twenty thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
        thirtieth""".split()  # noqa: SIM905
    )
) - frozenset(
    """a an de d la le el l of the in all fat black st new day's good may da dei saint os for por los labour labor
    business close end play freedom up di three ca santo san s x do after before early th st international president
    presidents washington canada holiday mother father mothers fathers""".split()  # noqa: SIM905
) | {"may"}
"""Without one of these words or TRIGGER_DIGITS a text names no day or time that the patterns know."""

_MONTH_STARTS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BEFORE_DIGIT = (
    r"\bat\s",
    r"\baround\s",
    r"\bpast\s",
    r"\bthan\s",
    r"\bthe\s",
    r"at\sabout\s",
    r"\bfrom\s",
    r"\bbetween\s",
    r"\bfy",
    r"\bfy\s",
    "-w",
    "meeting to ",
    "appointment to ",
    "call to ",
    r"@\s",
    "@",
    "q",
    "kw",
    "wk",
    "ber",
    r"\bh",
    *_MONTH_STARTS,
)
TRIGGER_DIGITS = re.compile(
    r"\d(?:\s?(?:[/:-]\s?\d|\.\s?\d{1,2}\.|[ap]\.?m|[ap]\b|h\b|h\d|(?:st|nd|rd|th)\b|uhr|uur|ish|noon|o'?clock|"
    + "|".join(_MONTH_STARTS)
    + ")|"
    + "|".join(rf"(?<={before}\d)" for before in _BEFORE_DIGIT)
    + r"|(?<=2)0\d\d(?:[01]\d[0-3]\d\b|(?<=(?:of|te|ly|id)[ -]20\d\d)\b))"
)
"""Digits that may be a date or a time, in lower case."""

AFTER_CUE = re.compile(r",? (?:or|and) (?:later|earlier|after|before|sooner)\b|,? at the (?:very )?latest\b")
"""Words right behind a time that make it one."""

CUE = re.compile(
    r"\b(?:on or before|at or before|at the latest by|by|before|prior to|earlier than|ahead of|until|till|til|up to"
    r"|due(?: (?:on|by|in|at|date(?: is|:)?))?|no later than|not later than|later than|not after"
    r"|deadline(?: is|:| of| for this is)?|expir(?:es|ing|y date:?|ation date:?)(?: on)?|ends(?: on)?|rsvp(?: by)?"
    r"|bis(?: zum| spätestens| einschließlich)?|spätestens(?: am| bis| zum)?|vor(?: dem)?|fällig(?: am| bis)?|frist:?"
    r"|avant(?: le| la)?|d'ici(?: au?| le)?|jusqu'(?:au?|à)|au plus tard(?: le)?|échéance:?"
    r"|antes (?:del?|de las?)|hasta(?: el| las?)|para el|a más tardar(?: el)?|vence(?: el)?"
    r"|entro(?: il| le)?|prima (?:di|del)|scade(?: il)?|fino al?|uiterlijk(?: op)?|vóór|voor|tot(?: en met)?"
    r"|até(?: a| o| ao| às| dia| o dia)?|antes d[oa]|prazo:?|vence em"
    r"|on|am|le|el|il|op|at|@|for|um|à|von|ab|from|since|after|starting|starting on|beginning|around|about|in"
    r"|between|during|em|nel|alle|om)"
    r"[ :]{1,2}(?:or before )?(?:the |den |dem |il |o |de )?$"
)
"""What may stand right before a date, in plain text; the words become part of the deadline's text."""

WEAK_CUES = frozenset(
    """for at @ um à von ab from am le el on il op since after starting beginning around about in between
    during em nel alle om""".split()  # noqa: SIM905
)
"""Cues that say "at that time" rather than "not after it"."""
BEFORE_CUES = frozenset(
    {"before", "prior to", "earlier than", "ahead of", "vor", "vor dem", "avant", "avant le", "avant la", "antes de",
     "antes del", "antes do", "antes da", "prima di", "prima del", "voor", "vóór"}
)  # fmt: skip

PART_CUE = re.compile(r"(?:in|during|at|by|over) ")
"""Words within a part of the day that make it a time ("in the morning")."""
OWN_CUE = re.compile(
    r"(?:from|between|for|in|during|by|before|until|till|due|on|at|@|around|about|after|next|this|following|coming) "
)
"""Words with which an atom itself begins."""

_FORWARD_WORDS = frozenset(
    """will ll won please pls can could would should shall must need needs needed due by before until deadline let plan
    planning planned schedule scheduled meeting meet call appointment rsvp expires ends starts begins remind reminder
    free available asap gonna
    bitte muss müssen soll sollten kann bis werde werden wird spätestens termin devez doit dois
    veuillez merci pouvez peux avant sera réunion favor debe puede puedes hasta antes será reunión cita vence necesito
    book set arrange reserve tomorrow könnten können könnt könnte könntest pourriez pourrais podría podrías podemos
    entro puoi potete potrebbe dobbiamo riunione prego scadenza uiterlijk kunt kunnen moet moeten vergadering graag
    alstublieft até pode podemos favor prazo deve precisamos precisa""".split()  # noqa: SIM905
)
_FORWARD_PHRASES = re.compile(
    r"\b(?:going to|are you|is there|have to|has to|rendez-vous|i'm (?:out|off)|looking to)\b"
)
_PAST_WORDS = frozenset(
    """was were had did didn went met sent got received spoke talked called said asked told left came saw gave wrote
    closed traded ended happened attended missed bought sold paid worked discussed mentioned made took found thought
    heard started signed executed dated announced reported been yesterday habe haben hatte war waren wurde gestern avons
    avait était hier hemos fue estuvo ayer abbiamo ieri stato era gisteren heb hebben werd ontem foi fomos
    enviei""".split()  # noqa: SIM905
)
_PAST_PHRASES = re.compile(r"\b(?:thanks for|thank you for)\b")
_TOKEN = re.compile(r"[^\W\d_]+")


def direction(low: str) -> tuple[bool, bool]:
    """Whether plain text has a word of a sentence that looks ahead, and one of a sentence that looks back."""
    tokens = _TOKEN.findall(low)
    is_ahead = not _FORWARD_WORDS.isdisjoint(tokens) or _FORWARD_PHRASES.search(low) is not None
    return is_ahead, not _PAST_WORDS.isdisjoint(tokens) or _PAST_PHRASES.search(low) is not None


def cue_before(low: str, position: int) -> re.Match[str] | None:
    """The cue that ends right before `position` of plain text."""
    return CUE.search(low, max(0, position - 32), position)


APPOINTMENT = re.compile(
    r"\b(?:meet(?:ing)?|call|appointment|lunch|dinner|breakfast|coffee|drinks|busy|available|free|out|away|off|back"
    r"|open"
    r"|schedule|book|reserve|reservation|play|party|class|session|seminar|interview|arrive|leave|home|there|alarm"
    r"|remind)\b"
)
"""Words of sentences in which a bare hour is a time of day."""
CLAUSE_END = re.compile(r" {0,2}(?:$|[.,;!?)](?!\d))")

DAY_FIRST = re.compile(
    r"\b(?:bis|der|und|vom|zum|dem|ist|bitte|le|la|du|avant|pour|est|les|el|del|antes|para|hasta|que|por|il|della|entro"
    r"|per|prima|het|een|uiterlijk|voor|tot|até|dia|não|uma)\b"
)
"""Words of languages that write the day before the month, as written: "LA" is a city."""

NUMERIC_DATE = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](?:(?:19|20)\d\d|\d\d)(?![\w/-])")
"""A date in numbers with its year; what is over 12 is the day."""

HEADER_LINE = re.compile(
    r"(?:>|-{3}|(?:from|to|cc|sent|received|forwarded\sby|von|de|da|van|gesendet|envoyé|enviado|inviato|verzonden)\s?:"
    r"|(?:on|am|le|el|il|op|em)\s.{0,200}(?:wrote|schrieb|écrit|escribió|scritto|schreef|escreveu)\s?:)",
    re.IGNORECASE,
)
"""A quoted header or an attribution line: its date is when something was written."""
