"""The patterns by which mail names days and times; every repetition is bounded, so that matching is linear in the text
whatever the text is."""

import re

from rl_emails_assets.extraction.date_vocabulary import (
    HOLIDAYS,
    MONTHS,
    NAMED_TIMES,
    NUMBERS,
    PARTS_OF_DAY,
    RELATIVE_DAYS,
    UNITS,
    WEEKDAYS,
)


def _any_of(words: "dict[str, int] | dict[str, str] | dict[str, tuple[int, int]]") -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_MONTH = _any_of(MONTHS)
_WEEKDAY = _any_of(WEEKDAYS)
_NUMBER = _any_of(NUMBERS)
_UNIT = _any_of(UNITS)
_RELATIVE = _any_of(RELATIVE_DAYS).replace("'", "['’]")
_PART = _any_of(PARTS_OF_DAY)
_NAMED = _any_of(NAMED_TIMES)
_ORDINAL = r"(?:st|nd|rd|th)"
_NOT_IN_NUMBER = r"(?<![\w./:$€£#+-])"
_MERIDIEM = r"[ap]\.?m\b\.?"


def _pattern(name: str, pattern: str) -> tuple[str, str]:
    return name, pattern


PATTERNS: tuple[tuple[str, str], ...] = (
    _pattern(
        "iso",
        _NOT_IN_NUMBER + r"(?P<iso_y>(?:19|20)\d\d)(?P<iso_s>[-/.])(?P<iso_m>\d{1,2})(?P=iso_s)(?P<iso_d>\d{1,2})"
        r"(?:T(?P<iso_h>[01]\d|2[0-3]):(?P<iso_n>[0-5]\d)(?::[0-5]\d)?)?(?![\d/-])",
    ),
    _pattern(
        "num",
        _NOT_IN_NUMBER + r"(?P<num_a>\d{1,2})(?P<num_s>[/.-])(?P<num_b>\d{1,2})(?P=num_s)(?P<num_y>(?:19|20)?\d\d)"
        r"(?![\w/]|[.-]\d)",
    ),
    _pattern(
        "clock",
        _NOT_IN_NUMBER + rf"(?:\d{{1,2}}(?:[:.]\d\d)?\s?(?:{_MERIDIEM})?\s?(?:-|–|to|until|till|and)\s?)?"
        r"(?P<clock_h>\d{1,2})(?:[:.](?P<clock_m>[0-5]\d))?\s?(?P<clock_ap>[ap])(?:\.m\.|\.?m\b)",
    ),
    _pattern(
        "uhr",
        _NOT_IN_NUMBER
        + r"(?:\d{1,2}(?:[:.]\d\d)?\s?(?:-|–|bis)\s?)?(?P<uhr_h>\d{1,2})(?:[.:](?P<uhr_m>[0-5]\d))?\s?uhr\b",
    ),
    _pattern(
        "hours",
        _NOT_IN_NUMBER + r"(?:\d{1,2}:[0-5]\d\s?(?:-|–|to|until|till|à|a|and)\s?)?(?P<hours_h>[01]?\d|2[0-3]):"
        r"(?P<hours_m>[0-5]\d)(?::[0-5]\d)?"
        r"(?:\s?(?:hrs|hours|h)\b)?(?![\w:%])",
    ),
    _pattern("heures", _NOT_IN_NUMBER + r"(?P<heures_h>[01]?\d|2[0-3])\s?h(?:eures\b)?\s?(?P<heures_m>[0-5]\d)?(?!\w)"),
    _pattern(
        "md",
        rf"\b(?P<md_m>{_MONTH})\.?(?:,?\s{{1,2}}|[-/])(?:the\s)?(?P<md_d>\d{{1,2}}){_ORDINAL}?"
        rf"(?:\s?(?:-|–|to|through|thru)\s?(?P<md_d2>\d{{1,2}})"
        rf"{_ORDINAL}?(?!\s?[ap]\.?m|:|\d))?(?:,?\s{{1,2}}(?P<md_y>(?:19|20)\d\d)\b)?(?![\d%:]|[.,]\d|-\d)",
    ),
    _pattern(
        "dm",
        _NOT_IN_NUMBER + rf"(?:\d{{1,2}}{_ORDINAL}?\.?\s?(?:-|–|to|and|&|au|bis|al)\s?)?(?P<dm_d>\d{{1,2}})"
        rf"(?P<dm_o>st|nd|rd|th|er|\.|º)?(?:\sof\s|\sde\s|-|\s{{0,2}})"
        rf"(?P<dm_m>{_MONTH})\b\.?(?:(?:,?\s{{1,2}}(?:del?\s)?|-)(?P<dm_y>(?:19|20)\d\d|(?<=-)\d\d)\b)?",
    ),
    _pattern(
        "nth",
        rf"\b(?:by|on|before|until|till|due|through|for)\s(?:the\s)?(?P<nth_d>\d{{1,2}}){_ORDINAL}\b(?:\sday(?=\sof))?"
        rf"(?:\sof\s(?P<nth_of>this|next|the)\smonth)?"
        r"(?!\s(?:floor|str|st\b|ave|cent|edit|grade|hole|quarter|anniv|birthd|amend|time|of\b"
        r"|draft|version|place|party|day))",
    ),
    _pattern(
        "month_end",
        rf"\b(?:end|ende|fin|finales|final)\s(?:of\s|de\s|d['’]\s?)?(?P<month_end_m>{_MONTH})\b"
        rf"(?:\s(?P<month_end_y>(?:19|20)\d\d)\b)?",
    ),
    _pattern(
        "eod",
        r"\b(?:eod\b|end\sof\s(?:the\s|my\s|your\s)?(?:business\s|working\s|work\s)?day\b|ende\sdes\stages\b"
        r"|fin\s(?:de\s(?:la\s)?journée|del\sdía)\b)",
    ),
    _pattern(
        "period_end",
        r"\b(?:end|ende|fin|finales|final|close)\s(?:of\s|der\s|des\s|de\s|du\s|del\s|d['’])?(?:the\s|la\s|l['’]|el\s)?"
        r"(?P<period_end_n>this\s|next\s|coming\s|current\s|dieser\s|dieses\s|nächster\s|nächsten\s"
        r"|kommenden\s|cette\s|ce\s|este\s|esta\s|próxim[oa]\s)?"
        r"(?P<period_end_u>week|month|quarter|year|woche|monats|quartals|jahres|semaine|mois"
        r"|trimestre|année|semana|mes|año)\b"
        r"(?P<period_end_p>\sprochaine?|\spróxim[oa]|\sque\sviene)?",
    ),
    _pattern(
        "unit_end",
        (
            r"\b(?P<unit_end_u>month|quarter|year|monats|quartals|jahres)[\s-]?ende?\b|\b"
            r"(?P<unit_end_e>eow|eom|eoq|eoy)\b"
        ),
    ),
    _pattern(
        "span",
        r"\b(?P<span_n>next|this|nächste[nrms]?|kommende[nrms]?|diese[nrms]?|la\spróxima|el\spróximo"
        r"|esta|este|cette|ce)\s"
        r"(?P<span_u>week(?:end)?|month|quarter|woche(?:nende)?|monat|semana|mes|semaine|mois|week-end)\b"
        r"|\b(?:la|le)\s(?P<span_fu>semaine|mois)\sprochaine?\b|\b(?:la|el)\s(?P<span_su>semana"
        r"|mes)\s(?:que\sviene|próxim[oa])\b",
    ),
    _pattern(
        "duration",
        r"\b(?:within|in|over|dans|d['’]ici|innerhalb|binnen|dentro\sde|en)\s(?:the\s"
        r"(?:next|coming)\s|den\snächsten\s|von\s|les\s|los\spróximos\s|about\s|around\s|approximately\s)?"
        rf"(?:\d{{1,2}}\s?(?:-|–|to|or)\s?)?(?P<duration_n>\d{{1,3}}|half\san?|{_NUMBER})\s"
        rf"(?:of\s)?(?P<duration_b>business\s|working\s|full\s|more\s|calendar\s)?"
        rf"(?P<duration_u>{_UNIT})\b(?!\s(?:of|after|ago|following|prior|before|vor|nach|après|avant)\b)",
    ),
    _pattern(
        "anchored",
        rf"\b(?P<anchored_n>\d{{1,3}}|{_NUMBER})\s(?P<anchored_u>{_UNIT})\s(?:(?:from|after)\s"
        rf"(?P<anchored_a>now|today|tomorrow|tmrw|{_WEEKDAY})|hence)\b",
    ),
    _pattern(
        "weekday",
        r"\b(?P<weekday_p>(?:this|next|coming|following|last|past|previous|every|each|all|most"
        r"|some|nächste[nrm]?|kommende[nrm]?|diese[nrm]?|letzte[nrm]?"
        r"|vergangene[nrm]?|jede[nrm]?|ce|chaque|este|próximo|proximo|cada|pasado|since|seit"
        r"|depuis|desde)\s(?:coming\s|past\s|last\s)?)?"
        rf"(?P<weekday_w>{_WEEKDAY})\b\.?(?P<weekday_q>\s(?:prochain|dernier|próximo|que\sviene"
        rf"|pasado|nächster\swoche|(?:of\s)?next\sweek|(?:of\s)?this\sweek)\b)?"
        rf"(?:,?\s(?:the\s)?(?P<weekday_d>\d{{1,2}})(?:(?P<weekday_o>{_ORDINAL})\b|(?![\w:/%.-]"
        rf"|,\d|\s(?:{_MONTH}|uhr|h|[ap]\.?m)\b)))?(?!['’]|\w)",
    ),
    _pattern("relative", rf"(?<![\w-])(?P<relative_w>{_RELATIVE})(?![\w'’-])"),
    _pattern("this_part", r"\bthis\s(?P<this_part_w>morning|afternoon|evening)\b"),
    _pattern("named", rf"\b(?P<named_w>{_NAMED})\b"),
    _pattern("part", rf"\b(?:in\sthe\s)?(?P<part_w>{_PART})\b"),
    _pattern(
        "slash",
        _NOT_IN_NUMBER + r"(?:\d{1,2}/\d{1,2}\s?[-–]\s?)?(?P<slash_a>\d{1,2})/(?P<slash_b>\d{1,2})(?:\s?[-–]\s?"
        r"(?P<slash_c>\d{1,2}))?(?![\w/%]|[.,]\d)",
    ),
    _pattern("dots", _NOT_IN_NUMBER + r"(?P<dots_a>\d{1,2})\.\s?(?P<dots_b>\d{1,2})\.(?!\d)"),
    _pattern("holiday", rf"\b(?P<holiday_w>{_any_of(HOLIDAYS)})\b"),
    _pattern(
        "bare",
        r"(?:\b(?:at|by|around|about|um|gegen|à|a\slas?)\s|@\s?)(?P<bare_h>\d{1,2})(?:\s?o['’]?clock\b)?"
        r"(?![\w:/%$]|[.,]\d|\.?\s(?:of\s|de\s)?"
        rf"(?:{_MONTH}|uhr|h|{_UNIT}|{_MERIDIEM})\b)",
    ),
)
"""Name and pattern of each way to name a day or a time, the more specific first; each pattern's groups begin with its
name."""

