"""The words and shapes by which people and mail programs end a mail: sign-offs, contact details, footers, disclaimers.

Data only: `mail.signatures` decides what they mean. As in `mail.zone_patterns`, every pattern is applied to single
lines of at most `LONGEST_LINE` characters and has no nested quantifier; those without a capital letter want a line that
is `lowered`.
"""

import re

from rl_emails_assets.mail.zone_patterns import words_of

SENT_FROM = re.compile(
    r"[\s*_<\[(-]{0,5}(?:"
    r"sent (?:wirelessly )?(?:from|via|with|using|by)"
    r" (?:(?:my|the|a|an) |(?:[\w.]{1,20} ?){1,1}(?:mail|mobile|app|for)\b"
    r"|outlook|yahoo|gmail|proton|"
    r"iphone|ipad|android|samsung|blackberry|mailbird|mail|windows|superhuman|spark|airmail|hey)"
    r"|(?:get|get the|holen sie sich|télécharger|obtenir|obtener|obter|obtenha|ottieni|scarica|pobierz|pobierz program"
    r"|получите|скачать|скачайте|hämta|hent|last ned|hanki|lataa|získat|získejte|stáhnout|获取|下载|取得)"
    r" (?:o |el )?outlook\b"
    r"|outlook (?:für|voor) (?:ios|android) (?:beziehen|herunterladen|downloaden)"
    r"|(?:ios|android) ?(?:için|版|용) ?outlook"
    r"|envoyé (?:sans fil )?(?:de|depuis|par|avec|à partir de) |von meinem .{2,40} gesendet"
    r"|gesendet (?:von|mit) "
    r"|diese nachricht wurde von mein|enviado (?:desde|do|de) (?:mi|meu|mon|el|o|min)|enviado (?:desde|do) "
    r"|enviada do "
    r"|inviato (?:da|dal)(?:l'| )|verzonden (?:vanaf|met|via|vanuit) |verstuurd (?:vanaf|met) |skickat från "
    r"|skickades från "
    r"|sendt fra |lähetetty .{2,30}(?:sta|stä|ni)\b|wysłan[eoy] z|отправлено (?:с|из) |発?送信元|.{0,20}から送信"
    r"|发自我的|從我的|发送自"
    r"|从我的|나의 .{1,20}에서 보냄|odesláno z|(?:iphone|ipad|android)['’]?(?:umdan|imden) gönderildi|надіслано з)"
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
    r"|pal|friend|buddy|brother|sister|mom|dad"
    r"|&)(?!\w)"
    r"[\s,.!;:-]{0,4}){1,8}"
)
"""A run of the words that English letters end with; it is a sign-off only with one of `SIGN_OFF_CORE` in it."""

SIGN_OFF_CORE = re.compile(
    r"\b(?:regards?|rgds|brgds|br|kr|wishes|best|thank(?:s| you|ing you)|thanx|thx|tks|tia|cheers|sincerely"
    r"|truly|faithfully"
    r"|respectfully|cordially|love|take care|hugs|ciao|peace|appreciatively|gratefully|v/r|vr|greetings|(?:talk"
    r"|speak|see) "
    r"(?:to )?you soon|(?:talk|speak) soon|later"
    r"|your (?:loving |old )?(?:pal|friend|buddy|brother|sister|mom|dad))\b"
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
    r"|(?:sincères|meilleures) salutations|bien amicalement|bonne (?:soirée|réception)"
    r"|(?:com )?(?:os )?(?:meus )?melhores"
    r" cumprimentos|com os melhores|um abraço|hartelijke groet(?:en)?|vriendelijke groet(?:en)?|hälsar"
    r"|(?:med )?(?:vennlig|venlig|beste|bedste) hilsen|hilsen fra|(?:mange )?tak(?:k)? (?:for hjælpen|for hjelpen)"
    r"|parhain terveisin|s (?:přátelským )?pozdravem|s úctou|děkuj[iu]|díky|hezký den|saygılar(?:ımla|ımızla)?"
    r"|iyi (?:çalışmalar|günler)|teşekkür(?:ler| ederim)?|sevgiler|kolay gelsin|з повагою|дякую|üdvözlettel|köszönettel"
    r"|un cordial saludo|quedo atent[oa]|saluti e grazie|buona giornata|z wyrazami szacunku|всего хорошего|до свидания"
    r"|此致(?:敬礼)?|敬礼|敬上|祝好|祝商祺|顺祝商祺|谢谢|謝謝|感谢|(?:以上、?)?(?:どうぞ)?(?:宜|よろ)しくお(?:願"
    r"|ねが)い(?:いた|致|申し上げ)?(?:します|ます)"
    r"|敬具|以上|草々|ありがとうございます|감사합니다|감사드립니다|고맙습니다|드림|올림"
    r")(?!\w)[\s,.!;:*_。，！、-]{0,4}"
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
    r"|team|support)\b"
)

