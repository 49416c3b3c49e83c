"""Patterns of stretches of days: next week, the end of June, this summer, week 23. As those of `date_patterns`."""

from rl_emails_assets.extraction.date_tables import DIGIT, LEADS, NEXT, Pattern, pattern, words_of

SPAN_PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "monthpart",
        words_of(
            """end ende fin finales final fine eind einde fim beginning begin start middle mid early late first
            second the anfang mitte"""
            " début inicio inizio"
        ),
        r"(?P<monthpart_p>end|ende|fin|finales|final|fine|eind|einde|fim|beginning|begin|start|middle|mid|early"
        r"|late|anfang|mitte|début|inicio|inizio|(?:the )?first half|(?:the )?second half)(?: of | de | d'~|~-~"
        r"| di | van | )(?:the )?(?P<monthpart_m>%MONTH%)\b(?:,? (?P<monthpart_y>%YEAR%)\b)?(?!~\d)",
    ),
    pattern(
        "eod",
        words_of("eod end ende fin einde fine fim"),
        r"(?:eod\b|end of (?:the |my |your |our )?(?:business |working |work )?day\b|ende des tages\b|fin de "
        r"(?:la )?journée\b|fin del día\b|einde van de dag\b|fine (?:della )?giornata\b|fim do dia\b)",
    ),
    pattern(
        "endof",
        words_of("end ende"),
        r"(?:at )?(?:the )?end of (?:the |this )?(?=(?:%RELATIVE%|%WEEKDAY%)\b)",
    ),
    pattern(
        "periodend",
        words_of("end ende fin finales final fine eind einde fim close beginning start middle"),
        r"(?P<periodend_k>end|ende|fin|finales|final|fine|eind|einde|fim|close|beginning|start|middle)(?: of "
        r"| der | des | de | du | del | della | van | d'~|~-~of~-~| do | da | )(?:the |la |l'|el |de |het )"
        r"?(?P<periodend_n>this |next |coming |current |following |dieser |dieses |nächster |nächsten |kommenden "
        r"|cette |ce |este |esta |próxim[oa] |prossim[oa] |volgende |deze )?(?P<periodend_u>week|workweek"
        r"|work week|month|quarter|year|weekend|woche|monats|quartals|jahres|semaine|mois|trimestre|année|semana"
        r"|mes|año|settimana|mese|anno|maand|kwartaal|jaar|mês|ano)\b(?P<periodend_p> prochaine?| próxim[oa]"
        r"| que viene| prossim[oa])?",
    ),
    pattern(
        "unitend",
        words_of(
            """month quarter year monats quartals jahres monatsende quartalsende jahresende eow eom eoq eoy weeks"""
        ),
        r"(?P<unitend_u>month|quarter|year|monats|quartals|jahres)[ -]?ende?\b|(?P<unitend_e>eow|eom|eoq|eoy)\b",
    ),
    pattern(
        "weekafter",
        words_of("the week month year weekend"),
        r"(?:the )?(?P<weekafter_u>week|month|year|weekend|quarter) after (?:the )?(?P<weekafter_n>next|this|that)\b"
        r"(?! \w+day)",
    ),
    pattern(
        "span",
        NEXT
        | LEADS
        | words_of(
            """la le el l rest remainder remaining later earlier early late mid middle in during for within
            throughout"""
        ),
        r"(?:(?P<span_q>later|earlier|early|late|mid|middle of|sometime|rest of|remainder of|remaining of|the rest of"
        r"|the remainder of|remaining)[ -])?(?:in |on |during |for |within |throughout )?(?:the )?(?P<span_n>next"
        r"|this|coming"
        r"|following|last|past|previous|upcoming|current|same|nächste[nrms]?|kommende[nrms]?|diese[nrms]"
        r"?|letzte[nrms]?|la próxima|el próximo|próxima|próximo|questa|la prossima|il prossimo|prossima|prossimo"
        r"|volgende|komende|aanstaande|deze|vorige|esta|este|cette|ce) (?:business |working |calendar |work~-?~)"
        r"?(?P<span_u>week(?:~-?end)?s?|workweek|month|quarter|year|fortnight|wochenende|woche|monat|quartal|jahr"
        r"|semana|mes|semaine|mois|trimestre|settimana|mese|maand|kwartaal|jaar|mês|hour|day|ano|año|anno|année)\b"
        r"(?! (?:ago|old))|(?:la|le|el|l')~(?P<span_fu>semaine|mois|année|settimana|mese|anno|semana|mes|año|mês"
        r"|ano) (?:prochaine?|que viene|próxim[oa]|prossim[oa]|que vem)\b",
    ),
    pattern(
        "theperiod",
        words_of("on at over within the for in during throughout of later rest remainder remaining semana mês"),
        r"(?:(?P<theperiod_q>later in|rest of|remainder of|remaining of|for|in|during|throughout|within) )(?:the )"
        r"?(?P<theperiod_u>week|month|quarter|weekend|year|day)\b(?!-)(?! (?:of|before|after|starting|beginning"
        r"|commencing|in\b|\d))|(?:the )(?P<theperiod_w>weekend)\b(?! (?:of|before|after))|(?:on|at|over) "
        r"(?P<theperiod_w2>weekend)\b|(?P<theperiod_v>semana"
        r"|mês) que vem\b",
    ),
    pattern(
        "season",
        words_of(
            """this next last in by before until during the of spring summer autumn winter fall late early mid end"""
        ),
        r"(?P<season_p>(?:(?:in|by|before|until|during|of) )?(?:the )?(?:early |late |mid[ -]|end of |middle of )"
        r"?(?P<season_n>this |next |last |coming |the )?)(?P<season_w>%SEASON%)\b(?:,? (?:of )"
        r"?(?P<season_y>%YEAR%)\b)?(?![-'])",
    ),
    pattern(
        "yearpart",
        words_of("end beginning start middle early mid late q first second last h the") | DIGIT,
        r"(?:(?P<yearpart_p>end|beginning|start|middle|early|mid|late)(?: of | in | |-)(?:the year )?|(?:the )"
        r"?(?P<yearpart_h>first|second|1st|2nd) half of )(?P<yearpart_y>%YEAR%|next year|this year)\b(?![-/]\d)",
    ),
    pattern(
        "weeknumber",
        words_of("kw week wk semaine settimana the in") | DIGIT,
        r"(?P<weeknumber_y2>%YEAR%)-?w(?P<weeknumber_n2>[0-5]\d)\b|"
        r"(?:(?:in |the )?(?:week |wk~|semaine |settimana )(?:number |no\.? )?|(?P<weeknumber_k>kw)~)"
        r"(?P<weeknumber_n>\d{1,2})(?:(?:,| of|/)? ?(?P<weeknumber_y>%YEAR%))?\b(?![.:/%-]\d)",
    ),
    pattern(
        "weekof",
        words_of("the week weekend w"),
        r"(?:the )?(?:(?P<weekof_u>week|weekend) (?:of|starting|beginning|commencing)(?: on)?|w/c|wk of)(?: of)? "
        r"(?=(?:the )?(?:%MONTH%|%WEEKDAY%|%FEAST%|\d))",
    ),
)
"""In the place that `date_patterns` gives them."""