_STARTS_WITH_DIGIT = ("iso", "num", "clock", "uhr", "hours", "heures", "dm", "anchored", "slash", "dots", "oclock")


def _compiled(names: "tuple[str, ...]") -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{text})" for name, text in PATTERNS if name in names), re.IGNORECASE)


DIGIT_ATOM = _compiled(_STARTS_WITH_DIGIT)
"""What may be matched at a digit."""
WORD_ATOM = _compiled(tuple(name for name, _ in PATTERNS if name not in _STARTS_WITH_DIGIT or name == "anchored"))
"""What may be matched at the beginning of one of START_WORDS."""
TOKEN = re.compile(r"\d+|[^\W\d_]+|@")
START_WORDS = (
    frozenset(WEEKDAYS)
    | frozenset(MONTHS)
    | frozenset(NUMBERS)
    | frozenset(
        word.split()[0].split("'")[0].split("-")[0]
        for table in (RELATIVE_DAYS, PARTS_OF_DAY, NAMED_TIMES, HOLIDAYS)
        for word in table
    )
    | frozenset(
        """@ by on before until till due through for end ende fin final finales close eod month quarter year monats
        quartals jahres monatsende jahresende quartalsende eow eom eoq eoy next this nächste nächsten nächster nächstes
        nächstem kommende kommenden kommender kommendes kommendem diese diesen dieser dieses diesem la el le esta este
        cette ce within in over dans d innerhalb binnen dentro en coming following last past previous every each all
        most some letzte letzten letzter vergangene vergangenen vergangener jede jeden jeder chaque próximo proximo cada
        pasado since seit depuis desde at around about um gegen à a aujourd""".split()  # noqa: SIM905
    )
)
"""The first words of everything in WORD_ATOM, lower case."""

