"""The words that the rules know, in English, German, French, Spanish, Italian, Portuguese and Dutch.

Sets hold single tokens as `lexer` makes them; tuples hold phrases that are looked for in lower-case text. A word that
means something else in another of these languages is left out.
"""


def word_set(words: str) -> frozenset[str]:
    """The words of a text as a set; for lists of words that are written as text."""
    return frozenset(words.split())


STOPWORDS: dict[str, frozenset[str]] = {
    "en": word_set("""the and of you for is that with this have are your was will from we be not if can please"""),
    "de": word_set("""und der die das ist nicht ich sie wir mit für auf ein eine den zu dem bitte haben wird von"""),
    "fr": word_set("""le les des et est vous pour dans que nous une pas sur avec votre du ce je merci êtes"""),
    "es": word_set("""el los las y es usted para que una con por su del se lo como está gracias hola podrías"""),
    "it": word_set("""il gli che di è per una con non sono del della ti ci questo anche ho grazie ciao puoi"""),
    "pt": word_set("""os as um uma para com não que do da em você por no na seu sua está obrigado olá pode"""),
    "nl": word_set("""het een van en ik je niet dat op te zijn voor met we kunt aan dit wil graag bedankt de"""),
}
"""Frequent words; the language of a text is the one with most of them."""

REQUEST_WORDS = word_set(
    """bitte könnten könntest kannst würden würdest brauche brauchen benötige benötigen melde melden gib
    pourriez pourrais pouvez peux veuillez svp besoin répondre réponds dites podrías podría
    podrían puedes puede necesito necesitamos dime díganos envíame envíe mándame confirma potresti potrebbe
    puoi può potete serve servirebbe fammi facci mandami inviami dimmi poderia poderiam podes preciso
    precisamos envie mande diga confirme avise favor kunt kun zou zouden graag alsjeblieft alstublieft stuur
    laat geef"""
)
"""Words of a request in the six languages that the sentence model was not trained on."""
REQUEST_PHRASES: tuple[str, ...] = (
    "s'il vous plaît", "s'il te plaît", "est-ce que", "merci de", "dès que possible", "por favor", "per favore",
    "per piacere", "fammi sapere", "faccia sapere", "avísame", "hazme saber", "me avise", "me avisa", "laat me weten",
    "laat het me weten", "lass mich wissen", "gib mir bescheid", "geben sie mir bescheid", "tiens-moi au courant",
    "dites-moi", "was meinst du", "was meinen sie", "qu'en penses", "qué te parece", "cosa ne pensi", "wat vind je",
)  # fmt: skip

REQUEST_TRIGGERS = (
    word_set(
        """? please pls plz kindly need needs want wants would could can will should must let let's lets you your
    suggest propose proposal recommend how what when where who why which any rsvp asap urgent waiting await
    require required requested asking wondering appreciate remind reminder deadline due"""
    )
    | REQUEST_WORDS
)
"""A sentence without any of these, and without a verb of command at its start, is not scored."""

