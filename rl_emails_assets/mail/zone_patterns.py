"""The words and shapes by which mail programs mark what is quoted or forwarded.

Data only: `mail.boundaries` and `mail.zones` decide what they mean. Every pattern is applied to single lines of at
most `LONGEST_LINE` characters (or to at most four joined ones) and has no nested quantifier, so that reading a line
costs no more than a small multiple of its length.
"""

import re

LONGEST_LINE = 500
"""Characters; a longer line is never a header, an attribution or a signature line."""


def lowered(text: str) -> str:
    """`text` in lower case, every character where it was: most patterns here have only small letters, which is several
    times as fast as to ignore the case."""
    return text.lower() if "İ" not in text else text.replace("İ", "i").lower()


def words_of(*groups: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for group in groups for word in group.split("|"))


FROM_WORDS = words_of(
    "from|von|de|da|van|från|fra|lähettäjä|od|nadawca|от|от кого|发件人|寄件者|寄件人|差出人|送信者|보낸 사람"
    "|odesílatel"
    "|feladó|kimden|gönderen|expéditeur|remitente|mittente|afzender|de la|expeditor|absender|від|від кого|avsändare"
    "|avsender|afsender|보낸사람|由|寄件者|發件人|送信元|от кого"
)
DATE_WORDS = words_of(
    "sent|date|gesendet|datum|envoyé|envoyé le|enviado|enviado el|enviado em|enviada em|fecha|data|inviato|verzonden"
    "|skickat|sendt|dato|sendte|lähetetty|päivämäärä|wysłano|дата|отправлено|发送时间|日期|寄件日期|送信日時"
    "|日時|日付|보낸 날짜"
    "|odesláno|elküldve|tarih|gönderildi|sent on|date sent|gönderme tarihi|gönderilme zamanı|message du|data wysłania"
    "|wysłane|дата отправки|відправлено|傳送時間|寄件日期|時間|发件日期|发送日期|보낸날짜|날짜|보낸 시간|送信日"
    "|日付|lähetysaika"
    "|datum odeslání|sendt dato|data de envio|data invio|fecha de envío|verzonden op"
)
TO_WORDS = words_of(
    "to|an|à|a|para|destinataire|destinatario|aan|naar|till|til|vastaanottaja|do|adresat|кому|收件人|宛先"
    "|받는 사람|komu"
    "|címzett|kime|alıcı|empfänger|收件者|받는사람|수신|příjemce|mottagare|mottaker|modtager|ontvanger"
    "|отримувач|至|宛先人|收信人"
)
SUBJECT_WORDS = words_of(
    "subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|temat|тема|主题|主旨|件名|제목"
    "|předmět|tárgy"
    "|konu|subiect|re|sujet|thema|主旨|標題|标题|věc|sujeto|тема письма|титул|otsikko|rubrik|titel|件名|tytuł"
)
CC_WORDS = words_of(
    "cc|bcc|kopie|copie|copie à|cópia|copia|kopia|kopi|kopio|dw|копия|抄送|副本|참조|másolat|bilgi|importance"
    "|attachments|reply-to|sender|копія|ccn|cci|ct|pieces jointes|pièces jointes|anlagen|bijlagen|allegati|adjuntos"
    "|anexos|bilagor|vedlegg|vedhæftede filer|liitteet|załączniki|вложения|přílohy|ekler|添付ファイル|附件|첨부"
    "|wichtigkeit|priorität|priorité|prioridad|prioridade|priorità|prioriteit|prioritet|tärkeysaste|ważność|важность"
    "|antwort an|répondre à|responder a|rispondi a|sec"
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
    r"original (?:message|appointment|e-?mail|text)|(?:quoted |reply )message|forwarded (?:message|by|e-?mail|text)"
    r"|antwort nachricht|weitergeleitet (?:von|an)|transféré par|reenviado por|inoltrato da|encaminhado por"
    r"|doorgestuurd door|vidarebefordrat av|videresendt av|przekazane przez"
    r"|message cité|mensaje citado|zitierte nachricht|e-?mail original|correo original|e-mail d.origine"
    r"|forward(?:ed)? header"
    r"|ursprüngliche (?:nachricht|mail|e-mail)|original-?nachricht|originalnachricht"
    r"|weitergeleitete? (?:nachricht|mail)"
    r"|message d.origine|message original|message transf[ée]r[ée]|message transmis"
    r"|mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|mensagem (?:original|encaminhada)"
    r"|oorspronkelijk(?:e)? (?:bericht|e-?mail)|doorgestuurd bericht|ursprungligt (?:meddelande|mail)"
    r"|originalmeddelande|vidarebefordra[dt]|wiadomość (?:pierwotna|źródłowa)|treść oryginalnej"
    r"|oprindelig (?:meddelelse|besked|mail)|original besked|videresendt|opprinnelig (?:melding|e-?post)"
    r"|original melding"
    r"|alkuperäinen viesti|välitetty viesti|edelleenlähetetty|wiadomość oryginalna|oryginalna wiadomość"
    r"|(?:przekazana )?wiadomość przekazana|исходное сообщение|перенаправленное сообщение|пересылаемое сообщение"
    r"|пересланное сообщение"
    r"|конец пересылаемого"
    r"|原始邮件|原始信息|原邮件|邮件原件|转发(?:的)?邮件|原始郵件|原始訊息|轉寄|轉發|元の(?:メッセージ|メール)"
    r"|オリジナルメッセージ|転送(?:された)?(?:メッセージ|メール)|원본 ?(?:메시지|이메일|메일)|전달된 ?(?:메시지|메일)"
    r"|початкове повідомлення|переслане повідомлення|оригинальное сообщение|переадресованное сообщение"
    r"|původní (?:zpráva|e-?mail)|přeposlaná zpráva|eredeti üzenet|továbbított|orijinal (?:mesaj|ileti|e-?posta)"
    r"|özgün (?:mesaj|ileti)|iletil(?:en|miş)|mesajul original|alkuperäinen sähköposti|välitetty sähköposti"
    r")"
)
"""A line of dashes with the words for an original or a forwarded message."""

