"""The patterns by which mail names days and times; `date_matching` says how they are written and tried.

A space stands for one to three of them, "~" for none to two, and %NAME% for the words of a table. Every repetition is
bounded, so that matching is linear in the text whatever the text is. Each pattern comes with the words it may begin
with; "0" stands for any number in digits. Its groups begin with its name.
"""

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.date_span_patterns import SPAN_PATTERNS
from rl_emails_assets.extraction.date_tables import (
    DAYWORDS,
    DIGIT,
    HOURS,
    LEADS,
    MONTHS,
    NUMBERS,
    Pattern,
    first_words,
    pattern,
    words_of,
)
from rl_emails_assets.extraction.feasts import NAMES

PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "iso",
        DIGIT,
        r"(?P<iso_y>%YEAR%)(?P<iso_s>[-/.])(?P<iso_m>\d{1,2})(?P=iso_s)(?P<iso_d>\d{1,2})(?:t(?P<iso_h>[01]\d"
        r"|2[0-3]):(?P<iso_n>[0-5]\d)(?::[0-5]\d(?:\.\d{1,6})?)?(?P<iso_z>z|[+-]\d\d:?\d\d)?)?(?![\d/-])",
    ),
    pattern(
        "num",
        DIGIT,
        r"(?P<num_a>\d{1,2})(?P<num_s>[/.-])(?P<num_b>\d{1,2})(?P=num_s)(?P<num_y>(?:19|20)?\d\d)(?![\w/]|\.\d|-\d"
        r"(?!\d?(?P=num_s)\d))",
    ),
    pattern(
        "yearmonth",
        DIGIT,
        r"(?P<yearmonth_y>%YEAR%)(?:~[-/]~(?P<yearmonth_n>0?[1-9]|1[0-2])(?![\d/-])|~,?~(?P<yearmonth_m>%MONTH%)\b"
        r"(?!~\d))|(?P<yearmonth_n2>0?[1-9]|1[0-2])~[-/]~(?P<yearmonth_y2>%YEAR%)(?![\w/-])",
    ),
    pattern(
        "clock",
        DIGIT | words_of("from between"),
        r"(?:(?:from|between) )?(?:(?P<clock_fh>\d{1,2})(?:[:.](?P<clock_fm>[0-5]\d))?~(?P<clock_fap>%AP%)?~(?:"
        r"(?:,~|in the morning )?%AND%)~(?:at )?)?(?P<clock_h>\d{1,2})(?:[:.]~?(?P<clock_m>[0-5]\d)"
        r"(?:[:.][0-5]\d)?|(?P<clock_m2>[0-5]\d))?~[-.]?(?P<clock_ap>[ap])(?:\.m\.|\.?m(?:\b|(?=(?:[ecmp][sd]?t|gmt"
        r"|utc|b?st|cest|cet)\b))|(?<=\dp)\b|\b(?! (?!on\b|tomorrow\b|today\b|%WEEKDAY%\b|%MONTH%\b|sharp\b)\w))"
        r"(?: sharp\b)?",
    ),
    pattern(
        "military",
        DIGIT | words_of("from between at"),
        r"at (?P<military_h3>[01]\d|2[0-3])(?P<military_m3>[0-5]\d)(?![\w:/%$-]|[.,]\d|~%AP%| (?:%UNIT%|\w+ (?:st"
        r"|street|ave|road))\b)|"
        r"(?:(?:from|between) )?(?P<military_fh>[01]\d|2[0-3])(?P<military_fm>[0-5]\d)~(?:-|to|and|until)~"
        r"(?P<military_h>[01]\d|2[0-3])(?P<military_m>[0-5]\d)(?:~(?P<military_u>hrs|hours|h)\b)?(?![\w-])|"
        r"(?P<military_h2>[01]\d|2[0-3])(?P<military_m2>[0-5]\d)~(?:hrs|hours|h)\b",
    ),
    pattern(
        "uhr",
        DIGIT,
        r"(?:(?P<uhr_fh>\d{1,2})(?:[:.](?P<uhr_fm>\d\d))?~(?:uhr~)?(?:-|bis|tot|und)~)?(?P<uhr_h>\d{1,2})(?:[.:]"
        r"(?P<uhr_m>[0-5]\d))?~(?:uhr|uur)\b",
    ),
    pattern(
        "hours",
        DIGIT,
        r"(?:(?P<hours_fh>[01]?\d|2[0-3])(?::(?P<hours_fm>[0-5]\d))?~(?:%AND%|à)~)?(?P<hours_h>[01]?\d|2[0-4]):"
        r"(?P<hours_m>[0-5]\d)(?::[0-5]\d)?(?:~-?ish\b)?(?P<hours_u>~(?:hrs|hours|h|uhr|uur)\b)?(?!(?!z\b|utc\b"
        r"|gmt\b)\w|:\d|%|/(?!\d\d?:\d\d\b))",
    ),
    pattern(
        "heures",
        DIGIT,
        r"(?:(?P<heures_fh>[01]?\d|2[0-3])~h?~(?:-|à|a|às|as)~)?(?P<heures_h>[01]?\d|2[0-3])~h(?:eures\b|oras\b"
        r"|rs?\b)?~(?P<heures_m>[0-5]\d)?(?!\w)",
    ),
    pattern(
        "md",
        MONTHS | words_of("of from between"),
        r"(?:(?:of|from|between) )?(?P<md_m>%MONTH%)(?:\b|(?=\d))\.?(?:~,?~|[-/])(?:the )?(?:(?P<md_d>\d{1,2})%ORD%?|"
        r"(?P<md_w>%DAYWORD%))(?![:\d]|~%AP%|~o'?clock)(?:~(?:%TO%|and)~(?:the )?(?:(?P<md_d2>\d{1,2})%ORD%?|"
        r"(?P<md_w2>%ORDWORD%))(?!~[ap]\.?m\b|:|\d| (?:%UNIT%)\b|/))?(?:(?:~,~| |~-~|/)(?:of )?(?P<md_y>%ANYYEAR%)\b"
        r"(?!:)|~,?~'(?P<md_y2>\d\d)\b)?(?![\d%:]|[.,]\d|-\d(?!\d?:))",
    ),
    pattern(
        "dm",
        DIGIT | DAYWORDS | words_of("from between the"),
        r"(?:(?:from|between) )?(?:the )?(?:(?:(?P<dm_f>\d{1,2})%ORD%?\.?|(?P<dm_fw>%ORDWORD%))(?: "
        r"(?P<dm_fm>%MONTH%)\.?)?~%AND%~(?:the )?)?(?:(?P<dm_d>\d{1,2})(?P<dm_o>st|nd|rd|th|er|e|\.|º|ª|°)?|"
        r"(?P<dm_w>%ORDWORD%))(?: day)?(?: of | de | di |[-/]|~,?~)(?:the )?(?P<dm_m>%MONTH%)(?:\b|(?="
        r"(?:20)?\d\d\b))\.?(?!'s)(?:(?P<dm_y4>(?<=[a-z])(?:20)?\d\d)\b(?!:)|(?:~,~"
        r"|[ /]|(?<=\.))(?:del? |in |of )?(?P<dm_y>%ANYYEAR%)\b(?!:)|-(?P<dm_y2>%YEAR%|\d\d)\b|~,?~'"
        r"(?P<dm_y3>\d\d)\b)?",
    ),
    pattern(
        "nth",
        words_of("""by on before until till due through for after since around from between the op voor am""")
        | frozenset({"0"}),
        r"(?:(?P<nth_p>by|on|before|until|till|due|through|for|after|since|around|from|between) )?(?P<nth_t>the )"
        r"?(?:(?P<nth_f>\d{1,2})%ORD%?~%AND%~(?:the )?)?(?:(?P<nth_d>\d{1,2})%ORD%|(?P<nth_w2>%LATEORD%)"
        r"|(?P<nth_w>%ORDWORD%)(?= (?:at|from|between|around) "
        r"(?:\d|noon|%HOURWORD%)| (?:of "
        r"(?:this|next|the|each|every)|this|next) month| day of))\b(?!~%AND%~(?:the )?\d{1,2}%ORD%?~(?:of )?%MONTH%)"
        r"(?: day"
        r"(?= of))?(?:,? (?:of |in )?(?P<nth_of>this|next|the|last|following|coming|each|every) month)?(?! (?:floor|str"
        r"|street|st\b|ave|avenue|century|cent|edition|edit|grade|hole|quarter|anniv|birthd|amend|time|times|of\b"
        r"|draft|version|place|party|day|week|month|year|hour|circuit|district|most|largest|consecutive|inst"
        r"|%MONTH%\b|%WEEKDAY%\b|business|working|annual|row|round|straight|person|game|season|period|meeting"
        r"|conference|issue|world|street"
        r"|graders?)|-)",
    ),
    pattern(
        "rangeinmonth",
        DIGIT | words_of("from between"),
        r"(?:(?:from|between) )?(?P<rangeinmonth_f>\d{1,2})~%AND%~(?P<rangeinmonth_d>\d{1,2}),? (?:in |of )"
        r"?(?:the )?(?P<rangeinmonth_n>this|next|coming|following) month\b",
    ),
    pattern(
        "nthof",
        DAYWORDS | words_of("the last 0 1st 2nd 3rd 4th 5th") | DIGIT,
        r"(?:the )?(?P<nthof_n>[1-5]%ORD%|first|second|third|fourth|fifth|last) (?P<nthof_k>%WEEKDAY%|week|weekend"
        r"|month)(?: (?:(?:of|in) (?:the )?|(?=next |this ))(?:(?P<nthof_r>this|next|last|following|coming|current)? "
        r"?(?P<nthof_u>month|year)|(?P<nthof_m>%MONTH%)\b(?:,? (?:of )?(?P<nthof_y>%ANYYEAR%))?|"
        r"(?P<nthof_y2>%ANYYEAR%)))\b",
    ),
    *SPAN_PATTERNS,
    pattern(
        "duration",
        words_of(
            """within in inside over after next coming following dans d innerhalb binnen dentro en entro tra fra over em
            the for upcoming"""
        ),
        r"(?P<duration_l>within|inside|in|over|for|after|dans|d'ici|innerhalb|binnen|dentro de|en|entro|tra|fra|em)?~"
        r"(?P<duration_x>(?:the |den |les |los |le |i |de )?(?:next|coming|following|upcoming|nächsten|kommenden"
        r"|prochains?|prochaines|próxim[oa]s|prossim[ie]|volgende|komende) |von |about |around |approximately "
        r"|roughly |as little as |the |under |less than |at least |at most |no more than |not more than |another "
        r"|up to )?(?:(?:%NUM%)~(?:-|to|or)~)?(?:a (?=few|couple))?(?P<duration_n>half an"
        r"?|an? half|a quarter of an|%FRACTION%|%NUM%)~-?~(?:of )?(?P<duration_b>business |working |full |more "
        r"|calendar "
        r"|couple of |week~|upcoming |coming |next |following )?(?P<duration_u>%UNIT%)\b(?P<duration_ub> úteis"
        r"| hábiles| ouvrés| ouvrables| lavorativi)?(?P<duration_half> and an? (?:half|quarter))?(?P<duration_more>"
        r"(?:,?~(?:and |,~)?(?:%NUM%) "
        r"(?:%UNIT%)\b){0,3})(?:'s?)?(?P<duration_t> time\b)?(?P<duration_a>,? from (?:now|today)\b)?(?! (?:of"
        r"|after|ago|following|prior|before|vor|nach|après|avant|later|old|older|from)\b)",
    ),
    pattern(
        "anchored",
        DIGIT | NUMBERS | words_of("half the for in within a less"),
        r"(?:for |in |within |less than )?(?:(?:%NUM%)~(?:-|to|or)~)?(?:a (?=few"
        r"|couple))?(?P<anchored_n>half an?|%FRACTION%|the(?= (?:day|week|month) (?:before|after|following|prior)"
        r"(?! (?:next|this|that)))|%NUM%)[ -](?P<anchored_b>business |working |calendar |couple of |full )"
        r"?(?P<anchored_u>%UNIT%)\b(?P<anchored_half> and an? (?:half|quarter))?(?P<anchored_more>(?:,?~(?:and "
        r"|,~)?(?:%NUM%) (?:%UNIT%)\b){0,3}) "
        r"?(?P<anchored_w>in the future\b|(?:from|after|starting|starting from) (?:now|today)\b|hence\b|later\b"
        r"|out\b(?= from)|ago\b|earlier\b|(?:(?:starting|beginning|commencing)(?: from| on)?|from|after|past"
        r"|following|before|prior to|ahead of|on) "
        r"(?=(?:the )?(?:%RELATIVE%|%WEEKDAY%|%FEAST%|%MONTH%|next|this|\d{1,2}[/.-]\d|\d{1,2}%ORD%)\b))",
    ),
    pattern(
        "weekdayafter",
        words_of("the") | first_words(vocabulary.WEEKDAYS),
        r"(?:the )?(?P<weekdayafter_w>%WEEKDAY%) (?P<weekdayafter_a>after|before|following) (?=(?:the )?(?:%FEAST%"
        r"|%MONTH% \d|\d{1,2}(?:%ORD%|[/.-]\d)))",
    ),
    pattern(
        "every",
        words_of(
            """every each any ogni elke chaque cada jeden jede jeder jedes tous toutes todos tutti all most some"""
        ),
        r"(?P<every_e>every|each|any|ogni|elke|chaque|cada|jede[nrs]?|tous les|toutes les|todos los|tutti i|all"
        r"|most|some) (?:single )?(?:(?P<every_d>\d{1,2})%ORD%(?! (?:%UNIT%|%WEEKDAY%))\b|(?P<every_o>other "
        r"|second |third |(?:%NUM%) |%ORDWORD% |\d{1,2}%ORD% )?(?:(?P<every_w>%WEEKDAY%)s?\b|(?P<every_p>morning"
        r"|afternoon|evening|night)s?\b|(?P<every_u>%UNIT%|weekday|workday|(?:business|working) day)\b|"
        r"(?P<every_m>%MONTH%)\b(?:~(?:the )?(?P<every_md>\d{1,2})%ORD%?)?))(?! of the (?!month))(?: of the month)?",
    ),
    pattern(
        "plural",
        first_words([*vocabulary.WEEKDAYS, *(f"{word}s" for word in vocabulary.WEEKDAYS)])
        | words_of("weekday weekdays weekends workdays mornings afternoons evenings nights on in the"),
        r"(?P<plural_w>monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?:s\b(?!')| (?P<plural_p>mornings"
        r"|afternoons|evenings|nights)\b)|(?:on |in )?(?:the )?(?:(?P<plural_k>weekday|weekend)s?(?: "
        r"(?P<plural_p2>mornings"
        r"|afternoons|evenings|nights)\b|(?<=s)\b(?!'))|(?P<plural_k2>workdays|mornings|afternoons|evenings|nights)\b)",
    ),
    pattern(
        "adverb",
        words_of(
            """once twice everyday daily weekly monthly yearly annual annually quarterly biweekly bi semiannual
            fortnightly weekday"""
        ),
        r"(?P<adverb_t>(?:once|twice|(?:%NUM%) times) (?:a|an|per|every) (?P<adverb_u>day|week|month|year))\b|"
        r"(?P<adverb_w>everyday|daily|weekly|monthly|yearly|annual|annually|quarterly|bi-?weekly|semiannual"
        r"|fortnightly)\b(?!-)",
    ),
    pattern(
        "weekday",
        LEADS | first_words(vocabulary.WEEKDAYS) | words_of("the on of"),
        r"(?P<weekday_p>(?:(?:on |the )?(?:this|next|coming|following|last|past|previous|upcoming|nächste[nrm]"
        r"?|kommende[nrm]?|diese[nrm]?|letzte[nrm]?|vergangene[nrm]?|ce|este|próxim[oa]|proximo|pasado|since|seit"
        r"|depuis|desde|prossim[oa]|quest[oa]|volgende|aanstaande|komende|deze|vorige) (?:coming |past |last )?))"
        r"?(?P<weekday_w>%WEEKDAY%)\b\.?(?P<weekday_q> (?:prochain|dernier|próxim[oa]|que viene|que vem"
        r"|prossim[oa]|scors[oa]|passad[oa]|pasado|nächster woche|(?:of |in )?(?:the )?(?:next|following) week|"
        r"(?:of )?this week|(?:of )?last week|after next|week|fortnight)\b)?(?:,?~(?:the )?(?P<weekday_d>\d{1,2})(?:"
        r"(?P<weekday_o>%ORD%)\b|(?![\w:/%.-]|,\d|~-~\d|~%AND%~\d| (?:(?:de |di |of )?%MONTH%|uhr|uur|h|[ap]\.?m"
        r"|%UNIT%|o'?clock)\b))|,?~the (?P<weekday_dw>%ORDWORD%)\b(?! (?:of |%MONTH%|%WEEKDAY%)))?(?!'(?!\d)|\w"
        r"|\.\w|-(?!(?:%WEEKDAY%)\b)\w)",
    ),
    pattern(
        "ptday",
        words_of("até na próxima nesta de para"),
        r"(?:até|na|próxima|na próxima|nesta|até à|para)(?: a| próxima)? (?P<ptday_w>%PTDAY%)\b(?! (?:vez|edição))",
    ),
    pattern(
        "onthe",
        words_of("on the"),
        r"(?:on )?the (?P<onthe_d>\d{1,2})(?= (?:at|from|between|by|around|\d))",
    ),
    pattern(
        "relative",
        first_words(vocabulary.RELATIVE_DAYS) | words_of("the"),
        r"(?:the )?(?P<relative_w>%RELATIVE%)(?![\w-])(?P<relative_q> (?:week|fortnight)\b(?! (?:day|end|night)))?",
    ),
    pattern(
        "thispart",
        words_of("this next tomorrow yesterday last early late in the tonight"),
        r"(?P<thispart_n>this|next|last|later this) (?:early |late )?(?P<thispart_w>morning|afternoon|evening"
        r"|night|lunchtime|lunch time)\b|(?P<thispart_m>early|late) (?P<thispart_w2>this morning)",
    ),
    pattern(
        "theday",
        words_of("the next following same this"),
        r"(?:the )(?P<theday_w>next|following) day\b(?! and)|(?P<theday_t>this (?:very |same )?day\b)",
    ),
    pattern(
        "named",
        first_words(vocabulary.NAMED_TIMES) | DIGIT | words_of("after before by at until the from"),
        r"(?:at )?(?P<named_w>%NAMED%)(?![\w'])",
    ),
    pattern(
        "part",
        first_words(vocabulary.PARTS_OF_DAY) | words_of("in during at by early late mid the"),
        r"(?:(?:in|during|by|at|over|of) )?(?:the )?(?P<part_m>early[ -]|late[ -])?(?:in the )"
        r"?(?P<part_w>%PART%)\b(?!-)",
    ),
    pattern(
        "ampm",
        words_of("am pm a p"),
        r"(?P<ampm_w>[ap])\.?m\b\.?",
    ),
    pattern(
        "slash",
        DIGIT,
        r"(?P<slash_a>\d{1,2})/(?P<slash_b>\d{1,2})(?:~-~(?P<slash_c>\d{1,2})(?!\d?[/:]))?(?:~-~"
        r"(?P<slash_d>\d{1,2})/(?P<slash_e>\d{1,2})(?!/))?(?:,?~(?P<slash_y>%YEAR%)\b)?(?![\w/%]|[.,]\d)",
    ),
    pattern(
        "dots",
        DIGIT,
        r"(?P<dots_a>\d{1,2})\.~(?P<dots_b>\d{1,2})\.(?!\d)",
    ),
    pattern(
        "dashed",
        DIGIT,
        r"(?P<dashed_a>\d{1,2})[-.](?P<dashed_b>\d{1,2})(?![\w/%:-]|[.,]\d|~%AP%| (?:%UNIT%|in|of)\b)",
    ),
    pattern(
        "feast",
        first_words(NAMES) | words_of("next this last following previous the coming"),
        r"(?P<feast_p>next |this |last |following |previous |the |coming )?(?P<feast_w>%FEAST%)\b(?!-)"
        r"(?P<feast_e> weekend)?(?:,? (?:of |in )?(?:(?P<feast_y>%YEAR%)|(?P<feast_r>this|next|last) year)\b)?",
    ),
    pattern(
        "barerange",
        DIGIT | HOURS,
        r"(?:(?P<barerange_fh>\d{1,2})(?::(?P<barerange_fm>[0-5]\d))?|(?P<barerange_fw>%HOURWORD%))~%AND%~(?:"
        r"(?P<barerange_h>\d{1,2})(?::(?P<barerange_m>[0-5]\d))?|(?P<barerange_w>%HOURWORD%))(?:~o'?~clock)"
        r"?(?![\w:/%$-]|[.,]\d|~(?:%MONTH%|uhr|h|%UNIT%|%AP%|percent|in\b(?! the (?:morning|afternoon|evening|night))"
        r"|of\b)\b)",
    ),
    pattern(
        "wordclock",
        HOURS | words_of("half quarter a 0 from at between") | DIGIT | NUMBERS,
        r"(?:(?P<wordclock_q>half|a quarter|quarter|%NUM%)(?: minutes?)? (?P<wordclock_pt>past|after|to|before"
        r"|till) )?(?:(?P<wordclock_h>%HOURWORD%)|(?P<wordclock_hd>\d{1,2}))(?:[ -](?P<wordclock_m>oh[ -](?:%HOURWORD%)"
        r"|%MINUTEWORD%)\b)?(?P<wordclock_s>~-?~"
        r"(?P<wordclock_ap>[ap])(?:\.~m\b\.?| ?\.?m\b)|~o'?~clock\b(?:~(?P<wordclock_ap2>[ap])\.?m\b)?|(?<=\d)ish\b)"
        r"?(?(wordclock_q)|(?(wordclock_m)|(?(wordclock_s)|(?!))))(?!\w)",
    ),
    pattern(
        "bare",
        words_of(
            """later earlier appointment meeting call lunch than circa at by around about um gegen à a from between
            until till before after alle às as om @ approximately"""
        ),
        r"(?:(?P<bare_p>(?:appointment|meeting|call|lunch) to|(?:(?:later |earlier )?than)|circa|at|by|around|about"
        r"|um|gegen|à"
        r"|a las?|alle|às|as|om|@|from|between|until|till|before|after) (?:around |about )?|@~)"
        r"(?:(?P<bare_h>\d{1,2})|(?P<bare_w>%HOURWORD%))(?:~o'?~clock\b)"
        r"?(?:~%AND%~(?:(?P<bare_h2>\d{1,2})(?::(?P<bare_m2>[0-5]\d))?|(?P<bare_w2>%HOURWORD%))(?:~o'?~clock\b)?)"
        r"?(?![\w:/%$']|[.,-]\d|-\w|\.?~(?:of |de )?(?:%MONTH%|uhr|h|%UNIT%|%AP%|or \d|dollars|cents|euros"
        r"|percent|other|more|people|million|oh|%MINUTEWORD%|past)\b)",
    ),
    pattern(
        "monthyear",
        MONTHS
        | words_of("""month the in of during by until this next last from since before after early late mid for end"""),
        r"(?:(?:the )?month of )?(?:(?P<monthyear_p>in|of|during|by|until|till|this|next|last|from|since|before"
        r"|after|early|late|mid|for|en|im) )?(?P<monthyear_m>%LONE%|jan|mar|apr|jun|jul|aug|sep)(?:\b"
        r"|(?=20\d\d\b))\.?(?:(?:~,?~|/"
        r"|~-~)(?:of )?(?P<monthyear_y>%ANYYEAR%)\b|(?P<monthyear_r> (?:of )?(?:this|next) year))?(?!-|~,?~\d|'s|/)",
    ),
    pattern(
        "quarter",
        words_of("q first second third fourth 0 the h end") | DIGIT,
        r"(?P<quarter_e>(?:the )?end of )?(?:(?P<quarter_yb>%YEAR%)[,-]?~)?(?:q(?P<quarter_n>[1-4])|h"
        r"(?P<quarter_h>[12])|(?:the )?(?P<quarter_w>first|second|third|fourth|1st|2nd|3rd|4th) quarter)\b(?:,?~"
        r"(?:of |in )?(?:(?P<quarter_y>%YEAR%)|(?P<quarter_r>this|next|the) year)\b)?"
        r"(?! of (?:the|a|my|our|its)\b)",
    ),
)
"""Name, first words and pattern of each way to name a day or a time, the more specific first."""