DECISION_WORDS = word_set(
    """approve approval approving authorize authorise authorization decide decision decisions agree choose
    choice prefer preference option options signoff greenlight vote genehmigen genehmigung freigeben
    freigabe entscheiden entscheidung zustimmen zustimmung approuver approbation valider validation décider
    décision choisir accord aprobar aprobación decidir decisión autorizar autorización elegir approvare
    approvazione decidere decisione autorizzare scegliere aprovar aprovação decisão autorização escolher
    goedkeuren goedkeuring beslissen beslissing akkoord kiezen"""
)
DECISION_PHRASES: tuple[str, ...] = (
    "sign off", "sign-off",
    "go ahead", "your call", "green light", "ok to ", "okay to ", "okay with you", "ok with you",
    "are you fine with", "are you comfortable", "do you want me to", "do you want us to", "would you like me to",
    "should we ", "should i ", "shall we ", "shall i ", "accept or decline", "yes or no", "sollen wir", "soll ich",
    "est-ce que je dois", "d'accord", "estás de acuerdo", "sei d'accordo",
)  # fmt: skip
REPLY_PHRASES: tuple[str, ...] = (
    "let me know", "let us know", "please advise", "please confirm", "please respond", "please reply", "get back to",
    "your thoughts", "your comments", "your feedback", "what do you think", "call me", "give me a call", "tell me",
    "rsvp", "hear from you", "your opinion", "your availability", "drop me a line", "write back", "e-mail me",
    "email me", "bescheid", "wissen lassen", "rückmeldung", "antworten sie", "répondre", "tenir au courant",
    "confirmez", "avísame", "confírmame", "responde", "fammi sapere", "farmi sapere", "rispond", "me avise",
    "confirme", "weten", "reageer",
)  # fmt: skip
HEAVY_VERBS = word_set(
    """review complete submit update sign pay fill prepare fix schedule book upload finish arrange register
    order draft finalize revise correct install reconcile approve print distribute renew organize verify
    process resolve unterschreiben überweisen ausfüllen prüfen erledigen vorbereiten remplir signer payer
    préparer vérifier firmar pagar rellenar preparar revisar firmare pagare compilare preparare verificare
    assinar preencher verificar ondertekenen betalen invullen voorbereiden controleren"""
)
"""Work beyond an answer: a question that holds one of these asks for a task."""
DELEGABLE_WORDS = word_set(
    """schedule book arrange reserve send forward order print ship fax upload file register distribute invoice
    expense travel hotel flight room conference call calendar reschedule receipt form forms list copy copies
    mail deliver termin buchen schicken envoyer réserver enviar reservar inviare prenotare boeken sturen
    reserveren"""
)
"""Work that somebody else could do for the owner."""
BOILERPLATE_REQUESTS: tuple[str, ...] = (
    "any questions", "any question", "further questions", "feel free", "do not hesitate", "don't hesitate",
    "hesitate to", "how are you", "how is everything", "how's it going", "hope all is well", "how have you been",
    "further information", "more information", "any concerns", "need anything else", "received this in error",
    "see attached", "see the attached", "find attached", "find enclosed", "find below", "see below",
    "attached please find", "please note", "please be advised", "be aware that", "note that",
    "received this email in error", "received this message in error", "consider the environment", "not the intended",
    "wie geht", "comment allez", "comment vas", "cómo estás", "come stai", "tudo bem", "hoe gaat", "bei fragen",
    "n'hésitez pas", "no dude en", "non esitare", "não hesite", "who knows", "guess what", "can you believe",
)  # fmt: skip
ACKNOWLEDGEMENTS = word_set(
    """thanks thank thx great perfect ok okay cool done received noted agreed sure awesome excellent
    congratulations congrats danke super merci parfait gracias perfecto grazie perfetto obrigado obrigada
    bedankt prima yes yep"""
)

NOW_WORDS = word_set("""urgent urgently immediately emergency urgente dringend sofort urgence dringende spoed""")
NOW_PHRASES: tuple[str, ...] = (
    "right away", "right now", "within the hour", "at once", "this very minute", "production is down", "site is down",
    "auf der stelle", "tout de suite", "sur-le-champ", "ahora mismo", "de inmediato", "subito", "agora mesmo", "meteen",
)  # fmt: skip
"""For what cannot wait. "As soon as possible" can: see `TODAY_PHRASES`."""
TODAY_WORDS = word_set("""asap today tonight eod cob heute aujourd'hui hoy oggi hoje vandaag noon""")
TODAY_PHRASES: tuple[str, ...] = (
    "end of day", "end of the day", "end of business", "close of business", "this afternoon", "this morning",
    "this evening", "by noon", "heute abend", "fin de journée", "ce soir", "esta tarde", "stasera", "vanavond",
    "in giornata", "as soon as possible", "time sensitive", "time-sensitive", "so schnell wie möglich",
    "so bald wie möglich", "dès que possible", "lo antes posible", "cuanto antes", "il prima possibile",
    "o mais rápido possível", "zo snel mogelijk",
)  # fmt: skip
WEEK_WORDS = word_set("""tomorrow tmrw eow morgen demain mañana domani amanhã overmorgen übermorgen""")
WEEK_PHRASES: tuple[str, ...] = (
    "this week", "end of week", "end of the week", "next few days", "diese woche", "cette semaine", "esta semana",
    "questa settimana", "deze week", "coming days", "24 hours", "48 hours",
)  # fmt: skip
DEADLINE_WORDS = word_set(
    """by before until deadline due expires expire till bis spätestens frist fällig avant d'ici
    échéance antes plazo vence entro scadenza prazo até voor uiterlijk need needs must required rsvp"""
)

