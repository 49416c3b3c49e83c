"""The words by which mail names days and times, in English, German, French and Spanish."""

MONTHS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar jänner janvier janv enero",
            "february feb februar février fevrier févr febrero",
            "march mar märz maerz mars marzo",
            "april apr avril avr abril",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet juil julio",
            "august aug août aout agosto ago",
            "september sept sep septembre septiembre setiembre",
            "october oct okt oktober octobre octubre",
            "november nov novembre noviembre",
            "december dec dez dezember décembre decembre diciembre dic",
        ),
        start=1,
    )
    for word in words.split()
}
AMBIGUOUS_MONTHS = frozenset({"may", "march", "mar", "mars", "ago", "dec", "sep", "dic"})
"""Also other words: they count as months only when written with a capital, or beside a year or an ordinal."""

WEEKDAYS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "monday mon montag lundi lunes",
            "tuesday tue tues dienstag mardi martes",
            "wednesday wed weds mittwoch mercredi miércoles miercoles",
            "thursday thu thur thurs donnerstag jeudi jueves",
            "friday fri freitag vendredi viernes",
            "saturday sat samstag sonnabend samedi sábado sabado",
            "sunday sun sonntag dimanche domingo",
        )
    )
    for word in words.split()
}
WEEKDAY_ABBREVIATIONS = frozenset("mon tue tues wed weds thu thur thurs fri sat sun".split())  # noqa: SIM905

NUMBERS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "a an one ein eine einem einer eines un une uno una",
            "two couple zwei deux dos",
            "three drei trois tres",
            "four vier quatre cuatro",
            "five fünf cinq cinco",
            "six sechs seis",
            "seven sieben sept siete",
            "eight acht huit ocho",
            "nine neun neuf nueve",
            "ten zehn dix diez",
        ),
        start=1,
    )
    for word in words.split()
} | {"twelve": 12, "zwölf": 12, "fourteen": 14, "vierzehn": 14, "fifteen": 15, "quinze": 15, "quince": 15, "thirty": 30}

UNITS: dict[str, str] = {
    word: unit
    for unit, words in {
        "minute": "minute minutes min mins minuten minuto minutos",
        "hour": "hour hours hr hrs stunde stunden heure heures hora horas",
        "day": "day days tag tage tagen jour jours día días dia dias werktagen werktage arbeitstagen",
        "fortnight": "fortnight",
        "week": "week weeks wk wks woche wochen semaine semaines semana semanas",
        "month": "month months monat monate monaten mois mes meses",
        "quarter": "quarter quarters quartal trimestre",
        "year": "year years jahr jahre jahren an ans année años año",
    }.items()
    for word in words.split()
}

RELATIVE_DAYS: dict[str, int] = {
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "tomorow": 1,
    "tommorow": 1,
    "tommorrow": 1,
    "tmrw": 1,
    "day after tomorrow": 2,
    "heute": 0,
    "morgen": 1,
    "übermorgen": 2,
    "uebermorgen": 2,
    "aujourd'hui": 0,
    "demain": 1,
    "après-demain": 2,
    "apres-demain": 2,
    "ce soir": 0,
    "hoy": 0,
    "mañana": 1,
    "pasado mañana": 2,
    "esta tarde": 0,
    "esta noche": 0,
}
PARTS_OF_DAY: dict[str, int] = {
    "morning": 12 * 60,
    "früh": 12 * 60,
    "vormittag": 12 * 60,
    "matin": 12 * 60,
    "por la mañana": 12 * 60,
    "lunchtime": 13 * 60,
    "afternoon": 17 * 60,
    "nachmittag": 17 * 60,
    "après-midi": 17 * 60,
    "por la tarde": 18 * 60,
    "evening": 20 * 60,
    "abend": 20 * 60,
    "soir": 20 * 60,
    "night": 23 * 60 + 59,
    "por la noche": 23 * 60 + 59,
}
"""Minutes after midnight at which a part of the day ends: a range counts by its end."""

HOLIDAYS: dict[str, tuple[int, int]] = {
    "christmas": (12, 25),
    "christmas eve": (12, 24),
    "xmas": (12, 25),
    "new year": (1, 1),
    "new year's eve": (12, 31),
    "weihnachten": (12, 24),
    "silvester": (12, 31),
    "noël": (12, 25),
    "navidad": (12, 25),
}
"""Month and day; they count only behind a word like "by" ("Merry Christmas" is no deadline)."""

NAMED_TIMES: dict[str, int] = {
    "noon": 12 * 60,
    "midday": 12 * 60,
    "mittag": 12 * 60,
    "mittags": 12 * 60,
    "midi": 12 * 60,
    "mediodía": 12 * 60,
    "midnight": 23 * 60 + 59,
    "mitternacht": 23 * 60 + 59,
    "minuit": 23 * 60 + 59,
    "medianoche": 23 * 60 + 59,
    "cob": 17 * 60,
    "close of business": 17 * 60,
    "close of play": 17 * 60,
    "end of business": 17 * 60,
}