DIVIDER_FIRST = frozenset("-_=*–— \t")
"""What a line of `DIVIDER` begins with."""

FORWARD_WORDS = re.compile(
    r"forward|weitergeleitet|transf[ée]r|transmis|réexpédi|reenviad|inoltrat|encaminhad|doorgestuurd|vidarebefordra"
    r"|videresend|välitet|edelleenlähet|przekazan|пересыла|переслан|перенаправлен|转发|轉寄|転送|전달|přeposlan"
    r"|továbbít|iletil"
)
"""What a divider says that is set above a forwarded mail, not above an answered one."""

BEGIN_FORWARD = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:réexpédié"
    r"|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem (?:encaminhada|reenviada)"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|start på videresendt besked|videresendt melding"
    r"|начало переадресованного сообщения|début du message transféré|início da mensagem reencaminhada"
    r"|początek (?:wiadomości przekazanej|przekazanej wiadomości)|vidarebefordrat meddelande"
    r"|start på videresendt melding"
    r"|edelleen lähetetty viesti alkaa|välitetty viesti alkaa|začátek přeposlané zprávy|iletilen ileti başlangıcı"
    r"|転送されたメッセージ|开始转发的邮件|以下是转发的邮件|開始轉寄郵件|전달된 메시지 시작"
    r"|以下為轉寄的訊息)\s{0,3}[:：]?$",
    re.IGNORECASE,
)

RULE_LINE = re.compile(r"(?:[_=*~#+-][ \t]?){5,200}$|[─━—]{3,200}$")
"""A line that is only a rule."""

SHORT_RULE = re.compile(r"[_=*~#─━—-]{2,200}$")
"""The same of a few characters, believed only where something else tells what follows."""

ATTRIBUTION_VERB = re.compile(
    r"\b(?:wrote|writes|said|sent(?=\s?:)"
    r"|schrieb|schreibt|geschrieben|a [ée]crit|[ée]crit|escribi[óo]|escribe|ha scritto"
    r"|scrive|scritto"
    r"|escreveu|schreef|geschreven|skrev|kirjoitti|napisał(?:a|\(a\))?|pisze|napisana przez"
    r"|написал(?:а|\(а\)|и)?|пишет|писал(?:а|\(а\))?|написав(?:ла)?|написала|пише|писав"
    r"|napsal(?:a|\(a\))?|napísal(?:a|\(a\))?|pise|piše"
    r"|ezt írta|írta|yazdı|şun(?:u|ları) yazdı|yazmış|a scris)(?!\w)"
    r"|写道|寫道|写了|寫了|님이 작성|작성:|이\(가\) 쓴|쓴 글|書きました|のメール|のメッセージ|さんは|wrote$|來信"
    r"|编写|撰寫",
    re.IGNORECASE,
)
ENDING_VERBS = (
    "wrote",
    "schrieb",
    "écrit",
    "escribió",
    "scritto",
    "escreveu",
    "schreef",
    "skrev",
    "написал",
    "написала",
)
"""With which an attribution ends where a program leaves the colon out."""