RECEIPT_WORDS = word_set(
    """receipt invoice receipts invoices bill payment paid order ordered shipped shipment shipping delivered delivery
    refund refunded purchase purchased booking reservation itinerary ticket tickets statement billing
    transaction deposit rechnung bestellung bestellbestätigung zahlung quittung lieferung versandt buchung
    buchungsbestätigung facture commande reçu paiement livraison expédiée réservation factura pedido recibo
    pago envío reserva ricevuta fattura ordine pagamento spedizione spedito prenotazione fatura encomenda
    compra factuur bestelling betaling verzending verzonden boeking"""
)
RECEIPT_PHRASES: tuple[str, ...] = (
    "your trip with", "trip fare", "booking fee", "thanks for riding", "your ride", "total charged", "total paid",
    "total £", "total $", "total €", "e-ticket", "your bill", "order confirmation", "your order", "your receipt",
    "your invoice", "your payment", "payment received",
    "thank you for your order", "thank you for your purchase", "has shipped", "out for delivery", "tracking number",
    "order number", "order #", "amount due", "amount paid", "total:", "subtotal", "booking reference",
    "confirmation number", "credit card ending", "deal confirmation", "trade confirmation", "transaction confirm",
    "ihre bestellung", "ihre rechnung", "votre commande", "votre facture", "su pedido", "tu pedido", "su factura",
    "il tuo ordine", "sua compra", "seu pedido", "je bestelling", "uw bestelling", "gesamtbetrag", "montant total",
)  # fmt: skip
PROMOTION_WORDS = word_set(
    """sale save savings discount deal deals offer offers free coupon promo exclusive bargain clearance win
    prize guaranteed cash cheap lowest mortgage casino viagra rabatt angebot angebote gutschein sparen gratis
    soldes promotion offre offres remise oferta ofertas descuento rebajas offerta offerte sconto sconti saldi
    desconto promoção korting aanbieding aanbiedingen limited flash"""
)
PROMOTION_PHRASES: tuple[str, ...] = (
    "% off", "last chance", "limited time", "act now", "order now", "shop now", "buy now", "free shipping",
    "special offer", "risk free", "risk-free", "money back", "no obligation", "early bird", "double points",
    "click here", "% discount", "half price", "the price of", "save up to", "use code", "promo code", "günstiger",
    "zum preis von", "% rabatt", "bis zu", "jusqu'à -", "de descuento", "di sconto", "de desconto", "% korting",
    "claim your offer", "upgrade to", "free trial", "nur heute", "jetzt kaufen", "profitez", "código promocional",
    "solo oggi", "winkel nu",
)  # fmt: skip
NEWS_WORDS = word_set(
    """newsletter digest headlines bulletin weekly daily edition roundup briefing monthly issue news update
    journal gazette nieuwsbrief boletín bulletin lettre infolettre wochenrückblick rundbrief notiziario
    resumen"""
)
NEWS_PHRASES: tuple[str, ...] = (
    "in this issue", "in this edition", "in dieser ausgabe", "liebe leser", "dans ce numéro", "en este número",
    "in questo numero", "nesta edição", "in deze editie", "this week:", "this month:", "dear reader", "hello reader",
    "view in browser", "view this email", "read more", "full story",
    "forward to a friend", "you are receiving this", "you received this", "today's headlines", "top stories",
    "im browser", "voir en ligne", "ver en el navegador", "bekijk online", "leggi online",
)  # fmt: skip
SOCIAL_PHRASES: tuple[str, ...] = (
    "wants to connect", "wants to be friends", "wants to follow", "friend request", "started following you",
    "is now following you", "new follower", "tagged you", "liked your", "likes your", "reacted to your",
    "commented on your p", "commented on your status", "viewed your profile", "appeared in", "endorsed you",
    "photos with you", "shared a memory", "your post about", "people saw your post", "mentioned you in a post",
    "people you may know", "invitation to connect", "sent you a connection", "join your network",
    "freundschaftsanfrage", "möchte sich mit ihnen vernetzen", "möchte sich mit dir vernetzen", "folgt dir jetzt",
    "gefällt dein", "kontaktanfrage", "souhaite vous ajouter", "demande d'ajout", "vous suit", "a aimé votre",
    "a commenté votre", "quiere conectar", "solicitud de amistad", "te sigue", "le gusta tu", "ha comentado tu",
    "vuole collegarsi", "richiesta di amicizia", "ha iniziato a seguirti", "piace il tuo", "quer se conectar",
    "pedido de amizade", "começou a seguir", "curtiu", "wil met je verbinden", "vriendschapsverzoek", "volgt je nu",
)  # fmt: skip
NOTIFICATION_WORDS = word_set(
    """alert alerts notification notifications password login verification verify code security reminder
    expires expiring expired failed failure build deploy deployed deployment incident outage resolved ticket
    assigned mentioned commented comment merged pull request backup storage quota quarantined scheduled
    maintenance activity invited subscription trial domain certificate warnung passwort anmeldung erinnerung
    connexion mot rappel contraseña recordatorio verificación accesso promemoria senha lembrete wachtwoord
    herinnering melding"""
)
NOTIFICATION_PHRASES: tuple[str, ...] = (
    "shared a page with you", "shared a document", "shared a file", "shared a folder", "invited you to edit",
    "has shared", "hat ein dokument", "a partagé", "ha compartido", "ha condiviso", "new sign-in", "new login",
    "reset your password", "password reset", "confirm your email", "verify your email",
    "verification code", "security alert", "this is an automated", "automatically generated", "do not reply",
    "please do not respond", "has been quarantined", "access request", "has requested", "mailbox", "system outage",
    "bestätigungscode", "automatisch generiert", "message automatique", "mensaje automático", "messaggio automatico",
)  # fmt: skip
ACTION_PHRASES: tuple[str, ...] = (
    "action required", "action needed", "requires your", "requires action", "payment failed", "could not process",
    "couldn't process", "was declined", "card expired", "update your payment", "past due", "overdue", "amount due",
    "verify your email", "confirm your email", "review requested", "requested your review", "assigned to you",
    "requires approval", "approval needed", "needs your approval", "pending approval", "approval request",
    "expires in", "expires on", "expires tomorrow", "expires today", "expiring soon", "will be deleted",
    "will be suspended", "zahlung fehlgeschlagen", "aktion erforderlich", "action requise", "acción requerida",
    "azione richiesta", "ação necessária", "actie vereist", "zahlbar bis", "due date",
)  # fmt: skip
UNSUBSCRIBE_PHRASES: tuple[str, ...] = (
    "unsubscribe", "opt out", "opt-out", "remove me from", "to be removed",
    "removed from our", "manage your preferences",
    "manage preferences", "email preferences", "no longer wish to receive", "abmelden", "abbestellen",
    "se désabonner", "désinscri", "darse de baja", "cancelar suscripción", "disiscriv", "cancellati",
    "cancelar inscrição", "cancelar a subscrição", "uitschrijven", "afmelden",
)  # fmt: skip
