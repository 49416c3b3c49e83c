"""How replies say what they do: one pattern an act, in English, with the commonest German, French and Spanish.

Every repetition is bounded, so that a hostile text costs no more than its length.
"""

import re

_I = re.IGNORECASE
PARTICIPLES = (
    r"(?:sent|mailed|e-?mailed|forwarded|uploaded|posted|shared|called|phoned|spoken|spoke|booked|ordered|paid|signed"
    r"|approved|reviewed|fixed|updated|changed|submitted|filed|scheduled|reserved|confirmed|checked|finished"
    r"|completed"
    r"|added|removed|cleaned|printed|shipped|transferred|wired|faxed|prepared|drafted|included|enclosed|taken care of"
    r"|took care of|asked|told|talked|met|arranged|cancell?ed|resolved|unlocked|reset|moved|read|written|wrote"
    r"|renewed"
    r"|watered|delivered|installed|copied|scanned|translated|corrected|registered|notified|informed|contacted|replied"
    r"|responded|answered|invited|bought|picked up|dropped off|put together|set up|set it up|looked (?:at|into|over"
    r"|through)|went (?:through|over)|gone (?:through|over)|left (?:a|him|her|them|you)|gave|given|received|got|done"
    r"|made|entered|deleted|created|merged|deployed|published|processed|cleared|settled|closed|issued|released|found)"
)
DELIVERS = re.compile(
    r"\b(?:attached|enclosed|here (?:is|are|it is|they are|you (?:go|are))|here's|see below|(?:is|are) below"
    r"|below (?:is"
    r"|are|you)|following (?:is|are)|link:|in the (?:shared |same )?(?:folder|drive)"
    r"|(?:im |in der )?anhang|angehängt|anbei|beigefügt|ci-joint|en pièce jointe|voici|adjunt[oa]s?|aquí (?:está"
    r"|va))\b"
    r"|https?://\S",
    _I,
)
NOT_DELIVERED = re.compile(
    r"(?:\b(?:no|not|cannot|without|missing|unable|forgot|wrong)|n't)\b.{0,30}\b(?:attach|enclos)"
    r"|attachment.{0,20}(?:missing|empty|not|n't|broken|corrupt)",
    _I,
)
DONE = re.compile(
    rf"^\W{{0,4}}(?:(?:all|now|just|already|ok|okay|yes|yep|hi|sorry),? )?(?:(?:it'?s|that'?s|this is|all) )?"
    rf"(?:already |all |now |just )?(?:done|finished|completed|{PARTICIPLES}|erledigt|fait|hecho|listo|gemacht"
    rf"|bezahlt|gesendet|geschickt|gebucht)\b"
    rf"|\b(?:i|we|he|she|they|[a-z]{{2,15}})(?:'ve|'s| have| has| had)?(?: (?:now|just|already|also|finally|both"
    rf"|all)){{0,2}}"
    rf" (?:{PARTICIPLES})\b"
    rf"|\b(?:is|are|was|were|been|be|got|gets?|it's|they're)(?: (?:now|all|just|already|both)){{0,2}}"
    rf" (?:{PARTICIPLES}|finished|complete|ready)\b"
    r"|\b(?:habe|hab|haben|ist|wurde|sind) .{0,60}\b(?:erledigt|geschickt|gesendet|gebucht|bestellt|bezahlt"
    r"|gemacht)\b"
    r"|\bj'ai (?:envoyé|fait|réservé|payé|appelé)\b|\bhe (?:enviado|hecho|pagado|llamado|reservado)\b",
    _I,
)
NOT_DONE = re.compile(
    r"\b(?:not|n't|never|will|'ll|would|can|could|should|to|yet to|once|when|if|until|as soon as|before|after|haven't"
    r"|hasn't|didn't|nicht|noch)\b(?: \w{1,12}){0,3} " + PARTICIPLES + r"\b|\bnot yet\b|\b(?:get|getting|gets|be|being)"
    r" " + PARTICIPLES,
    _I,
)
WORKING = re.compile(
    r"^\W{0,4}(?:ok,? |yes,? |sure,? |still )?(?:(?:i(?:'m| am)|we(?:'re| are)) )?(?:(?:still |already |currently )?"
    r"(?:working on|looking into|on) (?:it|this|that|them)|checking|in progress|on my (?:list|to-?do))\b"
    r"|\b(?:give me (?:a|an|until|till|some)|bear with me|let me (?:check|think|see|ask|look|find|talk|get back"
    r"|confirm"
    r"|come back|dig)|(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to) (?!never|probably|miss"
    r"|not\b)"
    r"|(?:i|we) (?:can|could|should be able to) (?:do|send|have|get|finish|look|take|try|write|call).{0,40}\b(?:by"
    r"|on|next"
    r"|tomorrow|tonight|later|this|after|monday|tuesday|wednesday|thursday|friday)\b"
    r"|will (?:do|try|send|check|let you know|get back|follow up|look|call|advise|revert)"
    r"|(?:hope|plan|trying|need|going|want) to (?:have|get|send|finish|do|call|check)"
    r"|ich (?:werde|schicke|schaue|melde|kümmere|prüfe|mache)|mache ich|je (?:vais|m'en)|lo (?:hago|haré|miro))\b",
    _I,
)
AGREES = re.compile(
    r"^\W{0,4}(?:(?:hi|hello|hey|dear) \w{1,15},? ?)?(?:yes|yep|yeah|yup|sure(?: thing)?|ok|okay|of course|certainly"
    r"|absolutely|no problem|no worries|my pleasure|gladly|happy to|glad to|with pleasure|sounds (?:good|great|fine)"
    r"|(?:that |it |this |thursday |friday |monday |tuesday |wednesday )?works(?: for me)?|fine(?: with me)?|agreed"
    r"|deal"
    r"|will do|understood|noted|roger|consider it done|on it|count me in|i(?:'m| am) in|i will|i can|i do|perfect"
    r"|great"
    r"|ja|klar|gerne|mache ich|oui|d'accord|bien sûr|sí|claro|vale|de acuerdo)\b",
    _I,
)
DECLINES = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are)? (?:can't|cannot|can not|couldn't|could not|won't|will not|unable|not able"
    r"|don't have"
    r"|do not have|don't know|do not know|have no|not going to|decline|must decline|wouldn't|not sure|don't think)\b"
    r"|^\W{0,4}(?:sorry,? )?(?:no|nope|not (?:sure|yet|possible|really|at the moment|me)|can't|cannot|unfortunately"
    r"|i'm afraid|i am afraid|no idea|nein|leider|non|malheureusement|lamentablemente)\b"
    r"|\b(?:unfortunately|i'm afraid|doesn't work|does not work|won't be (?:able|possible)|not possible|out of stock"
    r"|has to come from|is not (?:my|ours|for me)|too (?:busy|late|short))\b",
    _I,
)
THANKS = re.compile(
    r"^\W{0,4}(?:(?:hi|hello|ok|okay|great|perfect|good|super|wonderful|excellent|awesome|yes|cool|nice|lovely"
    r"|very good"
    r"|brilliant|fantastic)[ ,.!]{1,3}){0,2}(?:\w{2,15}[,.!] )?"
    r"(?:(?:many |much |so )?thank(?:s| you)|thx|cheers|ta|danke|vielen dank|merci|gracias|much appreciated"
    r"|(?:i |we )?(?:really )?appreciate)\b|^\W{0,4}(?:great|perfect|good|super|wonderful|excellent|awesome|nice|cool"
    r"|glad to hear|good to (?:hear|know)|brilliant|fantastic|lovely)\b.{0,20}$",
    _I,
)
ACCEPTS = re.compile(
    r"\b(?:(?:got|received|have) (?:it|them|both|everything|the \w+|your \w+)(?: now)?\b.{0,20}(?:$|[.!,;])"
    r"|(?:thanks?|thank you|thx|merci|gracias|danke)(?: so much| very much| a lot| again)? (?:for|für|pour|por)"
    r" (?!your (?:mail|email|e-mail|note|message|patience|offer|interest|willingness)|letting me know that"
    r"|the (?:offer"
    r"|reminder|heads|invitation|question)|asking|offering|agreeing|considering|volunteering|in advance)"
    r"(?:\w{2,14}ing|your|the|this|that|these|those|it|das|die|den|le|la|el|los|all)\b"
    r"|(?:that|this|it) (?:really |also )?(?:answers|helps|helped|works|worked|solves|solved|did the trick"
    r"|is (?:perfect"
    r"|great|exactly|what i (?:need|want)|all i|very helpful|helpful|fine|clear))"
    r"|works (?:now|fine|great|perfectly|again)|looks (?:good|great|fine|perfect)|all set now|exactly what i"
    r"|(?:came|arrived|came through|is in|went through) (?:today|fine|ok|well|safely)|all (?:arrived|received))\b"
    r"|^\W{0,4}(?:all )?(?:received|got it|arrived)\b",
    _I,
)
WITHDRAWS = re.compile(
    r"\b(?:never ?mind|no longer (?:need|require|want|necessary|relevant|interested)|(?:there is "
    r"|there's )?no (?:need|hurry"
    r" any)(?: to| for)?\b(?! (?:to )?(?:hurry|rush|worry))|(?:don't|do not|doesn't|won't) need (?:it|this|that"
    r"|them|to|you"
    r"|anything|the|your)|scratch that|disregard|(?:please )?ignore (?:my|this|that|the)|forget (?:about )?(?:it"
    r"|that|my"
    r"|this|the)|not needed|not necessary|cancel (?:that|this|my)|(?:has|have|was|were|is|been|got) (?:been |now "
    r"|just |all "
    r"|already ){0,2}(?:sorted|resolved|solved|fixed|handled|cancell?ed|called off|taken care of"
    r"|postponed indefinitely)"
    r"|(?:i|we)(?:'ve| have)? (?:already |just |now |since )?(?:found|figured|sorted|solved|resolved|fixed"
    r"|worked) (?:it|that"
    r"|this|them|out|the (?:problem|answer|file|template|reason))|hat sich erledigt|nicht mehr nötig|plus besoin"
    r"|ya no (?:hace|es))\b",
    _I,
)
COMPLAINS = re.compile(
    r"\b(?:wrong (?:file|version|one|attachment|document|link|number|date|address|person|\w+)|not (?:what i"
    r"|the (?:right|one"
    r"|file|version))|isn't (?:what|the)|still (?:no|not|n't|missing|waiting|need|open|does|doesn't|haven't"
    r"|have not|don't"
    r"|can't|shows?|outstanding)|(?:haven't|have not|didn't|did not|never) (?:heard|received|seen|gotten|got|get"
    r"|receive"
    r"|had|arrived?)|(?:doesn't|does not|didn't|won't) (?:work|open|load|show|help|answer)|(?:can't|cannot"
    r"|unable to|couldn't)"
    r" (?:open|find|see|read|access|view)|you forgot|forgot (?:the|to attach)|no attachment|(?:attachment|file"
    r"|link) (?:is |was "
    r"|seems )?(?:missing|empty|broken|corrupt)|not attached|re-?send|(?:send|check|try|look) (?:it |them |this "
    r"|that )?again"
    r"|any (?:news|update|updates|progress|word|luck)|following up|follow-up on|just checking|(?:gentle |friendly "
    r"|just a |quick )"
    r"reminder|remind(?:ing)? you|what(?:'s| is) the status|where (?:are|do) we (?:stand|with)|when can (?:i"
    r"|we) expect"
    r"|is (?:still|also) missing|not complete|incomplete|overdue|past due|noch (?:nicht|immer)|toujours pas"
    r"|todavía no)\b",
    _I,
)
EXCUSES = re.compile(
    r"\b(?:out of (?:the )?office|on (?:vacation|holiday|leave|maternity)|away from (?:my|the) (?:desk|office|mail)"
    r"|no access to (?:my )?(?:e-?mail|mail)|automatic reply|auto-?reply|will respond (?:when|on|upon)"
    r"|nicht im (?:büro|haus)"
    r"|absent|fuera de la oficina)\b|^\W{0,4}(?:i'm |i am |so |very )?(?:sorry|apologies|my apologies"
    r"|entschuldigung)\b"
    r"(?: \w{1,8}){0,4}[.!]?$",
    _I,
)
GREETING = re.compile(
    r"^\W{0,4}(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:tag|morgen)"
    r"|bonjour|cher"
    r"|chère|hola|estimad[oa])(?: \w{1,20}){0,3}|(?:best|kind|warm)?(?: ?regards)|best|cheers|sincerely"
    r"|yours(?: \w{1,12})?"
    r"|love|viele grüße|gruß|cordialement|saludos|(?-i:[A-Z][\w'-]{1,15}))\W{0,4}$",
    _I,
)

