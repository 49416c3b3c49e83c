"""Feasts and public holidays by name: fixed days, the nth weekday of a month, and days counted from Easter.

Only what people name in mail (the United States, the United Kingdom, Germany, France, and what Italy, Spain, the
Netherlands and Portugal share with them). A library of all countries' holidays by year is a hundred times the size of
these tables, and answers another question: which days are free, not which day a name means.
"""

from datetime import date, timedelta

_FIXED: dict[str, tuple[int, int]] = {
    name: (month, day)
    for names, month, day in (
        (
            "new year|new years|new year's|new year's day|new years day|new year day|neujahr|nouvel an|jour de l'an",
            1,
            1,
        ),
        ("año nuevo|ano novo|capodanno|nieuwjaar", 1, 1),
        ("epiphany|three kings day|dreikönigstag|heilige drei könige|épiphanie|reyes|epifania", 1, 6),
        ("groundhog day", 2, 2),
        ("valentine's day|valentines day|valentine's|valentinstag|saint-valentin|san valentino", 2, 14),
        ("st patrick's day|st. patrick's day|saint patrick's day|st patricks day", 3, 17),
        ("april fools|april fools'|april fool's day|april fools day|april fools' day", 4, 1),
        ("earth day", 4, 22),
        ("koningsdag", 4, 27),
        ("may day|workers' day|workers day|international workers' day|international workers day", 5, 1),
        ("tag der arbeit|fête du travail|primo maggio|día del trabajo|dia do trabalho", 5, 1),
        ("cinco de mayo", 5, 5),
        ("juneteenth|freedom day|jubilee day", 6, 19),
        ("independence day|fourth of july|4th of july", 7, 4),
        ("canada day", 7, 1),
        ("bastille day|fête nationale", 7, 14),
        ("assumption day|mariä himmelfahrt|assomption|ferragosto", 8, 15),
        ("tag der deutschen einheit|german unity day", 10, 3),
        ("halloween|all hallows eve|all hallows' eve", 10, 31),
        ("reformationstag", 10, 31),
        ("all saints day|all saints' day|allerheiligen|toussaint|ognissanti|todos los santos", 11, 1),
        ("all souls' day|all souls day", 11, 2),
        ("guy fawkes night|guy fawkes day|bonfire night", 11, 5),
        ("veterans day|veteran's day|armistice day|armistice|remembrance day", 11, 11),
        ("nikolaus|nikolaustag|sinterklaas", 12, 6),
        ("christmas eve|xmas eve|heiligabend|heilig abend|weihnachten|réveillon|nochebuena", 12, 24),
        ("christmas|christmas day|xmas|x-mas|noël|noel|navidad|natale|kerst|kerstmis|natal", 12, 25),
        ("boxing day|st. stephen's day|zweiter weihnachtstag", 12, 26),
        ("new year's eve|new years eve|new year eve|silvester|saint-sylvestre|nochevieja|oudejaarsavond", 12, 31),
    )
    for name in names.split("|")
}

_NTH_WEEKDAY: dict[str, tuple[int, int, int, int]] = {
    # month, weekday, which (-1 the last), days after it
    name: (month, weekday, nth, days)
    for names, month, weekday, nth, days in (
        ("martin luther king day|mlk day|martin luther king jr day|martin luther king jr. day", 1, 0, 3, 0),
        ("presidents day|presidents' day|president's day|washington's birthday", 2, 0, 3, 0),
        ("early may bank holiday", 5, 0, 1, 0),
        ("mother's day|mothers day|mothers' day|muttertag", 5, 6, 2, 0),
        ("memorial day|spring bank holiday", 5, 0, -1, 0),
        ("father's day|fathers day|fathers' day", 6, 6, 3, 0),
        ("summer bank holiday|august bank holiday", 8, 0, -1, 0),
        ("labor day|labour day", 9, 0, 1, 0),
        ("columbus day|indigenous peoples day|indigenous peoples' day", 10, 0, 2, 0),
        ("election day", 11, 0, 1, 1),
        ("thanksgiving|thanksgiving day", 11, 3, 4, 0),
        ("black friday", 11, 3, 4, 1),
        ("cyber monday", 11, 3, 4, 4),
    )
    for name in names.split("|")
}

_FROM_EASTER: dict[str, int] = {
    name: days
    for names, days in (
        ("weiberfastnacht", -52),
        ("rosenmontag", -48),
        ("mardi gras|fat tuesday|shrove tuesday|pancake day|faschingsdienstag", -47),
        ("ash wednesday|aschermittwoch|mercredi des cendres", -46),
        ("palm sunday|palmsonntag", -7),
        ("maundy thursday|gründonnerstag|holy thursday", -3),
        ("good friday|karfreitag|vendredi saint|viernes santo|venerdì santo|goede vrijdag|sexta-feira santa", -2),
        ("holy saturday|karsamstag", -1),
        ("easter|easter sunday|ostern|ostersonntag|pâques|pascua|pasqua|pasen|páscoa", 0),
        ("easter monday|ostermontag|lundi de pâques|lunes de pascua|pasquetta|lunedì dell'angelo|paasmaandag", 1),
        ("ascension day|ascension|christi himmelfahrt|vatertag|ascension thursday|hemelvaart|hemelvaartsdag", 39),
        ("pentecost|whit sunday|pfingsten|pfingstsonntag|pentecôte|pinksteren", 49),
        ("whit monday|pentecost monday|pfingstmontag|lundi de pentecôte|tweede pinksterdag", 50),
        ("corpus christi|fronleichnam|fête-dieu", 60),
    )
    for name in names.split("|")
}

NAMES: frozenset[str] = frozenset((*_FIXED, *_NTH_WEEKDAY, *_FROM_EASTER))
GREETED = frozenset(
    {"merry", "happy", "frohe", "frohes", "joyeux", "joyeuses", "feliz", "buon", "buona", "boas", "fijne"}
)
"""Words before a feast that make it a wish."""


def feast_day(name: str, year: int) -> date:
    """The day of that feast (a lower-case name of NAMES) in that year."""
    if name in _FIXED:
        month, day = _FIXED[name]
        return date(year, month, day)
    if name in _FROM_EASTER:
        return easter(year) + timedelta(days=_FROM_EASTER[name])
    month, weekday, nth, days = _NTH_WEEKDAY[name]
    return nth_weekday(year, month, weekday, nth) + timedelta(days=days)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (anonymous, 1876; Meeus, Astronomical Algorithms, ch. 8)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth such weekday of the month, from 1; -1 is the last. Raises ValueError when the month has no fifth."""
    if nth < 0:
        end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return end - timedelta(days=(end.weekday() - weekday) % 7)
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    if day.month != month:
        raise ValueError(f"{year}-{month} has no weekday {weekday} number {nth}")
    return day