TRIGGER_WORDS = (
    frozenset(WEEKDAYS)
    | frozenset(MONTHS)
    | frozenset(UNITS)
    | frozenset(word for name in HOLIDAYS for word in name.replace("'", " ").split())
    | frozenset(
        """today tonight tomorrow tomorow tommorow tommorrow tmrw heute morgen übermorgen uebermorgen aujourd demain
        soir hoy mañana tarde noche noon midday mittag mittags midi mediodía midnight mitternacht minuit medianoche cob
        eod eow eom eoq eoy business play weekend wochenende monatsende jahresende quartalsende end afternoon evening
        morning oclock clock uhr fin ende monats jahres quartals week-end werktage werktagen""".split()  # noqa: SIM905
    )
)
"""Without one of these words or TRIGGER_DIGITS a text names no day or time that PATTERNS know."""

TRIGGER_DIGITS = re.compile(r"\d\s?(?:[/:.-]\s?\d|[ap]\.?m|h\b|h\d|(?:st|nd|rd|th)\b|uhr|\.[ \d])")

CUE = re.compile(
    r"\b(?:by|before|until|till|til|due(?:\s(?:on|by|date(?:\sis|:)?))?|no\slater\sthan|not\slater\sthan"
    r"|deadline(?:\sis|:|\sof|\sfor\sthis\sis)?"
    r"|bis(?:\szum|\sspätestens)?|spätestens(?:\sam|\sbis)?|vor(?:\sdem)?|avant(?:\sle|\sla)?"
    r"|d['’]ici(?:\sau?|\sle)?|jusqu['’](?:au?|à)"
    r"|au\splus\stard(?:\sle)?|antes\s(?:del?|de\slas?)|hasta(?:\sel|\slas)?|para\sel|a\smás\stardar"
    r"(?:\sel)?|expires?(?:\son)?|ends(?:\son)?|rsvp(?:\sby)?"
    r"|on|am|le|el|at|@|for|um|à|von|ab|from)[\s:]{1,2}(?:the\s|den\s|dem\s)?$",
    re.IGNORECASE,
)
"""What may stand right before a date; the words become part of the deadline's text."""