_WEEKDAYS = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend"
    r"|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo"
    r"|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?"
    r"|(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mån|man|tis|tirs|ons|tors|fre|lör|lør|sön|søn)dag"
    r"|(?:maanan|tiis|tors|perjan|lauan|sunnun)tai(?:na)?|keskiviikko(?:na)?"
    r"|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela|pondělí|úterý|středa|čtvrtek|pátek|neděle"
    r"|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье"
    r"|понеділок|вівторок|середа|четвер|п.ятниця|субота|неділя)(?=[\s,.])"
    r"|(?:mon|tues?|wed|thu|thurs?|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|mié|mie|jeu|jue|ven|vie|sam|sáb|sab|dim|dom|gio"
    r"|seg|ter|qua|qui|sex|ma|woe?|don?|vr|vrij|zat?|zon?|mån|man|tis|tirs?|ons|tors?|fre|lör|lør|sön|søn"
    r"|ti|ke|to|pe|la|su|pon|wt|śr|czw|pt|sob|niedz|po|út|st|čt|pá|ne|пн|вт|ср|чт|пт|сб|вс|нд)(?=[.,]|\s{1,2}\d)"
)
"""Whole, or abbreviated in front of a date: many an abbreviation is a word."""

ATTRIBUTION_START = re.compile(
    r"[\s*\"'<(\[_-]{0,8}(?:on|at|in a message dated|am|um|le|el|il|em|en|no dia|às|op|den|på|w dniu|dnia|dne|v"
    r"|a(?:z)?|in|von"
    r"|quoting|citat|wiadomość|在|於|于"
    rf"|{_WEEKDAYS}|\d{{1,4}}\s?[./年년-]|\d{{1,2}}:\d\d|\d{{1,2}}\.?\s)(?=[\s,.\d<(\"月日월]|$)",
    re.IGNORECASE,
)
"""How the first line of an attribution may begin: "On", its translations, a weekday, or a date."""

ATTRIBUTION_OPENING = re.compile(
    r"[\s*\"'<(\[_-]{0,8}(?:on|am|le|el|il|em|no dia|às|op|den|på|w dniu|dnia|dne|in a message dated|in data|vào"
    r"|a(?:z)?"
    r"|wiadomość napisana"
    rf"|在|{_WEEKDAYS}|\d{{4}}\s?[./年년-])(?=[\s,.\d<(\"月日월])",
    re.IGNORECASE,
)
"""The starts among them after which no line above is looked at."""

DATE_EVIDENCE = re.compile(r"(?:19|20)\d\d|\d{1,2}[:.h]\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}|\d{1,2}[月월]")
FULL_DATE = re.compile(r"(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
PROMPT = re.compile(r"\s{0,4}>(?:>>)?\s{0,4}(?:$|#|[A-Za-z._][\w.]{0,60}(?:[(\[$]|::|\s{0,3}(?:<-|\+?=)))")
"""A line of a session with R or Python: a prompt that looks like a quote mark, and code."""

ADDRESS_TAIL = re.compile(r"[<(\[][^<>()\[\]]{0,200}@[^<>()\[\]]{1,200}[>)\]]\s{0,3}[:：]$")
ADDRESS_AND_VERB = re.compile(r"[<(\[][^\s<>()\[\]]{1,64}@[^\s<>()\[\]]{1,255}[>)\]]\s{1,3}(?:a |ha )?[^\W\d_]{4,10}$")
NAME_AND_VERB = re.compile(
    r"[^:]{2,120}\s(?:wrote|writes|said|schrieb|schreibt|a écrit|escribió|ha scritto|escreveu|skrev|schreef|kirjoitti"
    r"|napisał(?:a|\(a\))?|pisze|написал(?:а|\(а\))?|пишет|napsal(?:a|\(a\))?|yazdı)\s?:$",
    re.IGNORECASE,
)
"""An attribution without a date, as list writers set by hand; believed only in front of a ">" line."""

DATED_ADDRESS = re.compile(r"\d{4}[/-]\d{1,2}[/-]\d{1,2}\s[^<>]{0,120}<[^\s<>@]{1,64}@[^\s<>]{1,255}>$")
"""An attribution without verb and colon, as Gmail set it until 2012; believed only in front of a ">" line."""

NOTES_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4},?\s{1,8}\d{1,2}:\d\d")
"""The date of a Lotus Notes header, "05/01/2001 10:00 AM"."""