TRIGGERS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "DELIVERS": (
            "attached enclosed here here's below following link folder drive anhang angehängt anbei beigefügt "
            "joint jointe voici adjunto adjunta adjuntos adjuntas aquí http https"
        ),
        "DONE": (
            "sent mailed emailed forwarded uploaded posted shared called phoned spoken spoke booked ordered paid "
            "signed approved reviewed fixed updated changed submitted filed scheduled reserved confirmed checked "
            "finished completed added removed cleaned printed shipped transferred wired faxed prepared drafted "
            "included enclosed taken took asked told talked met arranged cancelled canceled resolved unlocked "
            "reset moved read written wrote renewed watered delivered installed copied scanned translated "
            "corrected registered notified informed contacted replied responded answered invited bought picked "
            "dropped put set looked went gone left gave given received got done made entered deleted created "
            "merged deployed published processed cleared settled closed issued released found complete ready "
            "erledigt fait hecho listo gemacht bezahlt gesendet geschickt gebucht bestellt envoyé réservé payé "
            "appelé enviado pagado llamado reservado"
        ),
        "WORKING": (
            "working looking on checking progress give bear let i'll we'll i'm we're will shall going can could "
            "should hope plan trying need want ich mache je lo"
        ),
        "DECLINES": (
            "can't cannot couldn't won't unable not don't no decline wouldn't nope unfortunately afraid nein "
            "leider non malheureusement lamentablemente doesn't stock come too"
        ),
        "ACCEPTS": (
            "got received have thanks thank thx merci gracias danke answers helps helped works worked solves "
            "solved did perfect great exactly what all helpful fine clear looks arrived came went today ok well "
            "safely"
        ),
        "WITHDRAWS": (
            "never nevermind no need scratch disregard ignore forget needed necessary cancel sorted resolved "
            "solved fixed handled cancelled canceled called taken postponed found figured worked erledigt nötig "
            "besoin ya"
        ),
        "COMPLAINS": (
            "wrong not isn't still haven't didn't never doesn't won't can't cannot unable couldn't forgot no "
            "missing empty broken corrupt resend re again any following follow checking reminder remind reminding "
            "status where expect incomplete overdue due noch toujours todavía"
        ),
        "EXCUSES": (
            "office vacation holiday leave maternity away access automatic autoreply auto respond nicht absent "
            "fuera sorry apologies entschuldigung"
        ),
    }.items()
}
"""Words of which a sentence must have one before the pattern of that name is tried: most sentences have none."""