WEAK_CUES = frozenset({"for", "at", "@", "um", "à", "von", "ab", "from", "am", "le", "el", "on"})
"""Cues that say "at that time" rather than "not after it"."""

BEFORE_CUES = frozenset({"before", "vor", "vor dem", "avant", "avant le", "avant la", "antes de", "antes del"})

FORWARD = re.compile(
    r"\b(?:will|['’]?ll|won['’]t|please|pls|can|could|would|should|shall|must|need|needs|needed"
    r"|due|by|before|until|deadline|going\sto|let['’]?s|let\sme|plan"
    r"|planning|planned|scheduled?|meeting|meet|call|appointment|rsvp|expires?|ends|starts|begins"
    r"|remind|reminder|are\syou|is\sthere|free|available|asap|have\sto|has\sto"
    r"|bitte|muss|müssen|soll|sollten|könn\w{0,5}|kann|bis|werden?|wird|spätestens|termin|devez"
    r"|doit|dois|veuillez|merci|pouvez|pourr\w{1,4}|peux|avant|sera|rendez-vous"
    r"|réunion|favor|debe|puedes?|podr\w{1,4}|hasta|antes|será|reunión|cita|vence|necesito)\b",
    re.IGNORECASE,
)
"""Words of a sentence that looks ahead."""

PAST = re.compile(
    r"\b(?:was|were|had|did|didn['’]t|went|met|sent|got|received|spoke|talked|called|said|asked"
    r"|told|left|came|saw|gave|wrote|closed|traded|ended|happened|attended"
    r"|missed|bought|sold|paid|worked|discussed|mentioned|made|took|found|thought|heard|started"
    r"|signed|executed|dated|announced|reported|been|yesterday|habe|haben|hatte"
    r"|war|waren|wurde|gestern|avons|avait|était|hier|hemos|fue|estuvo|ayer|thanks\sfor|thank\syou\sfor)\b",
    re.IGNORECASE,
)
"""Words of a sentence that looks back."""

DAY_FIRST = re.compile(
    r"\b(?:bis|der|und|vom|zum|dem|ist|bitte|le|la|du|avant|pour|est|les|el|del|antes|para|hasta|que|por)\b"
)
"""Words of languages that write the day before the month."""

HEADER_LINE = re.compile(
    r"(?:>|-{3}|(?:from|to|cc|received|forwarded\sby|von|de)\s?:|(?:on|am|le|el)\s.{0,200}"
    r"(?:wrote|schrieb|écrit|escribió)\s?:)",
    re.IGNORECASE,
)
"""A quoted header or an attribution line: its date is when something was written."""
