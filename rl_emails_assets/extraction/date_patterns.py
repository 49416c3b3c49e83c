"""The patterns by which mail names days and times; `date_matching` says how they are written and tried.

A space stands for one to three of them, "~" for none to two, and %NAME% for the words of a table. Every repetition is
bounded, so that matching is linear in the text whatever the text is. Each pattern comes with the words it may begin
with; "0" stands for any number in digits. Its groups begin with its name.
"""

import re
from collections.abc import Iterable

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.feasts import NAMES
from rl_emails_assets.extraction.spoken_numbers import FRACTION, YEAR_IN_WORDS

Pattern = tuple[str, frozenset[str], str]


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace("\\ ", " ") for word in sorted(words, key=lambda one: (-len(one), one)))


_AP = r"(?:[ap]\.m\.|[ap]\.?m\b\.?|[ap]\b)"
TABLES = {
    "%MONTH%": _any_of(vocabulary.MONTHS),
    "%LONE%": _any_of(vocabulary.LONE_MONTHS | {"march", "may"}),
    "%SEASON%": "spring|summer|autumn|winter|fall",
    "%WEEKDAY%": _any_of(vocabulary.WEEKDAYS),
    "%PTDAY%": _any_of(vocabulary.PORTUGUESE_WEEKDAYS),
    "%DAYWORD%": _any_of([*vocabulary.ORDINALS, *(word for word, n in vocabulary.NUMBERS.items() if 20 < n < 32)]),
    "%LATEORD%": _any_of(word for word, number in vocabulary.ORDINALS.items() if number > 12),
    "%ORDWORD%": _any_of(vocabulary.ORDINALS),
    "%FRACTION%": FRACTION,
    "%NUM%": r"\d{1,3}|" + _any_of(vocabulary.NUMBERS),
    "%UNIT%": _any_of(vocabulary.UNITS),
    "%PART%": _any_of(vocabulary.PARTS_OF_DAY),
    "%NAMED%": _any_of(vocabulary.NAMED_TIMES),
    "%RELATIVE%": _any_of(vocabulary.RELATIVE_DAYS),
    "%FEAST%": _any_of(NAMES),
    "%MINUTEWORD%": _any_of(word for word, number in vocabulary.NUMBERS.items() if 10 <= number < 60 and word[0] in "tefsn"),
    "%HOURWORD%": _any_of(vocabulary.CLOCK_HOURS),
    "%YEAR%": r"(?:19|20)\d\d",
    "%ANYYEAR%": rf"(?:19|20)\d\d|{YEAR_IN_WORDS}",
    "%ORD%": r"(?:st|nd|rd|th)",
    "%TO%": r"(?:-|to|through|thru|till|until|bis|au|al|a|tot|até)",
    "%AND%": r"(?:-|to|through|thru|till|until|bis|au|al|tot|até|and|&|und|et|y)",
    "%AP%": _AP,
}
_FIRST_WORD = re.compile(r"[^\W\d_]+|\d")


def _first_words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(match.group() for word in words if (match := _FIRST_WORD.match(word)))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DIGIT = frozenset({"0"})
_MONTHS = _first_words(vocabulary.MONTHS)
_DAYWORDS = _first_words(vocabulary.ORDINALS)
_NUMBERS = _first_words(vocabulary.NUMBERS)
_HOURS = _first_words(vocabulary.CLOCK_HOURS)
_NEXT = _words("next this coming following last past previous upcoming current the any same")
_LEADS = _words(
    """this next coming following last past previous every each all most some any upcoming nächste nächsten nächster
    nächstem nächstes kommende kommenden kommender kommendem diese diesen dieser diesem letzte letzten letzter
    vergangene vergangenen vergangener jede jeden jeder ce cet chaque este esta próximo próxima proximo proxima cada
    pasado since seit depuis desde prossimo prossima questo questa ogni volgende aanstaande komende deze elke vorige
    na no"""
)


def _pattern(name: str, words: frozenset[str], text: str) -> Pattern:
    return name, words, text


PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "iso",
        _DIGIT,
        r"(?P<iso_y>%YEAR%)(?P<iso_s>[-/.])(?P<iso_m>\d{1,2})(?P=iso_s)(?P<iso_d>\d{1,2})(?:t(?P<iso_h>[01]\d"
        r"|2[0-3]):(?P<iso_n>[0-5]\d)(?::[0-5]\d(?:\.\d{1,6})?)?(?P<iso_z>z|[+-]\d\d:?\d\d)?)?(?![\d/-])",
    ),
    _pattern(
        "num",
        _DIGIT,
        r"(?P<num_a>\d{1,2})(?P<num_s>[/.-])(?P<num_b>\d{1,2})(?P=num_s)(?P<num_y>(?:19|20)?\d\d)(?![\w/]|\.\d|-\d(?!\d?(?P=num_s)\d))",
    ),
    _pattern(
        "yearmonth",
        _DIGIT,
        r"(?P<yearmonth_y>%YEAR%)(?:~[-/]~(?P<yearmonth_n>0?[1-9]|1[0-2])(?![\d/-])|~,?~(?P<yearmonth_m>%MONTH%)\b"
        r"(?!~\d))|(?P<yearmonth_n2>0?[1-9]|1[0-2])~[-/]~(?P<yearmonth_y2>%YEAR%)(?![\w/-])",
    ),
    _pattern(
        "clock",
        _DIGIT | _words("from between"),
        r"(?:(?:from|between) )?(?:(?P<clock_fh>\d{1,2})(?:[:.](?P<clock_fm>[0-5]\d))?~(?P<clock_fap>%AP%)?~(?:"
        r"(?:,~|in the morning )?%AND%)~(?:at )?)?(?P<clock_h>\d{1,2})(?:[:.]~?(?P<clock_m>[0-5]\d)"
        r"(?:[:.][0-5]\d)?|(?P<clock_m2>[0-5]\d))?~[-.]?(?P<clock_ap>[ap])(?:\.m\.|\.?m(?:\b|(?=(?:[ecmp][sd]?t|gmt|utc|b?st|cest|cet)\b))|(?<=\dp)\b|\b(?! (?!on\b|tomorrow\b|today\b|%WEEKDAY%\b|%MONTH%\b|sharp\b)\w))(?: sharp\b)?",
    ),
    _pattern(
        "military",
        _DIGIT | _words("from between at"),
        r"at (?P<military_h3>[01]\d|2[0-3])(?P<military_m3>[0-5]\d)(?![\w:/%$-]|[.,]\d|~%AP%| (?:%UNIT%|\w+ (?:st|street|ave|road))\b)|"
        r"(?:(?:from|between) )?(?P<military_fh>[01]\d|2[0-3])(?P<military_fm>[0-5]\d)~(?:-|to|and|until)~"
        r"(?P<military_h>[01]\d|2[0-3])(?P<military_m>[0-5]\d)(?:~(?P<military_u>hrs|hours|h)\b)?(?![\w-])|"
        r"(?P<military_h2>[01]\d|2[0-3])(?P<military_m2>[0-5]\d)~(?:hrs|hours|h)\b",
    ),
    _pattern(
        "uhr",
        _DIGIT,
        r"(?:(?P<uhr_fh>\d{1,2})(?:[:.](?P<uhr_fm>\d\d))?~(?:uhr~)?(?:-|bis|tot|und)~)?(?P<uhr_h>\d{1,2})(?:[.:]"
        r"(?P<uhr_m>[0-5]\d))?~(?:uhr|uur)\b",
    ),
    _pattern(
        "hours",
        _DIGIT,
        r"(?:(?P<hours_fh>[01]?\d|2[0-3])(?::(?P<hours_fm>[0-5]\d))?~(?:%AND%|à)~)?(?P<hours_h>[01]?\d|2[0-4]):"
        r"(?P<hours_m>[0-5]\d)(?::[0-5]\d)?(?:~-?ish\b)?(?P<hours_u>~(?:hrs|hours|h|uhr|uur)\b)?(?!(?!z\b|utc\b|gmt\b)\w|:\d|%|/(?!\d\d?:\d\d\b))",
    ),
    _pattern(
        "heures",
        _DIGIT,
        r"(?:(?P<heures_fh>[01]?\d|2[0-3])~h?~(?:-|à|a|às|as)~)?(?P<heures_h>[01]?\d|2[0-3])~h(?:eures\b|oras\b"
        r"|rs?\b)?~(?P<heures_m>[0-5]\d)?(?!\w)",
    ),
    _pattern(
        "md",
        _MONTHS | _words("of from between"),
        r"(?:(?:of|from|between) )?(?P<md_m>%MONTH%)(?:\b|(?=\d))\.?(?:~,?~|[-/])(?:the )?(?:(?P<md_d>\d{1,2})%ORD%?|"
        r"(?P<md_w>%DAYWORD%))(?![:\d]|~%AP%|~o'?clock)(?:~(?:%TO%|and)~(?:the )?(?:(?P<md_d2>\d{1,2})%ORD%?|"
        r"(?P<md_w2>%ORDWORD%))(?!~[ap]\.?m\b|:|\d| (?:%UNIT%)\b|/))?(?:(?:~,~| |~-~|/)(?:of )?(?P<md_y>%ANYYEAR%)\b"
        r"(?!:)|~,?~'(?P<md_y2>\d\d)\b)?(?![\d%:]|[.,]\d|-\d(?!\d?:))",
    ),
    _pattern(
        "dm",
        _DIGIT | _DAYWORDS | _words("from between the"),
        r"(?:(?:from|between) )?(?:the )?(?:(?:(?P<dm_f>\d{1,2})%ORD%?\.?|(?P<dm_fw>%ORDWORD%))(?: "
        r"(?P<dm_fm>%MONTH%)\.?)?~%AND%~(?:the )?)?(?:(?P<dm_d>\d{1,2})(?P<dm_o>st|nd|rd|th|er|e|\.|º|ª|°)?|"
        r"(?P<dm_w>%ORDWORD%))(?: day)?(?: of | de | di |[-/]|~,?~)(?:the )?(?P<dm_m>%MONTH%)(?:\b|(?=(?:20)?\d\d\b))\.?(?!'s)(?:(?P<dm_y4>(?<=[a-z])(?:20)?\d\d)\b(?!:)|(?:~,~"
        r"|[ /]|(?<=\.))(?:del? |in |of )?(?P<dm_y>%ANYYEAR%)\b(?!:)|-(?P<dm_y2>%YEAR%|\d\d)\b|~,?~'(?P<dm_y3>\d\d)\b)?",
    ),
    _pattern(
        "nth",
        _words("""by on before until till due through for after since around from between the op voor am""")
        | frozenset({"0"}),
        r"(?:(?P<nth_p>by|on|before|until|till|due|through|for|after|since|around|from|between) )?(?P<nth_t>the )"
        r"?(?:(?P<nth_f>\d{1,2})%ORD%?~%AND%~(?:the )?)?(?:(?P<nth_d>\d{1,2})%ORD%|(?P<nth_w2>%LATEORD%)|(?P<nth_w>%ORDWORD%)(?= (?:at|from|between|around) "
        r"(?:\d|noon|%HOURWORD%)| (?:of "
        r"(?:this|next|the|each|every)|this|next) month| day of))\b(?!~%AND%~(?:the )?\d{1,2}%ORD%?~(?:of )?%MONTH%)(?: day"
        r"(?= of))?(?:,? (?:of |in )?(?P<nth_of>this|next|the|last|following|coming|each|every) month)?(?! (?:floor|str"
        r"|street|st\b|ave|avenue|century|cent|edition|edit|grade|hole|quarter|anniv|birthd|amend|time|times|of\b"
        r"|draft|version|place|party|day|week|month|year|hour|circuit|district|most|largest|consecutive|inst"
        r"|%MONTH%\b|%WEEKDAY%\b|business|working|annual|row|round|straight|person|game|season|period|meeting|conference|issue|world|street"
        r"|graders?)|-)",
    ),
    _pattern(
        "rangeinmonth",
        _DIGIT | _words("from between"),
        r"(?:(?:from|between) )?(?P<rangeinmonth_f>\d{1,2})~%AND%~(?P<rangeinmonth_d>\d{1,2}),? (?:in |of )"
        r"?(?:the )?(?P<rangeinmonth_n>this|next|coming|following) month\b",
    ),
    _pattern(
        "nthof",
        _DAYWORDS | _words("the last 0 1st 2nd 3rd 4th 5th") | _DIGIT,
        r"(?:the )?(?P<nthof_n>[1-5]%ORD%|first|second|third|fourth|fifth|last) (?P<nthof_k>%WEEKDAY%|week|weekend"
        r"|month)(?: (?:(?:of|in) (?:the )?|(?=next |this ))(?:(?P<nthof_r>this|next|last|following|coming|current)? "
        r"?(?P<nthof_u>month|year)|(?P<nthof_m>%MONTH%)\b(?:,? (?:of )?(?P<nthof_y>%ANYYEAR%))?|"
        r"(?P<nthof_y2>%ANYYEAR%)))\b",
    ),
    _pattern(
        "monthpart",
        _words(
            """end ende fin finales final fine eind einde fim beginning begin start middle mid early late first
            second the anfang mitte"""
            " début inicio inizio"
        ),
        r"(?P<monthpart_p>end|ende|fin|finales|final|fine|eind|einde|fim|beginning|begin|start|middle|mid|early"
        r"|late|anfang|mitte|début|inicio|inizio|(?:the )?first half|(?:the )?second half)(?: of | de | d'~|~-~"
        r"| di | van | )(?:the )?(?P<monthpart_m>%MONTH%)\b(?:,? (?P<monthpart_y>%YEAR%)\b)?(?!~\d)",
    ),
    _pattern(
        "eod",
        _words("eod end ende fin einde fine fim"),
        r"(?:eod\b|end of (?:the |my |your |our )?(?:business |working |work )?day\b|ende des tages\b|fin de "
        r"(?:la )?journée\b|fin del día\b|einde van de dag\b|fine (?:della )?giornata\b|fim do dia\b)",
    ),
    _pattern(
        "endof",
        _words("end ende"),
        r"(?:at )?(?:the )?end of (?:the |this )?(?=(?:%RELATIVE%|%WEEKDAY%)\b)",
    ),
    _pattern(
        "periodend",
        _words("end ende fin finales final fine eind einde fim close beginning start middle"),
        r"(?P<periodend_k>end|ende|fin|finales|final|fine|eind|einde|fim|close|beginning|start|middle)(?: of "
        r"| der | des | de | du | del | della | van | d'~|~-~of~-~| do | da | )(?:the |la |l'|el |de |het )"
        r"?(?P<periodend_n>this |next |coming |current |following |dieser |dieses |nächster |nächsten |kommenden "
        r"|cette |ce |este |esta |próxim[oa] |prossim[oa] |volgende |deze )?(?P<periodend_u>week|workweek"
        r"|work week|month|quarter|year|weekend|woche|monats|quartals|jahres|semaine|mois|trimestre|année|semana"
        r"|mes|año|settimana|mese|anno|maand|kwartaal|jaar|mês|ano)\b(?P<periodend_p> prochaine?| próxim[oa]"
        r"| que viene| prossim[oa])?",
    ),
    _pattern(
        "unitend",
        _words(
            """month quarter year monats quartals jahres monatsende quartalsende jahresende eow eom eoq eoy weeks"""
        ),
        r"(?P<unitend_u>month|quarter|year|monats|quartals|jahres)[ -]?ende?\b|(?P<unitend_e>eow|eom|eoq|eoy)\b",
    ),
    _pattern(
        "weekafter",
        _words("the week month year weekend"),
        r"(?:the )?(?P<weekafter_u>week|month|year|weekend|quarter) after (?:the )?(?P<weekafter_n>next|this|that)\b"
        r"(?! \w+day)",
    ),
    _pattern(
        "span",
        _NEXT
        | _LEADS
        | _words("""la le el l rest remainder remaining later earlier early late mid middle in during for within throughout"""),
        r"(?:(?P<span_q>later|earlier|early|late|mid|middle of|sometime|rest of|remainder of|remaining of|the rest of"
        r"|the remainder of|remaining)[ -])?(?:in |on |during |for |within |throughout )?(?:the )?(?P<span_n>next|this|coming"
        r"|following|last|past|previous|upcoming|current|same|nächste[nrms]?|kommende[nrms]?|diese[nrms]"
        r"?|letzte[nrms]?|la próxima|el próximo|próxima|próximo|questa|la prossima|il prossimo|prossima|prossimo"
        r"|volgende|komende|aanstaande|deze|vorige|esta|este|cette|ce) (?:business |working |calendar |work~-?~)"
        r"?(?P<span_u>week(?:~-?end)?s?|workweek|month|quarter|year|fortnight|wochenende|woche|monat|quartal|jahr"
        r"|semana|mes|semaine|mois|trimestre|settimana|mese|maand|kwartaal|jaar|mês|hour|day|ano|año|anno|année)\b"
        r"(?! (?:ago|old))|(?:la|le|el|l')~(?P<span_fu>semaine|mois|année|settimana|mese|anno|semana|mes|año|mês"
        r"|ano) (?:prochaine?|que viene|próxim[oa]|prossim[oa]|que vem)\b",
    ),
    _pattern(
        "theperiod",
        _words("on at over the for in during throughout of later rest remainder remaining semana mês"),
        r"(?:(?P<theperiod_q>later in|rest of|remainder of|remaining of|for|in|during|throughout) )(?:the )"
        r"?(?P<theperiod_u>week|month|quarter|weekend|year|day)\b(?! (?:of|before|after|starting|beginning"
        r"|commencing|in\b|\d))|(?:the )(?P<theperiod_w>weekend)\b(?! (?:of|before|after))|(?:on|at|over) (?P<theperiod_w2>weekend)\b|(?P<theperiod_v>semana"
        r"|mês) que vem\b",
    ),
    _pattern(
        "season",
        _words(
            """this next last in by before until during the of spring summer autumn winter fall late early mid end"""
        ),
        r"(?P<season_p>(?:(?:in|by|before|until|during|of) )?(?:the )?(?:early |late |mid[ -]|end of |middle of )"
        r"?(?P<season_n>this |next |last |coming |the )?)(?P<season_w>%SEASON%)\b(?:,? (?:of )"
        r"?(?P<season_y>%YEAR%)\b)?(?![-'])",
    ),
    _pattern(
        "yearpart",
        _words("end beginning start middle early mid late q first second last h the") | _DIGIT,
        r"(?:(?P<yearpart_p>end|beginning|start|middle|early|mid|late)(?: of | in | |-)(?:the year )?|(?:the )"
        r"?(?P<yearpart_h>first|second|1st|2nd) half of )(?P<yearpart_y>%YEAR%|next year|this year)\b(?![-/]\d)",
    ),
    _pattern(
        "weeknumber",
        _words("kw week wk semaine settimana the in") | _DIGIT,
        r"(?P<weeknumber_y2>%YEAR%)-?w(?P<weeknumber_n2>[0-5]\d)\b|"
        r"(?:(?:in |the )?(?:week |wk~|semaine |settimana )(?:number |no\.? )?|(?P<weeknumber_k>kw)~)"
        r"(?P<weeknumber_n>\d{1,2})(?:(?:,| of|/)? ?(?P<weeknumber_y>%YEAR%))?\b(?![.:/%-]\d)",
    ),
    _pattern(
        "weekof",
        _words("the week weekend w"),
        r"(?:the )?(?:(?P<weekof_u>week|weekend) (?:of|starting|beginning|commencing)(?: on)?|w/c|wk of)(?: of)? "
        r"(?=(?:the )?(?:%MONTH%|%WEEKDAY%|%FEAST%|\d))",
    ),
    _pattern(
        "duration",
        _words(
            """within in inside over after next coming following dans d innerhalb binnen dentro en entro tra fra over em
            the for upcoming"""
        ),
        r"(?P<duration_l>within|inside|in|over|for|after|dans|d'ici|innerhalb|binnen|dentro de|en|entro|tra|fra|em)?~"
        r"(?P<duration_x>(?:the |den |les |los |le |i |de )?(?:next|coming|following|upcoming|nächsten|kommenden"
        r"|prochains?|prochaines|próxim[oa]s|prossim[ie]|volgende|komende) |von |about |around |approximately "
        r"|roughly |as little as |the |under |less than |at least |at most |no more than |not more than |another |up to )?(?:(?:%NUM%)~(?:-|to|or)~)?(?:a (?=few|couple))?(?P<duration_n>half an"
        r"?|an? half|a quarter of an|%FRACTION%|%NUM%)~-?~(?:of )?(?P<duration_b>business |working |full |more |calendar "
        r"|couple of |week~|upcoming |coming |next |following )?(?P<duration_u>%UNIT%)\b(?P<duration_ub> úteis"
        r"| hábiles| ouvrés| ouvrables| lavorativi)?(?P<duration_half> and an? (?:half|quarter))?(?P<duration_more>(?:,?~(?:and |,~)?(?:%NUM%) "
        r"(?:%UNIT%)\b){0,3})(?:'s?)?(?P<duration_t> time\b)?(?P<duration_a>,? from (?:now|today)\b)?(?! (?:of"
        r"|after|ago|following|prior|before|vor|nach|après|avant|later|old|older|from)\b)",
    ),
    _pattern(
        "anchored",
        _DIGIT | _NUMBERS | _words("half the for in within a less"),
        r"(?:for |in |within |less than )?(?:(?:%NUM%)~(?:-|to|or)~)?(?:a (?=few|couple))?(?P<anchored_n>half an?|%FRACTION%|the(?= (?:day|week|month) (?:before|after|following|prior)"
        r"(?! (?:next|this|that)))|%NUM%)[ -](?P<anchored_b>business |working |calendar |couple of |full )"
        r"?(?P<anchored_u>%UNIT%)\b(?P<anchored_half> and an? (?:half|quarter))?(?P<anchored_more>(?:,?~(?:and |,~)?(?:%NUM%) (?:%UNIT%)\b){0,3}) "
        r"?(?P<anchored_w>in the future\b|(?:from|after|starting|starting from) (?:now|today)\b|hence\b|later\b"
        r"|out\b(?= from)|ago\b|earlier\b|(?:(?:starting|beginning|commencing)(?: from| on)?|from|after|past|following|before|prior to|ahead of|on) "
        r"(?=(?:the )?(?:%RELATIVE%|%WEEKDAY%|%FEAST%|%MONTH%|next|this|\d{1,2}[/.-]\d|\d{1,2}%ORD%)\b))",
    ),
    _pattern(
        "weekdayafter",
        _words("the") | _first_words(vocabulary.WEEKDAYS),
        r"(?:the )?(?P<weekdayafter_w>%WEEKDAY%) (?P<weekdayafter_a>after|before|following) (?=(?:the )?(?:%FEAST%"
        r"|%MONTH% \d|\d{1,2}(?:%ORD%|[/.-]\d)))",
    ),
    _pattern(
        "every",
        _words("""every each any ogni elke chaque cada jeden jede jeder jedes tous toutes todos tutti all most some"""),
        r"(?P<every_e>every|each|any|ogni|elke|chaque|cada|jede[nrs]?|tous les|toutes les|todos los|tutti i|all"
        r"|most|some) (?:single )?(?:(?P<every_d>\d{1,2})%ORD%(?! (?:%UNIT%|%WEEKDAY%))\b|(?P<every_o>other "
        r"|second |third |(?:%NUM%) |%ORDWORD% |\d{1,2}%ORD% )?(?:(?P<every_w>%WEEKDAY%)s?\b|(?P<every_p>morning"
        r"|afternoon|evening|night)s?\b|(?P<every_u>%UNIT%|weekday|workday|(?:business|working) day)\b|"
        r"(?P<every_m>%MONTH%)\b(?:~(?:the )?(?P<every_md>\d{1,2})%ORD%?)?))(?! of the (?!month))(?: of the month)?",
    ),
    _pattern(
        "plural",
        _first_words([*vocabulary.WEEKDAYS, *(f"{word}s" for word in vocabulary.WEEKDAYS)])
        | _words("weekday weekdays weekends workdays mornings afternoons evenings nights on in the"),
        r"(?P<plural_w>monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?:s\b(?!')| (?P<plural_p>mornings"
        r"|afternoons|evenings|nights)\b)|(?:on |in )?(?:the )?(?:(?P<plural_k>weekday|weekend)s?(?: (?P<plural_p2>mornings"
        r"|afternoons|evenings|nights)\b|(?<=s)\b(?!'))|(?P<plural_k2>workdays|mornings|afternoons|evenings|nights)\b)",
    ),
    _pattern(
        "adverb",
        _words(
            """once twice everyday daily weekly monthly yearly annual annually quarterly biweekly bi semiannual
            fortnightly weekday"""
        ),
        r"(?P<adverb_t>(?:once|twice|(?:%NUM%) times) (?:a|an|per|every) (?P<adverb_u>day|week|month|year))\b|"
        r"(?P<adverb_w>everyday|daily|weekly|monthly|yearly|annual|annually|quarterly|bi-?weekly|semiannual"
        r"|fortnightly)\b(?!-)",
    ),
    _pattern(
        "weekday",
        _LEADS | _first_words(vocabulary.WEEKDAYS) | _words("the on of"),
        r"(?P<weekday_p>(?:(?:on |the )?(?:this|next|coming|following|last|past|previous|upcoming|nächste[nrm]"
        r"?|kommende[nrm]?|diese[nrm]?|letzte[nrm]?|vergangene[nrm]?|ce|este|próxim[oa]|proximo|pasado|since|seit"
        r"|depuis|desde|prossim[oa]|quest[oa]|volgende|aanstaande|komende|deze|vorige) (?:coming |past |last )?))"
        r"?(?P<weekday_w>%WEEKDAY%)\b\.?(?P<weekday_q> (?:prochain|dernier|próxim[oa]|que viene|que vem"
        r"|prossim[oa]|scors[oa]|passad[oa]|pasado|nächster woche|(?:of |in )?(?:the )?(?:next|following) week|"
        r"(?:of )?this week|(?:of )?last week|after next|week)\b)?(?:,?~(?:the )?(?P<weekday_d>\d{1,2})(?:"
        r"(?P<weekday_o>%ORD%)\b|(?![\w:/%.-]|,\d|~-~\d|~%AND%~\d| (?:(?:de |di |of )?%MONTH%|uhr|uur|h|[ap]\.?m"
        r"|%UNIT%|o'?clock)\b))|,?~the (?P<weekday_dw>%ORDWORD%)\b(?! (?:of |%MONTH%|%WEEKDAY%)))?(?!'(?!\d)|\w"
        r"|\.\w|-(?!(?:%WEEKDAY%)\b)\w)",
    ),
    _pattern(
        "ptday",
        _words("até na próxima nesta de para"),
        r"(?:até|na|próxima|na próxima|nesta|até à|para)(?: a| próxima)? (?P<ptday_w>%PTDAY%)\b(?! (?:vez|edição))",
    ),
    _pattern(
        "onthe",
        _words("on the"),
        r"(?:on )?the (?P<onthe_d>\d{1,2})(?= (?:at|from|between|by|around|\d))",
    ),
    _pattern(
        "relative",
        _first_words(vocabulary.RELATIVE_DAYS) | _words("the"),
        r"(?:the )?(?P<relative_w>%RELATIVE%)(?![\w-])(?P<relative_q> (?:week|fortnight)\b(?! (?:day|end|night)))?",
    ),
    _pattern(
        "thispart",
        _words("this next tomorrow yesterday last early late in the tonight"),
        r"(?P<thispart_n>this|next|last|later this) (?:early |late )?(?P<thispart_w>morning|afternoon|evening"
        r"|night|lunchtime|lunch time)\b|(?P<thispart_m>early|late) (?P<thispart_w2>this morning)",
    ),
    _pattern(
        "theday",
        _words("the next following same this"),
        r"(?:the )(?P<theday_w>next|following) day\b(?! and)|(?P<theday_t>this (?:very |same )?day\b)",
    ),
    _pattern(
        "named",
        _first_words(vocabulary.NAMED_TIMES) | _DIGIT | _words("after before by at until the from"),
        r"(?:at )?(?P<named_w>%NAMED%)(?![\w'])",
    ),
    _pattern(
        "part",
        _first_words(vocabulary.PARTS_OF_DAY) | _words("in during at by early late mid the"),
        r"(?:(?:in|during|by|at|over|of) )?(?:the )?(?P<part_m>early[ -]|late[ -])?(?:in the )"
        r"?(?P<part_w>%PART%)\b(?!-)",
    ),
    _pattern(
        "ampm",
        _words("am pm a p"),
        r"(?P<ampm_w>[ap])\.?m\b\.?",
    ),
    _pattern(
        "slash",
        _DIGIT,
        r"(?P<slash_a>\d{1,2})/(?P<slash_b>\d{1,2})(?:~-~(?P<slash_c>\d{1,2})(?!\d?[/:]))?(?:~-~"
        r"(?P<slash_d>\d{1,2})/(?P<slash_e>\d{1,2})(?!/))?(?:,?~(?P<slash_y>%YEAR%)\b)?(?![\w/%]|[.,]\d)",
    ),
    _pattern(
        "dots",
        _DIGIT,
        r"(?P<dots_a>\d{1,2})\.~(?P<dots_b>\d{1,2})\.(?!\d)",
    ),
    _pattern(
        "dashed",
        _DIGIT,
        r"(?P<dashed_a>\d{1,2})[-.](?P<dashed_b>\d{1,2})(?![\w/%:-]|[.,]\d|~%AP%| (?:%UNIT%|in|of)\b)",
    ),
    _pattern(
        "feast",
        _first_words(NAMES) | _words("next this last following previous the coming"),
        r"(?P<feast_p>next |this |last |following |previous |the |coming )?(?P<feast_w>%FEAST%)\b(?!-)"
        r"(?P<feast_e> weekend)?(?:,? (?:of |in )?(?:(?P<feast_y>%YEAR%)|(?P<feast_r>this|next|last) year)\b)?",
    ),
    _pattern(
        "barerange",
        _DIGIT | _HOURS,
        r"(?:(?P<barerange_fh>\d{1,2})(?::(?P<barerange_fm>[0-5]\d))?|(?P<barerange_fw>%HOURWORD%))~%AND%~(?:"
        r"(?P<barerange_h>\d{1,2})(?::(?P<barerange_m>[0-5]\d))?|(?P<barerange_w>%HOURWORD%))(?:~o'?~clock)"
        r"?(?![\w:/%$-]|[.,]\d|~(?:%MONTH%|uhr|h|%UNIT%|%AP%|percent|in\b(?! the (?:morning|afternoon|evening|night))|of\b)\b)",
    ),
    _pattern(
        "wordclock",
        _HOURS | _words("half quarter a 0 from at between") | _DIGIT | _NUMBERS,
        r"(?:(?P<wordclock_q>half|a quarter|quarter|%NUM%)(?: minutes?)? (?P<wordclock_pt>past|after|to|before"
        r"|till) )?(?:(?P<wordclock_h>%HOURWORD%)|(?P<wordclock_hd>\d{1,2}))(?:[ -](?P<wordclock_m>oh[ -](?:%HOURWORD%)"
        r"|%MINUTEWORD%)\b)?(?P<wordclock_s>~-?~"
        r"(?P<wordclock_ap>[ap])(?:\.~m\b\.?| ?\.?m\b)|~o'?~clock\b(?:~(?P<wordclock_ap2>[ap])\.?m\b)?|(?<=\d)ish\b)"
        r"?(?(wordclock_q)|(?(wordclock_m)|(?(wordclock_s)|(?!))))(?!\w)",
    ),
    _pattern(
        "bare",
        _words(
            """later earlier appointment meeting call lunch than circa at by around about um gegen à a from between until till before
            after alle às as om @ approximately"""
        ),
        r"(?:(?P<bare_p>(?:appointment|meeting|call|lunch) to|(?:(?:later |earlier )?than)|circa|at|by|around|about|um|gegen|à"
        r"|a las?|alle|às|as|om|@|from|between|until|till|before|after) (?:around |about )?|@~)"
        r"(?:(?P<bare_h>\d{1,2})|(?P<bare_w>%HOURWORD%))(?:~o'?~clock\b)"
        r"?(?:~%AND%~(?:(?P<bare_h2>\d{1,2})(?::(?P<bare_m2>[0-5]\d))?|(?P<bare_w2>%HOURWORD%))(?:~o'?~clock\b)?)"
        r"?(?![\w:/%$']|[.,-]\d|-\w|\.?~(?:of |de )?(?:%MONTH%|uhr|h|%UNIT%|%AP%|or \d|dollars|cents|euros"
        r"|percent|other|more|people|million|fifteen|thirty|forty|past)\b)",
    ),
    _pattern(
        "monthyear",
        _MONTHS
        | _words("""month the in of during by until this next last from since before after early late mid for end"""),
        r"(?:(?:the )?month of )?(?:(?P<monthyear_p>in|of|during|by|until|till|this|next|last|from|since|before"
        r"|after|early|late|mid|for|en|im) )?(?P<monthyear_m>%LONE%|jan|mar|apr|jun|jul|aug|sep)(?:\b|(?=20\d\d\b))\.?(?:(?:~,?~|/"
        r"|~-~)(?:of )?(?P<monthyear_y>%ANYYEAR%)\b|(?P<monthyear_r> (?:of )?(?:this|next) year))?(?!-|~,?~\d|'s|/)",
    ),
    _pattern(
        "quarter",
        _words("q first second third fourth 0 the h end") | _DIGIT,
        r"(?P<quarter_e>(?:the )?end of )?(?:(?P<quarter_yb>%YEAR%)[,-]?~)?(?:q(?P<quarter_n>[1-4])|h"
        r"(?P<quarter_h>[12])|(?:the )?(?P<quarter_w>first|second|third|fourth|1st|2nd|3rd|4th) quarter)\b(?:,?~"
        r"(?:of |in )?(?:(?P<quarter_y>%YEAR%)|(?P<quarter_r>this|next|the) year)\b)?"
        r"(?! of (?:the|a|my|our|its)\b)",
    ),
)
"""Name, first words and pattern of each way to name a day or a time, the more specific first."""
