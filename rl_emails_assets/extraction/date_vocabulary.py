"""The words by which mail names days and times: English, German, French, Spanish, Italian, Dutch and Portuguese."""

MONTHS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar jänner janvier janv enero gennaio januari janeiro",
            "february feb februar februari februrary februay februari février fevrier févr febrero febbraio fevereiro",
            "march mar märz maerz mars marzo maart março marco",
            "april apr avril avr abril aprile abr",
            "may mai mayo maggio mei maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet juil julio luglio julho",
            "august aug août aout agosto ago augustus",
            "september sept sep septembre septiembre setiembre settembre setembro",
            "october oct okt oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dez dezember décembre decembre diciembre dic dicembre dezembro",
        ),
        start=1,
    )
    for word in words.split()
}
AMBIGUOUS_MONTHS = frozenset({"may", "march", "mar", "mars", "ago", "dec", "sep", "dic", "marco"})
"""Also other words: they count as months only when written with a capital, or beside a year or an ordinal."""
LONE_MONTHS = frozenset(
    """january february april june july august september october november december janvier février juin juillet août
    septembre octobre novembre décembre januar februar juni juli oktober dezember enero febrero julio agosto octubre
    noviembre diciembre gennaio febbraio giugno luglio settembre ottobre dicembre januari februari augustus janeiro
    fevereiro junho julho setembro outubro novembro dezembro feb sept oct nov dec""".split()  # noqa: SIM905
)
"""Months without a day that are no other word: "in December"."""

WEEKDAYS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "monday mon montag lundi lunes lunedì lunedi maandag segunda-feira",
            "tuesday tue tues dienstag mardi martes martedì martedi dinsdag terça-feira terca-feira",
            "wednesday wed weds mittwoch mercredi miércoles miercoles mercoledì mercoledi woensdag quarta-feira",
            "thursday thu thur thurs donnerstag jeudi jueves giovedì giovedi donderdag quinta-feira",
            "friday fri freitag vendredi viernes venerdì venerdi vrijdag sexta-feira",
            "saturday sat samstag sonnabend samedi sábado sabado sabato zaterdag",
            "sunday sun sonntag dimanche domingo domenica zondag",
        )
    )
    for word in words.split()
}
WEEKDAY_ABBREVIATIONS = frozenset("mon tue tues wed weds thu thur thurs fri sat sun".split())  # noqa: SIM905
PORTUGUESE_WEEKDAYS = {"segunda": 0, "terça": 1, "terca": 1, "quarta": 2, "quinta": 3, "sexta": 4}
"""Also "second" to "sixth": days only behind "até", "na" or "próxima"."""

_SMALL = (
    "a an one ein eine einem einer eines un une uno una een um uma",
    "two couple zwei deux dos due twee dois duas",
    "three drei trois tres tre drie três",
    "four vier quatre cuatro quattro quatro",
    "five fünf cinq cinco cinque vijf",
    "six sechs seis sei zes",
    "seven sieben sept siete sette zeven sete",
    "eight acht huit ocho otto oito",
    "nine neun neuf nueve nove negen",
    "ten zehn dix diez dieci tien dez",
)
_TEENS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
_DIGITS = "one two three four five six seven eight nine".split()  # noqa: SIM905
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}

NUMBERS: dict[str, int] = (
    {word: number for number, words in enumerate(_SMALL, start=1) for word in words.split()}
    | {word: number for number, word in enumerate(_TEENS, start=11)}
    | _TENS
    | {
        f"{tens}{joint}{digit}": ten + number
        for tens, ten in _TENS.items()
        for number, digit in enumerate(_DIGITS, start=1)
        for joint in ("-", " ")
    }
    | {"few": 3, "several": 3, "dozen": 12, "hundred": 100}
    | {"zwölf": 12, "vierzehn": 14, "quinze": 15, "quince": 15, "quindici": 15, "veertien": 14, "zwanzig": 20}
)
CLOCK_HOURS: dict[str, int] = {
    word: number for number, word in enumerate((*_DIGITS, "ten", "eleven", "twelve"), start=1)
}

_ORDINAL_WORDS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]
ORDINALS: dict[str, int] = (
    {word: number for number, word in enumerate(_ORDINAL_WORDS, start=1)}
    | {"twentieth": 20, "thirtieth": 30}
    | {
        f"{tens}{joint}{digit}": ten + number
        for tens, ten in (("twenty", 20), ("thirty", 30))
        for number, digit in enumerate(_ORDINAL_WORDS[:9], start=1)
        for joint in ("-", " ")
        if ten + number <= 31
    }
)

