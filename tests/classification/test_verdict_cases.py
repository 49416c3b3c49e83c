"""Short mails as people and programs write them, with the verdict that a reader would give."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput

RECEIVED = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)  # a Wednesday


@dataclass(frozen=True)
class Case:
    name: str
    mail: ClassifierInput
    category: str
    needs: str | tuple[str, ...]
    urgency: str | None = None
    handler: str | None = None


def mail(sender: str, subject: str, text: str, **more: object) -> ClassifierInput:
    name, _, address = sender.rpartition(" <")
    given = ClassifierInput(
        subject=subject,
        new_text=text,
        text=text,
        from_name=name,
        from_address=address.rstrip(">"),
        to_count=1,
        is_owner_in_to=True,
        is_owner_only_recipient=True,
        owner_domain="harbor.example",
        received_at=RECEIVED,
    )
    return replace(given, **more)  # type: ignore[arg-type]


BULK = {"list-unsubscribe": "<https://out.example/u/1>", "feedback-id": "9:camp:mailer", "precedence": "bulk"}
COLLEAGUE = "Mira Holt <mira.holt@harbor.example>"
FRIEND = "Jonas Weber <jonas.weber@gmx.de>"
NOT_ADDRESSED = {"is_owner_in_to": False, "is_owner_only_recipient": False}

# fmt: off
CASES = [
    # People
    Case("question", mail(COLLEAGUE, "Crane rental",
        "Hi Ida,\n\nDo you know which crane we rented last spring?\n\nMira"), "person", "reply", "whenever", "owner"),
    Case("question by friday", mail(COLLEAGUE, "Crane", "Can you tell me by Friday how many crates are left?"),
        "person", "reply", "this_week"),
    Case("approval", mail(COLLEAGUE, "Quay budget",
        "Ida,\nplease approve the quay budget so that I can order the steel."), "person", "decision", "whenever",
        "owner"),
    Case("choice", mail(COLLEAGUE, "Paint", "Which colour do you prefer for the north gate, grey or green?"),
        "person", "decision"),
    Case("task today", mail(COLLEAGUE, "Timesheet", "Please submit your timesheet by end of day."), "person", "task",
        "today"),
    Case("task asap", mail(COLLEAGUE, "Pump", "The pump in hall 3 is leaking. Please send a technician ASAP."),
        "person", "task", "today", "delegate"),
    Case("meeting time", mail(FRIEND, "Coffee", "Would you be free for a coffee tomorrow afternoon?"), "person",
        "reply", "this_week"),
    Case("thanks", mail(COLLEAGUE, "Re: Crane", "Great, thanks!", is_reply_to_owner=True), "person", "nothing",
        "whenever", "nobody"),
    Case("for information", mail(COLLEAGUE, "Minutes",
        "I have put the minutes of Monday's meeting on the shared drive."), "person", "read", "whenever"),
    Case("attachment note", mail(COLLEAGUE, "Report", "Attached is the harbour report for February. Regards, Mira",
        attachment_names=("report.pdf",)), "person", "read"),
    Case("copied", mail(COLLEAGUE, "Gate", "Tom, the gate code was changed last night. The new one is with Lena.",
        to_count=1, cc_count=2, is_owner_in_cc=True, **NOT_ADDRESSED), "person", "read"),
    Case("boilerplate question", mail(COLLEAGUE, "Forms",
        "The forms are on my desk. Let me know if you have any questions."), "person", "read"),
    Case("question in the subject", mail(COLLEAGUE, "Can you call me?", ""), "person", "reply"),
    Case("forwarded", mail(COLLEAGUE, "FW: Storm warning", "FYI"), "person", "read"),
    Case("own mail", mail("Ida <ida@harbor.example>", "Crane", "Can you send me the papers today?",
        is_from_owner=True), "person", "nothing", "whenever", "nobody"),
    Case("old plain mail of a colleague", mail("<t..berg@harbor.example>", "RE: Deal 4471",
        "Ida,\nthe volume on that deal was 40 and it matches my sheet.\nTorsten"), "person", "read"),
    Case("high importance", mail(COLLEAGUE, "Contract", "Please sign the attached contract.",
        headers={"importance": "High"}), "person", "task", "today"),
    Case("sales words of a colleague", mail(COLLEAGUE, "Offer for the customer",
        "Hi Ida, I sent the offer with a 5% discount to Nordkai. Best, Mira", sender_replied_count=9), "person",
        "read"),
    Case("german question", mail(FRIEND, "Samstag",
        "Hallo Ida,\n\nkannst du mir bitte sagen, ob wir uns am Samstag treffen?\n\nGruß, Jonas"), "person", "reply",
        "this_week"),
    Case("german approval", mail("Petra Lang <p.lang@kai.example>", "Angebot",
        "Guten Tag Frau Holm, könnten Sie bitte das Angebot bis Freitag freigeben?"), "person", "decision",
        "this_week"),
    Case("french question", mail("Luc Morel <luc.morel@orange.fr>", "Dîner",
        "Bonjour Ida, est-ce que vous êtes libre demain soir pour dîner ?"), "person", "reply", "this_week"),
    Case("spanish request", mail("Ana Ruiz <ana.ruiz@puerto.example>", "Informe",
        "Hola Ida, ¿podrías enviarme el informe antes del viernes? Gracias, Ana"), "person", "reply", "this_week"),
    Case("italian question", mail("Gino Ferri <gino.ferri@libero.it>", "Riunione",
        "Ciao Ida, puoi confermare la riunione di domani? Grazie"), "person", "reply", "this_week"),
    Case("portuguese request", mail("Rui Costa <rui.costa@porto.example>", "Documento",
        "Olá Ida, você pode me enviar o documento hoje? Obrigado"), "person", "reply", "today"),
    Case("dutch question", mail("Kees Smit <kees.smit@ziggo.nl>", "Boot",
        "Hoi Ida, kun je mij laten weten of het met de boot gelukt is? Groeten, Kees"), "person", "reply"),
    Case("german note", mail(FRIEND, "Angekommen", "Liebe Ida, wir sind gut angekommen und das Wetter ist schön."),
        "person", "read"),
    Case("japanese question", mail("Sato <sato@minato.example>", "会議", "明日の会議に出席できますか？"),
        "person", ("reply", "read")),
    # Calendar
    Case("invitation", mail(COLLEAGUE, "Invitation: Quay walk", "", has_calendar=True, calendar_method="REQUEST",
        calendar_starts_at=datetime(2026, 3, 4, 15, 0, tzinfo=UTC)), "calendar", "decision", "today", "owner"),
    Case("invitation now", mail(COLLEAGUE, "Stand-up", "", has_calendar=True, calendar_method="REQUEST",
        calendar_starts_at=datetime(2026, 3, 4, 10, 0, tzinfo=UTC)), "calendar", "decision", "now"),
    Case("cancelled", mail(COLLEAGUE, "Canceled: Quay walk", "", has_calendar=True, calendar_method="CANCEL",
        calendar_starts_at=datetime(2026, 3, 9, 15, 0, tzinfo=UTC)), "calendar", "read", "this_week", "machine"),
    Case("accepted", mail(COLLEAGUE, "Accepted: Quay walk", "", has_calendar=True, calendar_method="REPLY"),
        "calendar", "nothing", "whenever"),
    Case("invitation as text", mail(COLLEAGUE, "Budget round",
        "When: Thursday, March 5, 2026 9:00 AM\nWhere: Room 4\n*~*~*~*~*\nAgenda follows."), "calendar", "decision"),
    Case("german invitation", mail(COLLEAGUE, "Einladung: Hafenrunde", "Wann: Mo 9. März\nWo: Raum 4"), "calendar",
        "decision"),
    # Machines that answer or report
    Case("bounce", mail("Mail Delivery System <MAILER-DAEMON@mx.harbor.example>",
        "Undelivered Mail Returned to Sender",
        "I'm sorry to have to inform you that your message could not be delivered."), "automatic", "read", "whenever",
        "machine"),
    Case("away", mail(COLLEAGUE, "Out of Office: Crane rental", "I am away until 12 March."), "automatic", "read"),
    Case("away by header", mail(COLLEAGUE, "Re: Crane rental", "I am on leave.",
        headers={"auto-submitted": "auto-replied"}), "automatic", "read"),
    Case("away in german", mail(FRIEND, "Automatische Antwort: Samstag", "Ich bin bis 12. März abwesend."),
        "automatic", "read"),
    Case("away in french", mail("Luc Morel <luc@quai.example>", "Réponse automatique : Dîner", "Je suis absent."),
        "automatic", "read"),
    Case("job output", mail("<p.marsh@harbor.example>", "Start Date: 3/4/26; hour: 7;",
        "Start Date: 3/4/26; hour: 7; No variances detected.\n\nLOG MESSAGES:\n\nPARSING FILE -->> x.txt"),
        "automatic", "read"),
    Case("cron", mail("Cron Daemon <root@db1.harbor.example>", "Cron <root@db1> /usr/local/bin/rotate", "done"),
        "automatic", "read"),
    # Lists
    Case("list", mail("Ole Brandt <ole@sail.example>", "[sailors] Anchor chain",
        "What chain do you use on 8 m boats?", headers={"list-id": "<sailors.sail.example>",
        "list-post": "<mailto:sailors@sail.example>"}, **NOT_ADDRESSED), "mailing_list", "read", None, "machine"),
    Case("list from an archive", mail("ole at sail.example", "Re: [Sailors] Anchor chain",
        "Ten millimetres is enough.", to_count=0, **NOT_ADDRESSED), "mailing_list", "read"),
    Case("list answer to the owner", mail("Ole Brandt <ole@sail.example>", "Re: [sailors] Anchor chain",
        "Could you tell me which winch you have?", is_reply_to_owner=True,
        headers={"list-post": "<mailto:sailors@sail.example>"}), "mailing_list", "reply"),
    # Services
    Case("pull request", mail("Lena K <notifications@github.com>", "[harbor/tides] Fix tide table (#12)",
        "Lena K requested your review on this pull request.",
        headers={"list-id": "harbor/tides <tides.harbor.github.com>"}), "notification", "decision"),
    Case("build", mail("CI <builds@ci.harbor.example>", "Build failed: tides #881", "The build failed in 3 minutes."),
        "notification", "read", None, "machine"),
    Case("sign-in", mail("Nordkonto <no-reply@accounts.nordkonto.example>", "New sign-in to your account",
        "We noticed a new sign-in on a Linux device."), "notification", "read"),
    Case("password reset", mail("Tidely <no-reply@tidely.example>", "Reset your password",
        "Use the link to reset your password. This is an automated message."), "notification", "read"),
    Case("card expires", mail("Tidely <no-reply@tidely.example>", "Action required: your card expires soon",
        "Update your payment method to keep your subscription."), "notification", "task"),
    Case("social", mail("LinkedIn <messages-noreply@linkedin.com>", "Jonas wants to connect",
        "Accept his invitation."), "social", "nothing"),
    Case("social by its words", mail("Boats <no-reply@boats.example>", "Three people liked your photo", "See who."),
        "social", "nothing"),
    # Receipts
    Case("order", mail("Knotshop <orders@knotshop.example>", "Your order #5512 is confirmed",
        "Thank you for your order.\nTotal: €48.20"), "receipt", "nothing", "whenever", "machine"),
    Case("shipped", mail("Knotshop <shipping@knotshop.example>", "Your order has shipped",
        "Tracking number 99120. It arrives Thursday."), "receipt", "nothing"),
    Case("german order", mail("Seilerei <bestellung@seilerei.example>", "Ihre Bestellung 5512",
        "Vielen Dank für Ihre Bestellung. Gesamtbetrag: 48,20 €"), "receipt", "nothing"),
    Case("french invoice", mail("Cordes <facturation@cordes.example>", "Votre facture de mars",
        "Montant total : 48 €. Merci de votre commande."), "receipt", "nothing"),
    Case("invoice due", mail("Hallenbau <billing@hallenbau.example>", "Invoice 778",
        "Your invoice is ready.\nAmount due: $900.00\nDue date: March 10"), "receipt", "task", "this_week"),
    Case("trade", mail("Kai Exchange <confirmations@kaiex.example>", "Deal confirmation 4471",
        "Transaction confirmed: you bought 500 MW at $31.00"), "receipt", "nothing"),
    # Bulk
    Case("newsletter", mail("Tide Weekly <news@tideweekly.example>", "Tide Weekly: issue 41",
        "In this issue: the moon, the mud. Read more on our site. Unsubscribe here.", headers=BULK), "newsletter",
        "read", "whenever", "machine"),
    Case("headlines", mail("<dailydigest@harbourpost.example>", "Today's headlines from the Harbour Post",
        "TOP STORIES\nFerry late again\nFull story: http://p.example/1"), "newsletter", "read"),
    Case("announcement", mail("<announcements@harbor.example>", "Parking in lot C",
        "Dear all, lot C will be closed for repairs. We thank you for your patience.", to_count=1, **NOT_ADDRESSED),
        "newsletter", "read"),
    Case("sale", mail("Knotshop <offers@mail.knotshop.example>", "Save 40% on rope this weekend",
        "Our biggest sale. Shop now! Free shipping. Unsubscribe", headers=BULK), "promotion", "nothing", "whenever",
        "nobody"),
    Case("german sale", mail("Seilerei <angebote@news.seilerei.example>", "Nur heute: 20 % Rabatt",
        "Jetzt kaufen und sparen! Gutschein: TAU. Hier abmelden.", headers=BULK), "promotion", "nothing"),
    Case("spanish sale", mail("Cuerdas <ofertas@correo.cuerdas.example>", "Rebajas: 30% de descuento",
        "Ofertas en cuerdas. Darse de baja aquí.", headers=BULK), "promotion", "nothing"),
    Case("old spam", mail("x88213371@quick.example", "FREE CASH GUARANTEED!!!",
        "Act now! Click here to win a prize. No obligation, limited time offer. To be removed reply."), "promotion",
        "nothing"),
    # Traps
    Case("credential lure", mail("PayPal Service <service@pay-secure.example>", "Your account has been limited",
        "Verify your account within 24 hours: http://p.example/x", link_count=1, has_mismatched_link=True),
        "suspicious", "nothing", "whenever", "nobody"),
    Case("program attached", mail("Karl <karl@unknown.example>", "Invoice", "See the file.",
        attachment_names=("invoice.pdf.exe",)), "suspicious", "nothing"),
    Case("advance fee", mail("Dr. Obi <obi@lawyers.example>", "Confidential business",
        "I am the next of kin to the late "
        "president. The sum of $18 million awaits a foreign partner; the beneficiary gets 30%.",
        reply_to_address="obi.private@gmail.com"), "suspicious", "nothing"),
    Case("german lure", mail("Sparkasse <info@konto-hilfe.example>", "Ihr Konto wurde gesperrt",
        "Bestätigen Sie Ihre Daten innerhalb von 24 Stunden: http://k.example", link_count=1), "suspicious",
        "nothing"),
    Case("gift cards", mail("Mira Holt <boss.office@gmail.com>", "Quick favor",
        "Are you free? It is urgent: buy five gift cards for a customer."), "suspicious", "nothing"),
    Case("gift cards from any stranger", mail("Priya Raman <priya.raman.md@fastbox.example>", "Are you available",
        "Are you at your desk? I am in a meeting and can not talk. I need you to purchase 5 gift cards, urgently.",
        reply_to_address="md-private@fastbox.example"), "suspicious", "nothing"),
    Case("gift cards among colleagues", mail(COLLEAGUE, "Raffle",
        "Could you buy two gift cards for the raffle? I will pay you back.", sender_replied_count=9), "person",
        ("reply", "task")),
    Case("a shop's gift cards", mail("Knotshop <offers@mail.knotshop.example>", "Gift cards: 10% off",
        "Buy a gift card this week and save. Unsubscribe", headers=BULK), "promotion", "nothing"),
    Case("changed bank details", mail("Rivet Accounts <rivet.accounts@outlook.com>", "Bank details",
        "Our bank details have changed. Please process a wire transfer today and keep this confidential.",
        reply_to_address="rivet@proton.me"), "suspicious", "nothing"),
    Case("warning about a virus between friends", mail(COLLEAGUE, "Virus warning",
        "Do not open invoice.pdf.exe if you get it.", sender_replied_count=4), "person", ("task", "read", "nothing")),
]
# fmt: on


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_reader_would_agree(classifier: Classifier, case: Case) -> None:
    """A rule or weight that misjudges an ordinary mail of its kind."""
    verdict = classifier.classify(case.mail)
    assert verdict.category == case.category, verdict
    allowed = (case.needs,) if isinstance(case.needs, str) else case.needs
    assert verdict.needs in allowed, verdict
    if case.urgency is not None:
        assert verdict.urgency == case.urgency, verdict
    if case.handler is not None:
        assert verdict.handler == case.handler, verdict


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_part_is_proved(classifier: Classifier, case: Case) -> None:
    """A verdict that cannot be explained: no evidence for a part, or a quote that no page can show."""
    found = classifier.classify(case.mail).evidence
    assert {item.supports for item in found} == {"category", "needs", "urgency", "handler"}
    assert all(item.quote and len(item.quote) <= 300 and "\n" not in item.quote for item in found)


def test_the_sentence_that_asks_is_quoted(classifier: Classifier) -> None:
    """A need whose proof is another sentence than the one that asks."""
    text = "The tide was high last night and the quay is wet.\nCould you send me the pump manual?\nThe cat is fine."
    verdict = classifier.classify(mail(COLLEAGUE, "Pump", text))
    proof = next(item for item in verdict.evidence if item.supports == "needs" and item.source == "text")
    assert proof.quote == "Could you send me the pump manual?"
