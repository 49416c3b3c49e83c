"""Patterns of days that are counted off within a stretch, or from one: the last working day of June, the first two
weeks of next month, three Mondays from now, the rest of the week. Written and tried as those of `date_patterns`, before
them."""

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.date_tables import Pattern, pattern

_COUNTS = frozenset({word.split()[0].split("-")[0] for word in (*vocabulary.NUMBERS, *vocabulary.ORDINALS)} | {"0"})
_WITHIN = (
    r"(?:(?P<{0}_r>this |next |coming |following |current |last |each |every )?(?P<{0}_u>week|month|quarter|year)|"
    r"(?P<{0}_m>%MONTH%)\b\.?(?:,? (?:of )?(?P<{0}_y>%YEAR%))?|(?P<{0}_y2>%YEAR%))\b"
)

COUNTED_PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "dayof",
        frozenset("the first last final every each".split()) | _COUNTS,  # noqa: SIM905
        r"(?:(?P<dayof_e>every|each) )?(?:the )?(?P<dayof_n>last|final|%ORDWORD%|\d{1,2}%ORD%) (?P<dayof_k>business day"
        r"|working day|workday|work day|weekday|calendar day|day) (?:of|in) (?:the )?" + _WITHIN.format("dayof"),
    ),
    pattern(
        "partof",
        frozenset("the first second last final opening closing".split()) | _COUNTS,  # noqa: SIM905
        r"(?:the )?(?P<partof_e>first|second|1st|2nd|last|final|opening|closing) (?:(?P<partof_n>%NUM%|few"
        r"|couple of) (?P<partof_k>"
        r"business days|working days|days?|weeks?|months?)|(?P<partof_h>half)) (?:of|in) (?:the )?"
        + _WITHIN.format("partof"),
    ),
    pattern(
        "nthofevery",
        frozenset("the every each first last second third fourth".split()) | _COUNTS,  # noqa: SIM905
        r"(?:(?:every|each) (?P<nthofevery_n>last|%ORDWORD%|[1-5]%ORD%) (?P<nthofevery_w>%WEEKDAY%) of (?:the|each"
        r"|every)"
        r" month|(?:the )?(?P<nthofevery_n2>last|%ORDWORD%|[1-5]%ORD%) (?P<nthofevery_w2>%WEEKDAY%) of (?:each|every)"
        r" month)\b",
    ),
    pattern(
        "weekdaysahead",
        _COUNTS,
        r"(?P<weekdaysahead_n>%NUM%) (?P<weekdaysahead_w>%WEEKDAY%)s? (?:from (?:now|today)|later|hence|away)\b",
    ),
    pattern(
        "remaining",
        frozenset("the rest remainder remaining balance".split()),  # noqa: SIM905
        r"(?:the )?(?:(?:rest|remainder|remaining|balance) (?:of )?(?:the |this |my |our |your )?(?:current |work )?"
        r"|remaining )(?P<remaining_u>day|today|week|month|quarter|year|morning|afternoon|evening|night|weekend"
        r"|%MONTH%)\b(?!-)",
    ),
    pattern(
        "nextand",
        frozenset("within in over for during".split()),  # noqa: SIM905
        r"(?:within|in|over|for|during) (?:the )?next (?P<nextand_u>day|hour|minute|week|month)"
        r"(?P<nextand_more>(?:,?~(?:and |,~)?(?:%NUM%) (?:%UNIT%)\b){1,3})",
    ),
    pattern(
        "monthrange",
        frozenset(word for word in vocabulary.MONTHS) | {"from", "between"},
        r"(?:(?P<monthrange_l>from|between) )?(?P<monthrange_f>%MONTH%)\b\.?(?:(?:,?~|/)(?P<monthrange_fy>%YEAR%))?"
        r"(?P<monthrange_to>~(?:-|to|through|thru|till|until|and|bis|au|al|tot|até)~)(?P<monthrange_m>%MONTH%)\b"
        r"(?:(?:\.?,?~(?:of )?|/)(?P<monthrange_y>%YEAR%)\b|(?!\.?~[\d,]|-|'|\.?~(?:the )?(?:%ORDWORD%)\b))",
    ),
    pattern(
        "monthdays",
        frozenset(word for word in vocabulary.MONTHS),
        r"(?P<monthdays_m>%MONTH%)\b\.? (?:from|between) (?:the )?(?P<monthdays_f>\d{1,2})%ORD%?~%AND%~(?:the )?"
        r"(?P<monthdays_d>\d{1,2})%ORD%?(?![\w:/]|\.\d|~%AP%|~o'?clock)(?:,?~(?:of |in )?(?P<monthdays_y>%YEAR%)\b)?",
    ),
    pattern(
        "ymd",
        frozenset({"0"}),
        r"(?P<ymd_y>%YEAR%)(?P<ymd_s>[-/. ]|, )(?P<ymd_m>%MONTH%)\b\.?(?:[-/. ]|, )(?P<ymd_d>\d{1,2})%ORD%?(?![\w:/])",
    ),
    pattern(
        "digits",
        frozenset({"0"}),
        r"(?P<digits_y>20\d\d)(?P<digits_m>0[1-9]|1[0-2])(?P<digits_d>0[1-9]|[12]\d|3[01])(?![\w/-]|\.\d)",
    ),
    pattern(
        "fiscal",
        frozenset({"fy", "fiscal", "q", "the"}),
        r"(?:(?:q(?P<fiscal_q>[1-4])|(?P<fiscal_e>end) of)[ ,-]{1,2})?(?:the )?(?:fy|fiscal year|fiscal)[ '-]{0,2}"
        r"(?P<fiscal_y>(?:20)?\d\d)\b(?:[ -]q(?P<fiscal_q2>[1-4])\b)?",
    ),
    pattern(
        "relhour",
        frozenset({"tomorrow", "tmr", "tmrw", "today"}),
        r"(?P<relhour_w>tomorrow|tmrw|tmr|today) (?:(?P<relhour_h>\d{1,2})|(?P<relhour_n>%HOURWORD%))"
        r"(?=~(?:$|[.;!?)]))",
    ),
    pattern(
        "hourpart",
        frozenset(vocabulary.CLOCK_HOURS) | {"0", "at", "around", "by", "until", "till"},
        r"(?:(?:at|around|by|until|till) )?(?:(?P<hourpart_h>\d{1,2})|(?P<hourpart_n>%HOURWORD%))(?:~o'?~clock)? "
        r"(?:in the "
        r"(?P<hourpart_p>morning|afternoon|evening|night)|(?P<hourpart_p2>at night))\b",
    ),
    pattern(
        "hourbefore",
        frozenset(vocabulary.CLOCK_HOURS) | {"0"},
        r"(?:(?P<hourbefore_h>\d{1,2})|(?P<hourbefore_n>%HOURWORD%)),?(?= (?:tonight|tonite|this (?:morning|afternoon"
        r"|evening)|tomorrow (?:morning|afternoon|evening|night))\b)",
    ),
    pattern(
        "dayend",
        frozenset("by on before until till due for through after".split()),  # noqa: SIM905
        r"(?P<dayend_p>by|on|before|until|till|due|for|through|after)(?: on| by)? the (?:(?P<dayend_w>%DAYWORD%)"
        r"|(?P<dayend_d>\d{1,2}))(?=~(?:$|[.,;!?)](?!\d)))",
    ),
)
"""Name, first words and pattern."""