UNITS: dict[str, str] = {
    word: unit
    for unit, words in {
        "second": "seconds secs sekunden secondes segundos",
        "minute": "minute minutes min mins minuten minuto minutos minuti",
        "hour": "hour hours hr hrs stunde stunden heure heures hora horas ora ore uur",
        "day": "day days tag tage tagen jour jours día días dia dias werktagen werktage arbeitstagen giorno giorni dag"
        " dagen werkdagen",
        "weekend": "weekend weekends",
        "fortnight": "fortnight fortnights",
        "week": "week weeks wk wks woche wochen semaine semaines semana semanas settimana settimane weken",
        "month": "month months monat monate monaten mois mes meses mese mesi maand maanden mês",
        "quarter": "quarter quarters quartal trimestre",
        "year": "year years yr yrs jahr jahre jahren an ans année années años año anno anni jaar ano anos",
        "decade": "decade decades",
    }.items()
    for word in words.split()
}

RELATIVE_DAYS: dict[str, int] = {
    "today": 0, "tonight": 0, "tonite": 0, "tomorrow": 1, "tomorow": 1, "tommorow": 1, "tommorrow": 1, "tmrw": 1,
    "tmr": 1, "tomorrow's": 1, "today's": 0, "day after tomorrow": 2, "yesterday": -1, "day before yesterday": -2,
    "heute": 0, "heute abend": 0, "morgen": 1, "übermorgen": 2, "uebermorgen": 2, "gestern": -1,
    "aujourd'hui": 0, "demain": 1, "après-demain": 2, "apres-demain": 2, "ce soir": 0, "hier": -1,
    "hoy": 0, "mañana": 1, "pasado mañana": 2, "esta tarde": 0, "esta noche": 0, "ayer": -1,
    "oggi": 0, "domani": 1, "dopodomani": 2, "stasera": 0, "ieri": -1,
    "vandaag": 0, "overmorgen": 2, "vanavond": 0, "vanmiddag": 0, "gisteren": -1,
    "hoje": 0, "amanhã": 1, "amanha": 1, "depois de amanhã": 2, "ontem": -1, "esta noite": 0,
}  # fmt: skip
TONIGHT = frozenset({"tonight", "tonite", "ce soir", "esta noche", "heute abend", "stasera", "vanavond", "esta noite"})

PARTS_OF_DAY: dict[str, tuple[int, int]] = {
    word: (begin * 60, end * 60 if end < 24 else 24 * 60 - 1)
    for words, begin, end in (
        ("morning|mornings|früh|vormittag|matin|por la mañana|mattina|ochtend|manhã|da manhã", 8, 12),
        ("lunchtime|lunch|lunch time|lunch hour|mittagszeit", 11, 13),
        ("afternoon|afternoons|nachmittag|après-midi|por la tarde|pomeriggio|middag|tarde|da tarde", 12, 17),
        ("evening|evenings|abend|soir|sera|avond", 16, 20),
        ("night|nights|nacht|por la noche|nuit|noite", 20, 24),
        ("daytime|business hours", 8, 18),
        ("midmorning|mid-morning|mid morning", 9, 11),
        ("midafternoon|mid-afternoon|mid afternoon", 14, 16),
        ("early in the day", 0, 12),
        ("late in the day|later in the day", 12, 24),
        ("after work|after hours", 17, 20),
        ("dinner|dinnertime|dinner time", 16, 20),
        ("breakfast", 8, 12),
        ("mealtime", 11, 13),
    )
    for word in words.split("|")
}
"""First and last minute after midnight: a range counts by its end."""

NAMED_TIMES: dict[str, int] = {
    "noon": 12 * 60,
    "noonish": 12 * 60,
    "12 noon": 12 * 60,
    "12noon": 12 * 60,
    "midday": 12 * 60,
    "mid-day": 12 * 60,
    "mid-night": 23 * 60 + 59,
    "12 midnight": 23 * 60 + 59,
    "mid day": 12 * 60,
    "mittag": 12 * 60,
    "mittags": 12 * 60,
    "midi": 12 * 60,
    "mediodía": 12 * 60,
    "mezzogiorno": 12 * 60,
    "meio-dia": 12 * 60,
    "midnight": 23 * 60 + 59,
    "mitternacht": 23 * 60 + 59,
    "minuit": 23 * 60 + 59,
    "medianoche": 23 * 60 + 59,
    "mezzanotte": 23 * 60 + 59,
    "middernacht": 23 * 60 + 59,
    "meia-noite": 23 * 60 + 59,
    "cob": 17 * 60,
    "eob": 17 * 60,
    "close of business": 17 * 60,
    "close of play": 17 * 60,
    "end of business": 17 * 60,
}
END_OF_WORK = frozenset({"cob", "eob", "close of business", "close of play", "end of business"})
