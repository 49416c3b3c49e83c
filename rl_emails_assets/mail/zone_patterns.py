"""The words and shapes by which mail programs mark what is quoted, forwarded or signed.

Data only: `mail.zones` and `mail.signatures` decide what they mean. Every pattern is applied to single lines of at
most `LONGEST_LINE` characters (or to at most four joined ones) and has no nested quantifier, so that reading a line
costs no more than a small multiple of its length.
"""

import re

LONGEST_LINE = 500
"""Characters; a longer line is never a header, an attribution or a signature line."""


def _words(*groups: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for group in groups for word in group.split("|"))


FROM_WORDS = _words(
    "from|von|de|da|van|från|fra|lähettäjä|od|nadawca|от|от кого|发件人|寄件者|寄件人|差出人|送信者|보낸 사람"
    "|odesílatel"
    "|feladó|kimden|gönderen|expéditeur|remitente|mittente|afzender|de la|expeditor|absender"
)
DATE_WORDS = _words(
    "sent|date|gesendet|datum|envoyé|envoyé le|enviado|enviado el|enviado em|enviada em|fecha|data|inviato|verzonden"
    "|skickat|sendt|dato|sendte|lähetetty|päivämäärä|wysłano|дата|отправлено|发送时间|日期|寄件日期|送信日時"
    "|日時|日付|보낸 날짜"
    "|odesláno|elküldve|tarih|gönderildi|sent on|date sent"
)
TO_WORDS = _words(
    "to|an|à|a|para|destinataire|destinatario|aan|naar|till|til|vastaanottaja|do|adresat|кому|收件人|宛先"
    "|받는 사람|komu"
    "|címzett|kime|empfänger"
)
SUBJECT_WORDS = _words(
    "subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|temat|тема|主题|主旨|件名|제목"
    "|předmět|tárgy"
    "|konu|subiect|re"
)
CC_WORDS = _words(
    "cc|bcc|kopie|copie|cópia|copia|kopia|kopi|kopio|dw|копия|抄送|副本|참조|másolat|bilgi|importance|attachments|reply-to|sender"
)
HEADER_KEYS: dict[str, str] = {
    **dict.fromkeys(CC_WORDS, "cc"),
    **dict.fromkeys(SUBJECT_WORDS, "subject"),
    **dict.fromkeys(TO_WORDS, "to"),
    **dict.fromkeys(DATE_WORDS, "date"),
    **dict.fromkeys(FROM_WORDS, "from"),
}
"""What a header word of a quoted header block stands for, in the languages of the common programs."""

LONGEST_HEADER_KEY = max(map(len, HEADER_KEYS))

DIVIDER = re.compile(
    r"[-_=*–—\s]{2,80}(?:begin |start of )?(?:"
    r"original (?:message|appointment|e-?mail|text)|reply message|forwarded (?:message|by|e-?mail|text)"
    r"|forward(?:ed)? header"
    r"|ursprüngliche (?:nachricht|mail|e-mail)|original-?nachricht|originalnachricht"
    r"|weitergeleitete? (?:nachricht|mail)"
    r"|message d.origine|message original|message transf[ée]r[ée]|message transmis"
    r"|mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|mensagem (?:original|encaminhada)"
    r"|oorspronkelijk bericht|doorgestuurd bericht|ursprungligt meddelande|originalmeddelande|vidarebefordrat"
    r"|oprindelig (?:meddelelse|besked)|videresendt|opprinnelig melding|original melding"
    r"|alkuperäinen viesti|välitetty viesti|edelleenlähetetty|wiadomość oryginalna|oryginalna wiadomość"
    r"|(?:przekazana )?wiadomość przekazana|исходное сообщение|пересылаемое сообщение|пересланное сообщение"
    r"|конец пересылаемого"
    r"|原始邮件|原邮件|转发邮件|原始郵件|轉寄|元のメッセージ|オリジナルメッセージ|転送メッセージ|원본 메시지"
    r"|전달된 메시지"
    r"|původní zpráva|přeposlaná zpráva|eredeti üzenet|továbbított|orijinal (?:mesaj|ileti)|iletilen"
    r")",
    re.IGNORECASE,
)
"""A line of dashes with the words for an original or a forwarded message."""

BEGIN_FORWARD = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:réexpédié"
    r"|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem (?:encaminhada|reenviada)"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|start på videresendt besked|videresendt melding"
    r"|начало переадресованного сообщения)\s{0,3}:?$",
    re.IGNORECASE,
)

RULE_LINE = re.compile(r"(?:[_=*~#+-][ \t]?){5,200}$|[─━—]{3,200}$")
"""A line that is only a rule."""

