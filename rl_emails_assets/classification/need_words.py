"""Phrases by which a sentence asks without a question mark, wishes well, offers a choice or speaks to somebody else.

English, German, French, Spanish, Italian, Portuguese and Dutch; phrases are looked for in lower-case text.
"""

import re

from rl_emails_assets.classification.words import word_set

INDIRECT_PHRASES: tuple[str, ...] = (
    "wondering whether", "wondering if", "wondering how", "wondering what", "curious whether", "curious if",
    "curious how", "would be grateful for", "would appreciate an", "would appreciate your", "love to have your",
    "love your", "like to have your", "like your", "haven't heard back", "have not heard back",
    "ich frage mich", "wir fragen uns", "wäre dankbar", "je me demande", "nous nous demandons", "me pregunto",
    "quería preguntar", "mi chiedo", "mi domando", "gostaria de saber", "queria saber", "vraag me af",
)  # fmt: skip
"""A question or a request that is made as a statement."""
DUTY_PHRASES: tuple[str, ...] = (
    "everyone must", "everybody must", "you must", "all must", "everyone needs to", "everyone has to",
    "everyone is required", "all staff must", "all employees must", "is mandatory", "are required to", "we require",
    "we still require", "alle müssen", "jeder muss", "tout le monde doit", "todos deben", "todos devem",
    "tutti devono", "iedereen moet",
)  # fmt: skip
"""Work that is ordered, not asked for; how many others it is asked of lessens nothing."""
WISH_PHRASES: tuple[str, ...] = (
    "have a nice", "have a great", "have a good", "have a wonderful", "have a lovely", "have a safe", "have fun",
    "enjoy your", "enjoy the", "take care", "get well soon", "see you soon", "keep up the good", "keep well",
    "schönes wochenende", "schönen tag", "schönen urlaub", "gute reise", "viel spaß", "pass auf dich auf",
    "bon week-end", "bonne journée", "bon voyage", "bonnes vacances", "buen viaje", "buen fin de semana",
    "que tengas", "que tenga", "buon viaggio", "buon weekend", "buona giornata", "boa viagem", "bom fim de semana",
    "fijne dag", "fijn weekend", "goede reis",
)  # fmt: skip
"""Good wishes that are worded as orders."""
CHOICE_PHRASES: tuple[str, ...] = (
    "are you ok", "are you okay", "is it ok if", "is it okay if", "ok for you", "okay for you", "yes or no from",
    "your approval", "your decision", "was meinst du", "was meinen sie", "einverstanden", "préférez", "préfères",
    "votre accord", "ton accord", "votre décision", "prefieres", "prefiere", "tu aprobación", "preferisci",
    "preferisce", "il tuo accordo", "prefere", "sua aprovação", "liever", "akkoord",
)  # fmt: skip
"""Beside `words.DECISION_PHRASES`: the owner is to choose or to agree."""
OPEN_QUESTION = re.compile(r"\b(?:what|when|where|how|who|why)\b[^?]{0,40}\b(?:should|shall) (?:i|we)\b")
"""Asks for a fact, though with the words of a choice: "what time should I come"."""
ERRANDS = word_set(
    """bring carry collect fetch move replace repair clean switch deliver cut pick return empty label water hand
    bringen abholen holen räumen tauschen reparieren ausdrucken schick schicke schickst zuschicken zusenden ranger
    apporter remplacer déplacer nettoyer traer recoger cambiar reparar portare prendere sostituire spostare levar
    buscar trocar stuur stuurt brengen ophalen vervangen opruimen"""
)
"""Work of the hands; a question that holds one asks for the work and not for an answer."""
VOCATIVE = re.compile(r"[A-ZÀ-Þ][\w'-]{1,20}(?: and [A-ZÀ-Þ][\w'-]{1,20})?, ")
"""A sentence that begins with somebody's name."""
OFFERS: tuple[str, ...] = (
    "any questions", "any question", "any concerns", "further questions", "feel free", "hesitate", "need anything else",
    "further information", "how are you", "hope all is well", "received this in error", "bei fragen", "bei rückfragen",
    "n'hésitez pas", "no dude en", "non esitare", "não hesite", "bij vragen",
)  # fmt: skip
"""Standing lines at the foot of a letter: they offer, however politely they are worded."""
NOT_URGENT = re.compile(
    r"(?:not|nothing|isn't|no|nicht|nichts|pas|nada|no es|non è|não é|niet|niets)\s{1,3}"
    r"(?:really |that |so |at all |eilig und |)(?:urgent|urgente|urgence|dringend|dringende|eilig)"
)
"""Takes the haste out of the word that follows."""
SALES_HASTE: tuple[str, ...] = (
    "last chance", "act now", "act fast", "limited time", "order now", "buy now", "shop now", "ends tonight",
    "ends today", "ends soon", "ending soon", "offer expires", "offer ends", "sale ends", "hurry",
    "while supplies last",
    "don't miss", "do not miss", "hours left", "final hours", "nur heute", "nur noch heute", "letzte chance",
    "jetzt kaufen", "derniers jours", "dernière chance", "profitez", "últimas horas", "última oportunidad",
    "aprovecha", "ultime ore", "ultima occasione", "solo oggi", "última chance", "aproveite",
    "laatste kans", "op is op", "winkel nu",
)  # fmt: skip
"""The haste of somebody who sells, which is never the reader's."""