FOOTER_RULE_NEXT = re.compile(
    r"mailing list|listinfo|unsubscribe|do you yahoo|yahoo|hotmail|msn |confidential|privileged|intended (?:only"
    r"|solely|recipient|for)|"
    r"disclaimer|virus|this e-?mail|this message|e-mail.{0,40}property|get your free|free e-?mail|posting guide"
    r"|subscri|juno|"
    r"netscape|aol\b|powered by|send free"
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
    r"|(?:esta|a presente) (?:mensagem|comunicação)[^.]{0,100}confidencia|(?:ta|niniejsza) (?:wiadomość"
    r"|korespondencja)[^.]{0,100}poufn"
    r"|(?:это|данное|настоящее) (?:сообщение|письмо)[^.]{0,120}конфиденциальн"
    r"|detta (?:meddelande|e-?post\w{0,12}|mail)[^.]{0,100}konfidentiell"
    r"|denne (?:e-?mail|e-?post\w{0,12}|melding\w{0,3}|besked|meddelelse)[^.]{0,100}(?:fortrolig|konfidensiell)"
    r"|tämä (?:viesti|sähköposti)[^.]{0,100}luottamuksel|(?:tato zpráva|tento e-?mail)[^.]{0,100}důvěrn"
    r"|bu (?:e-?posta|mesaj|ileti)[^.]{0,100}gizli"
    r"|(?:この|本)(?:電子)?(?:メール|メッセージ)[^。]{0,60}機密|(?:本|此)(?:封)?(?:电子|電子)?(?:邮件"
    r"|郵件)[^。]{0,60}(?:机密|機密|保密)"
    r"|(?:본|이) (?:전자)? ?(?:메일|이메일|우편)[^.]{0,60}(?:기밀|비밀)"
    r"|this (?:e-?mail|message) (?:has been|was) (?:scanned|sent to you|checked)|virus-free|scanned by"
    r"|please consider the environment"
    r"|to unsubscribe|unsubscribe:|you (?:are receiving|received) this (?:e-?mail|message|because)|you are subscribed"
    r"|do you yahoo|get your (?:free|private)|get free e-?mail|(?:send|get) (?:free|your"
    r"|instant)[^.]{0,60}(?:hotmail|yahoo|msn|aol)"
    r"|yahoo! |msn photos|join the world.s largest e-?mail|chat with friends online|--==|sent via deja|free email"
    r")"
)
"""The first line of a disclaimer, a list footer or a mail provider's advertisement."""

FOOTER_OPENINGS = words_of(
    "sen|get|env|von|ges|die|inv|ver|ski|wys|ode|iph|ipa|and|yah|gma|out|pri|con|leg|imp|ema|sec|dis|not|the"
    "|thi|any|est|que"
    "|dit|vir|sca|ple|uns|you|msn|joi|cha|fre|hol|obt|ott|sca|pob|hen|las|han|lat|ios|det|den|tat|ten|nin"
)
"""The first three letters that a line of `SENT_FROM` or `DISCLAIMER` can have where they are ASCII letters."""