ATTRIBUTION_VERB = re.compile(
    r"\b(?:wrote|writes|said|schrieb|schreibt|geschrieben|a [ée]crit|[ée]crit|escribi[óo]|escribe|ha scritto"
    r"|scrive|scritto"
    r"|escreveu|schreef|skrev|kirjoitti|napisał(?:a|\(a\))?|pisze|написал(?:а|\(а\))?|пишет|писал(?:а|\(а\))?"
    r"|napsal(?:a|\(a\))?"
    r"|ezt írta|írta|yazdı|şunu yazdı|a scris)(?!\w)|写道|寫道|님이 작성|書きました|のメール|さんは|wrote$|來信|编写",
    re.IGNORECASE,
)
ATTRIBUTION_START = re.compile(
    r"[\s*\"'<(\[_]{0,8}(?:on|at|in a message dated|am|um|le|el|il|em|op|den|på|w dniu|dnia|v|a(?:z)?|at|in|von"
    r"|quoting|citat"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?|(?:mo|di|mi|do|fr|sa|so)[a-z]{0,8}\.?,?|(?:lun|mar|mer|jeu"
    r"|ven|sam|dim)[a-z]{0,7}\.?"
    r"|(?:ma|ti|ke|to|pe|la|su)|(?:pon|wt|śr|czw|pt|sob|niedz?)\.?|(?:пн|вт|ср|чт|пт|сб|вс)|(?:понедельник"
    r"|вторник|среда|четверг"
    r"|пятница|суббота|воскресенье)|(?:seg|ter|qua|qui|sex|sáb|dom)\.?|\d{1,4}\s?[./年-]"
    r"|\d{1,2}\.?\s)(?=[\s,.\d<(\"月日]|$)",
    re.IGNORECASE,
)
"""How the first line of an attribution may begin: "On", its translations, a weekday, or a date."""

ATTRIBUTION_OPENING = re.compile(
    r"[\s*\"'<(\[_]{0,8}(?:on|am|le|el|il|em|op|den|på|w dniu|dnia|in a message dated|in data|vào|a(?:z)?|"
    r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?|(?:mo|di|mi|do|fr|sa|so)[a-z]{0,8}\.?|(?:lun|mar|mer|jeu|ven|sam|dim|tir|ons|"
    r"tor|tors|fre|lør|søn|man)[a-z]{0,7}\.?|(?:ma|ti|ke|pe|la|su)|(?:pon|wt|śr|czw|pt|sob|niedz?)\.?|(?:пн|вт|ср|чт|пт|сб|вс)|"
    r"(?:seg|ter|qua|qui|sex|sáb|dom)\.?|\d{4}\s?[./年-])(?=[\s,.\d<(\"月日])",
    re.IGNORECASE,
)
"""The starts among them after which no line above is looked at."""

DATE_EVIDENCE = re.compile(r"(?:19|20)\d\d|\d{1,2}[:.h]\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}|\d{1,2}月")
PROMPT = re.compile(r"\s{0,4}>(?:>>)?\s{0,4}(?:$|#|[A-Za-z._][\w.]{0,60}(?:[(\[$]|::|\s{0,3}(?:<-|\+?=)))")
"""A line of a session with R or Python: a prompt that looks like a quote mark, and code."""

ADDRESS_TAIL = re.compile(r"[<(\[][^<>()\[\]]{0,200}@[^<>()\[\]]{1,200}[>)\]]\s{0,3}[:：]$")
ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")
NAME_AND_VERB = re.compile(
    r"[^:]{2,120}\s(?:wrote|writes|said|schrieb|schreibt|a écrit|escribió|ha scritto|skrev|schreef)\s?:$", re.IGNORECASE
)
"""An attribution without a date, as list writers set by hand; believed only in front of a ">" line."""

NOTES_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4},?\s{1,8}\d{1,2}:\d\d")
"""The date of a Lotus Notes header, "05/01/2001 10:00 AM"."""

SENT_FROM = re.compile(
    r"[\s*_<\[(-]{0,5}(?:"
    r"sent (?:from|via|with|using|by) (?:(?:my|the|a|an) |(?:[\w.]{1,20} ?){1,1}(?:mail|mobile|app|for)\b"
    r"|outlook|yahoo|gmail|proton|"
    r"iphone|ipad|android|samsung|blackberry|mailbird|mail|windows|superhuman|spark|airmail|hey)"
    r"|get outlook for|get the outlook|envoyé (?:de|depuis|à partir de) |von meinem .{2,40} gesendet"
    r"|gesendet (?:von|mit) "
    r"|diese nachricht wurde von mein|enviado (?:desde|do|de) (?:mi|meu|mon|el|o|min)|enviado (?:desde|do) "
    r"|enviada do "
    r"|inviato (?:da|dal)(?:l'| )|verzonden (?:vanaf|met|via|vanuit) |verstuurd (?:vanaf|met) |skickat från "
    r"|skickades från "
    r"|sendt fra |lähetetty .{2,30}(?:sta|stä|ni)\b|wysłan[eoy] z|отправлено (?:с|из) |発?送信元|.{0,20}から送信"
    r"|发自我的|從我的|发送自"
    r"|从我的|나의 .{1,20}에서 보냄|odesláno z|iphone'?umdan gönderildi)",
    re.IGNORECASE,
)
"""The line that a telephone or a program adds."""

SIGN_OFF_WORDS = re.compile(
    r"[\s*_>-]{0,5}(?:(?:many|much|best|with|warm|kind|kindest|warmest|very|all|sincere|my|in|yours?|most"
    r"|thanks?|thanking|cheers|and"
    r"|the|for|you|advance|again|so|lot|a|million|friendly|personal|sincerely|truly|faithfully|respectfully"
    r"|submitted|regards?"
    r"|rgds|brgds|br|kr|wishes|thanx|thx|tks|tia|ta|take|care|cordially|love|later|hugs|ciao|peace"
    r"|appreciatively|gratefully"
    r"|vr|v/r|greetings|talk|speak|see|soon|to|looking|forward|have|great|good|nice|day|weekend|one|evening|week"
    r"|&)(?!\w)"
    r"[\s,.!;:-]{0,4}){1,8}",
    re.IGNORECASE,
)
"""A run of the words that English letters end with; it is a sign-off only with one of `SIGN_OFF_CORE` in it."""

SIGN_OFF_CORE = re.compile(
    r"\b(?:regards?|rgds|brgds|br|kr|wishes|best|thank(?:s| you|ing you)|thanx|thx|tks|tia|cheers|sincerely"
    r"|truly|faithfully"
    r"|respectfully|cordially|love|take care|hugs|ciao|peace|appreciatively|gratefully|v/r|vr|greetings|(?:talk"
    r"|speak|see) "
    r"(?:to )?you soon|(?:talk|speak) soon|later)\b",
    re.IGNORECASE,
)

SIGN_OFF_ABROAD = re.compile(
    r"[\s*_>-]{0,5}(?:"
    r"(?:mit )?(?:freundlichen?m?|besten?m?|herzlichen?m?|vielen?|lieben?|schönen?) (?:gr(?:ü|u|ue)(?:ß|ss)e?n?)"
    r"|mfg|lg|vg|gruß|grüße|vielen dank|danke(?: schön)?|besten dank|hochachtungsvoll"
    r"|(?:bien )?cordialement|(?:bien )?amicalement|bien à vous|merci(?: beaucoup| d'avance)?"
    r"|salutations(?: distinguées)?"
    r"|bonne journée|(?:un )?(?:cordial |atento |afectuoso )?saludos?(?: cordiales| atentos)?|atentamente"
    r"|(?:muchas )?gracias"
    r"|un abrazo|abrazos?|cordiali saluti|distinti saluti|(?:un )?saluti?|(?:molte )?grazie(?: mille)?|a presto"
    r"|cordialmente"
    r"|atenciosamente|abra[çc]os?|obrigad[oa]|cumprimentos|att|(?:met )?vriendelijke groet(?:en)?|groet(?:en"
    r"|jes)?|mvg"
    r"|(?:hartelijk )?dank|(?:med )?v[äe]nlig(?:a|e|en)? h[äi]ls(?:en|ning|ningar)|mvh|hälsningar|hilsen|tack"
    r"|takk|tak"
    r"|(?:ystävällisin )?terveisin|terv|kiitos|(?:z )?(?:poważaniem|pozdrowieniami)|pozdrawiam(?: serdecznie)?"
    r"|dziękuję"
    r"|pozdrowienia|с уважением|с наилучшими пожеланиями|спасибо|всего доброго"
    r"|此致|敬礼|祝好|谢谢|謝謝|よろしくお願い(?:いた|致)?します|敬具|以上"
    r")(?!\w)[\s,.!;:*_-]{0,4}",
    re.IGNORECASE,
)

CONTACT = re.compile(
    r"\b(?:tel|phone|fax|mobile|cell|office|direct|pager|ph|voice|telefon|téléphone|tél|telefono|mobil|mob|fon"
    r"|e-?mail|web|skype|"
    r"linkedin|twitter|www)\b ?[.:)#(]|\(?\+?\d{1,4}\)?[ ./-]{0,3}\(?\d{2,4}\)?[ ./-]{1,3}\d{3,4}"
    r"|\d{3}[.-]\d{4}\b|\bext?\.? ?\d|\bx-?\d{4,5}\b|(?<!\d)\d-\d{4}\b|"
    r"https?://|www\.|\S@\S{1,200}\.\w|\(\s?(?:phone|fax|cell|office|[pfcohtmwPFCOHTMW])\s?\)"
    r"|\b[A-Z]{2} {1,3}\d{5}\b|\bp\.?o\.? box\b",
    re.IGNORECASE,
)
"""A telephone number, an address, a page: what a contact block is made of."""

TITLE = re.compile(
    r"\b(?:director|manager|president|vp|vice|ceo|cto|cfo|coo|engineer|analyst|attorney|counsel|professor|prof"
    r"|phd|ph\.d|dr|md|esq|"
    r"assistant|associate|consultant|developer|specialist|coordinator|department|dept|university|institute|inc"
    r"|corp|corporation|llc|llp|ltd|"
    r"gmbh|ag|group|company|co|suite|floor|street|st|avenue|ave|road|rd|blvd|houston|division|services|trading"
    r"|energy|sales|marketing|"
    r"partner|editor|secretary|administrator|supervisor|lead|head|chief|officer|trader|fellow|lecturer|student"
    r"|team|support)\b",
    re.IGNORECASE,
)

FOOTER_RULE_NEXT = re.compile(
    r"mailing list|listinfo|unsubscribe|do you yahoo|yahoo|hotmail|msn |confidential|privileged|intended (?:only"
    r"|solely|recipient|for)|"
    r"disclaimer|virus|this e-?mail|this message|e-mail.{0,40}property|get your free|free e-?mail|posting guide"
    r"|subscri|juno|"
    r"netscape|aol\b|powered by|send free",
    re.IGNORECASE,
)
"""Words of a footer below a rule."""

DISCLAIMER = re.compile(
    r"[\s*_<\[(-]{0,8}(?:"
    r"(?:privacy|confidentiality|legal|privileged|important|email|e-mail|security|disclaimer"
    r"|notice)[ -](?:and [a-z]{3,20} )?(?:notice|disclaimer|warning|statement|note)"
    r"|(?:disclaimer|confidentiality|notice|confidential)\s{0,2}[:.-]"
    r"|(?:the|this|any) (?:information|contents?|documents?|e-?mail|message|transmission|communication"
    r"|electronic message|electronic mail)"
    r"[^.]{0,150}(?:confidential|privileged|intended (?:only|solely|for)|property of|proprietary|addressee)"
    r"|if you (?:are not|have received|received) (?:the|this)[^.]{0,80}(?:intended|in error|recipient|by mistake)"
    r"|diese (?:e-?mail|nachricht)[^.]{0,80}vertraulich|ce (?:message|courriel)[^.]{0,100}confidentiel"
    r"|este (?:mensaje|correo|e-?mail)[^.]{0,100}confidencia"
    r"|(?:questo|il presente) messaggio[^.]{0,100}(?:riservat|confidenzial)|dit (?:bericht"
    r"|e-mail)[^.]{0,100}vertrouwelijk"
    r"|this (?:e-?mail|message) (?:has been|was) (?:scanned|sent to you|checked)|virus-free|scanned by"
    r"|please consider the environment"
    r"|to unsubscribe|unsubscribe:|you (?:are receiving|received) this (?:e-?mail|message|because)|you are subscribed"
    r"|do you yahoo|get your (?:free|private)|get free e-?mail|(?:send|get) (?:free|your"
    r"|instant)[^.]{0,60}(?:hotmail|yahoo|msn|aol)"
    r"|yahoo! |msn photos|join the world.s largest e-?mail|chat with friends online|--==|sent via deja|free email"
    r")",
    re.IGNORECASE,
)
"""The first line of a disclaimer, a list footer or a mail provider's advertisement."""

FOOTER_OPENINGS = frozenset(
    (
        *(
            "sen",
            "get",
            "env",
            "von",
            "ges",
            "die",
            "inv",
            "ver",
            "ski",
            "wys",
            "ode",
            "iph",
            "ipa",
            "and",
            "yah",
            "gma",
            "out",
        ),
        *(
            "pri",
            "con",
            "leg",
            "imp",
            "ema",
            "sec",
            "dis",
            "not",
            "the",
            "thi",
            "any",
            "est",
            "que",
            "dit",
            "vir",
            "sca",
            "ple",
        ),
        *("uns", "you", "msn", "joi", "cha", "fre"),
    )
)
"""The first three letters that a line of `SENT_FROM` or `DISCLAIMER` can have where they are ASCII letters."""
