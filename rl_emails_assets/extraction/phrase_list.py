"""How a sentence asks or promises: the phrases, in English, German, French and Spanish, and what each is worth.

A phrase's confidence is the probability (0-1) that such a sentence of a personal mail is a task; the figures are
round numbers by judgement, not calibrated (docs/reference/extraction.md). Every repetition is bounded.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["request", "promise"]


_VERB = r"(?P<action>[a-z][a-z-]{1,20})"
_ADVERBS = (
    r"(?:(?:please|pls|plz|also|then|just|kindly|possibly|perhaps|maybe|each|both|all|quickly|at"
    r" least|guys|still|either|first|again|now|go ahead and|at some point|try to|make sure to)[, ]{1,2}){0,3}"
)
_NOT_ASKED = (
    r"(?:find|see|note|be|feel|refer|thanks?|forgive|i|we|me|if|to|the|it|and|or|at|by|for|in|on"
    r"|as|contact|visit|click|rest|enjoy|bear|look forward|try again|help\b(?! (?:me|us)))\b"
)
_START = r"(?:^|[.!?;:,(\-–—]\s{0,2}|\b(?:and|but|so|then|or|also|if not|thanks)\s|^\W{1,4})"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to ask or promise. Group `action` of `pattern` begins the verb of what is to be done; it must be one of
    ACTIONS when `needs_action_verb`."""

    kind: Kind
    confidence: float
    pattern: re.Pattern[str]
    triggers: frozenset[str]
    """Words of which a sentence must have one before the pattern is tried."""
    needs_action_verb: bool = True
    is_proposal: bool = False


def _phrase(
    kind: Kind,
    confidence: float,
    triggers: str,
    pattern: str,
    *,
    needs_action_verb: bool = True,
    is_proposal: bool = False,
) -> Phrase:
    compiled = re.compile(pattern, re.IGNORECASE)
    return Phrase(kind, confidence, compiled, frozenset(triggers.split()), needs_action_verb, is_proposal)


REQUESTS: tuple[Phrase, ...] = (
    _phrase(
        "request",
        0.9,
        "can could would will cld wld",
        (
            rf"(?<!what )(?<!which )(?<!how )(?<!why )(?<!where )(?<!who )(?<!one )"
            rf"\b(?:can|could|would|will|cld|wld) (?:you|u|ya|y'all|one of you|somebody|someone)[, ]{{1,2}}{_ADVERBS}"
            rf"{_VERB}"
        ),
    ),
    _phrase(
        "request",
        0.9,
        "please pls plz",
        (
            rf"{_START}(?:\w{{1,12}},? )?(?:please|pls|plz)[, ]{{1,2}}{_ADVERBS}(?!{_NOT_ASKED})"
            rf"(?P<action>[a-z][a-z-]{{1,20}})\b"
        ),
        needs_action_verb=False,
    ),
    _phrase("request", 0.85, "please pls plz", rf"\b(?:please|pls|plz) {_ADVERBS}{_VERB}"),
    _phrase(
        "request",
        0.85,
        "you everyone someone",
        (
            rf"\b(?:i|we)(?:'d| would)? (?:really |also |just )?(?:need|want|like|prefer|ask|expect"
            rf"|request|require)(?: for| that)? (?:you|everyone|someone) (?:all |both |guys )?to {_ADVERBS}{_VERB}"
        ),
    ),
    _phrase(
        "request",
        0.85,
        "if",
        (
            rf"\b(?:appreciate|be great|be good|be nice|be helpful|be grateful|help|was wondering|were"
            rf" wondering|wonder|wondered|see) (?:it )?(?:a lot |greatly )?if (?:you|someone) "
            rf"(?:can|could|would|will|were able to) {_ADVERBS}{_VERB}"
        ),
    ),
    _phrase(
        "request",
        0.8,
        "mind",
        (rf"\b(?:would|do) you mind {_ADVERBS}(?P<action>[a-z]{{2,20}}ing)\b"),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.8,
        "sure forget remember",
        (
            rf"\b(?:make sure|be sure|don't forget|do not forget|remember)(?: that| to)? (?:you |we"
            rf" )?{_VERB}"
        ),
    ),
    _phrase(
        "request",
        0.8,
        "let",
        (
            r"(?<!will )(?<!'ll )(?<!to )(?<!ould )(?<!can )(?P<action>let (?!you)(?:me|us|\w{2,15})"
            r" know\b)"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.75,
        "you everyone",
        (
            rf"\b(?:you|everyone) (?:need|have|must|will need|will have|are required|are requested|are"
            rf" asked)(?: to)? {_ADVERBS}{_VERB}"
        ),
    ),
    _phrase("request", 0.7, "if", rf"{_START}if you (?:can|could|would) {_ADVERBS}{_VERB}"),
    _phrase(
        "request",
        0.8,
        "your action todo to-do reminder do",
        (
            rf"\b(?:your (?:assignment|task|job|action|to-?do) (?:is|:) (?:to )?|action required: |to-?do:"
            rf" ?|action item: ?|reminder: ){_VERB}"
        ),
    ),
    _phrase(
        "request",
        0.65,
        "you don't suggest i'd you'd",
        (
            rf"\b(?:you (?:should|might want to|may want to|'d better|could)|why don't you|i suggest"
            rf" you|i'd suggest you) {_ADVERBS}{_VERB}"
        ),
    ),
)


PROPOSALS: tuple[Phrase, ...] = (
    _phrase(
        "request",
        0.55,
        "can could shall should",
        (
            r"\b(?P<action>(?:can|could|shall|should) we (?:all |both |please |maybe |perhaps )?"
            r"(?:meet|talk|speak|discuss|get together|schedule|set|have|do|move|reschedule|plan|chat"
            r"|catch|go|make)\b)"
        ),
        needs_action_verb=False,
        is_proposal=True,
    ),
    _phrase(
        "request",
        0.55,
        "you",
        (
            r"\b(?P<action>(?:are|will|would) you (?:all |both |guys )?(?:be )?(?:available|free|able"
            r" to (?:meet|join|attend|make|talk|come)|around)\b)"
        ),
        needs_action_verb=False,
        is_proposal=True,
    ),
    _phrase(
        "request",
        0.55,
        "you",
        (
            r"\b(?P<action>(?:do you have (?:time|a minute|a moment|some time|availability)|(?:does"
            r"|would|will|how does) (?:that|this|it|\w{2,12}) (?:\w{2,12} )?(?:work|suit)(?: for)? you)\b)"
        ),
        needs_action_verb=False,
        is_proposal=True,
    ),
    _phrase(
        "request",
        0.55,
        "let's lets",
        (
            r"\b(?P<action>let'?s (?:all |both |please |plan to |try to |try and )?(?:meet|talk|speak"
            r"|discuss|get together|schedule|set|have|do|plan|chat|go|make)\b)"
        ),
        needs_action_verb=False,
        is_proposal=True,
    ),
)
"""Proposals to meet or talk: something to answer, and a task only when they name a time."""

PROMISES: tuple[Phrase, ...] = (
    _phrase(
        "promise",
        0.85,
        "i'll i i'm",
        (
            rf"\b(?:i'll|i will|i am going to|i'm going to|i shall|i promise to|i'm gonna)(?: "
            rf"(?:also|then|just|definitely|certainly|gladly|personally|be sure to|make sure to|try"
            rf" to|go ahead and)){{0,2}} {_VERB}"
        ),
    ),
    _phrase(
        "promise",
        0.75,
        "we'll we we're",
        (
            rf"\b(?:we'll|we will|we are going to|we're going to|we shall)(?: (?:also|then|just|definitely"
            rf"|certainly|gladly|be sure to|make sure to|go ahead and)){{0,2}} {_VERB}"
        ),
    ),
    _phrase(
        "promise",
        0.7,
        "let",
        (
            rf"{_START}let me (?P<action>check|get back|look|find out|see if|see what|ask|talk|confirm"
            rf"|follow up)\b"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "promise",
        0.7,
        "will",
        (
            rf"{_START}will (?P<action>(?:send|do|call|get back|forward|check|let you know|follow up"
            rf"|keep you|review|take care|revert|advise))\b"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "promise",
        0.75,
        "i'll i we'll we",
        (
            r"\b(?:i'll|i will|we'll|we will) be (?P<action>(?:sending|calling|forwarding|getting back"
            r"|circulating|preparing))\b"
        ),
        needs_action_verb=False,
    ),
)

FOREIGN: tuple[Phrase, ...] = (
    _phrase(
        "request",
        0.85,
        "du sie ihr",
        (
            r"\b(?:k(?:ö|oe)nnte[nst]{0,2}|kannst|k(?:ö|oe)nnen|w(?:ü|ue)rde[nst]{0,2}) (?:du|sie|ihr)\b"
            r" (?P<action>\w)"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.85,
        "bitte",
        (r"\bbitte (?:auch |noch |nochmals? |kurz |um |dann |mir |uns )?(?P<action>\w{3})"),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.8,
        "bitte",
        (
            r"(?:^|[,.;:!] )(?P<action>[a-zäöüß]{3,20}(?:en sie|t|e|)) (?:mir|uns|ihr|dich|sich|es|das"
            r"|den|die)?.{0,80}\bbitte\b"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.85,
        ("pourriez-vous pouvez-vous voudriez-vous pourriez pouvez voudriez peux-tu pourrais-tu peux pourrais"),
        r"\b(?:pourriez|pouvez|voudriez)[- ]vous (?P<action>\w)|\b(?:peux|pourrais)[- ]tu (?P<action2>\w)",
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.85,
        "merci veuillez",
        (
            r"\b(?:merci de (?:bien vouloir )?|veuillez )(?:nous |me |m'|bien )?(?P<action>[a-zéèêàç]{2,20}"
            r"(?:er|ir|re|oir))\b"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.75,
        "plaît plait svp stp",
        (
            r"\b(?P<action>[a-zéèê]{3,20}(?:ez|e|s)(?:-moi|-nous)?) .{0,80}\b(?:s'il vous pla[iî]t|s'il"
            r" te pla[iî]t|svp|stp)\b"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "request",
        0.85,
        "podrías podrias podría podria puedes puede podrían podrian pueden podríais podriais podéis podeis",
        (
            r"(?:^|[¿¡,.;:] ?|\bme |\bnos )(?:podr[ií]as?|puedes?|podr[ií]an|pueden|podr[ií]ais|pod[eé]is)"
            r" (?:usted(?:es)? |por favor )?(?P<action>[a-záéíóúñ]{2,20}(?:ar|er|ir)(?:me|nos|lo|la"
            r"|los|las|te|le|melo|mela)?)\b"
        ),
        needs_action_verb=False,
    ),
    _phrase("request", 0.85, "favor", r"\bpor favor,? (?P<action>[a-záéíóúñ]{3})", needs_action_verb=False),
    _phrase(
        "request",
        0.8,
        "ruego pido agradecería agradeceria agradezco",
        (
            r"\b(?:te|le|les|os) (?:ruego|pido|agradecer[ií]a|agradezco) (?:que )?(?:me |nos )?"
            r"(?P<action>[a-záéíóúñ]{3})"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "promise",
        0.8,
        "ich",
        (
            r"\bich (?P<action>(?:schicke|sende|melde|k(?:ü|ue)mmere|rufe|bereite|erledige|(?:ü|ue)bernehme"
            r"|gebe|leite|mache|pr(?:ü|ue)fe|kl(?:ä|ae)re)\b|werde .{0,80}(?:schicken|senden|melden"
            r"|k(?:ü|ue)mmern|anrufen|erledigen|pr(?:ü|ue)fen|weiterleiten)\b)"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "promise",
        0.8,
        "je j'enverrai j'envoie",
        (
            r"\b(?:je|j') ?(?:vous |te |t'|lui |leur |m')?(?:l'|le |la |les )?(?:en )?(?P<action>"
            r"(?:envoie|enverrai|rappelle|rappellerai|tiens au courant|ferai|transmets|transmettrai"
            r"|pr(?:é|e)pare|pr(?:é|e)parerai|occupe|occuperai|confirme|confirmerai|reviens vers)\b)"
        ),
        needs_action_verb=False,
    ),
    _phrase(
        "promise",
        0.8,
        "te le les os lo la me",
        (
            r"\b(?:te|le|les|os|lo|la|me) (?P<action>(?:env[ií]o|enviar[eé]|mando|mandar[eé]|aviso|avisar[eé]"
            r"|llamo|llamar[eé]|confirmo|confirmar[eé]|encargo|encargar[eé]|paso|pasar[eé])\b)"
        ),
        needs_action_verb=False,
    ),
)

COURTESY = re.compile(
    r"please respond to (?:.{0,80}[<@]|[\w.-]{1,40}$)|\blet us (?:help|show|give|introduce|tell)\b"
    r"|please (?:call|visit|contact|e-?mail|see|write|go)(?: to)? (?:1-|\(?\d|us\b|our\b|toll"
    r"|the help|customer|support|http|www)|(?<!check )(?<!see )(?<!verify )"
    r"\b(?:if|should|whenever) (?:you(?:'ve| have| need|"
    r" should| would| require| want| do| are)?|there (?:are|is|'s)|any|anyone)\b.{0,30}\b"
    r"(?:questions?|concerns?|problems?|quest|comments|queries|issues?|further|anything|trouble"
    r"|additional info\w*|more info\w*|prefer)"
    r"|\b(?:need|want|require|like) (?:any |more |further |some )?(?:help|assistance)"
    r"|(?:any|further|other) (?:questions|concerns|problems|queries|comments or questions)|if"
    r" (?:i|we|there is anything|there's anything|there's something) (?:i |we )?(?:can|could"
    r"|may|might) (?:do|help|be|assist|answer|provide|offer)"
    r"|(?:not|n't|never) hesitate|feel free|^\W{0,3}(?:look(?:ing)? forward|see you|take care"
    r"|make sense|take a look at our)\b|please (?:find|note"
    r"|be (?:advised|aware|informed|reminded|assured)|accept|excuse|forgive|disregard|ignore"
    r"|see (?:attached|below|the attached|enclosed)|refer|enjoy|understand|rest|bear with|pardon"
    r"|don't worry|do not worry|consider the environment)\b"
    r"|(?:please|pls) (?:do not|don't) (?:reply|respond|hesitate|worry)|unsubscrib|opt[- ]out"
    r"|(?:intended|named) recipient|received this (?:e-?mail|message|communication|transmission)?"
    r" ?in error|confidential|privileged|this (?:e-?mail|message) (?:and any|is|may)|click "
    r"(?:here|on the|below)|virus|all rights reserved|to be removed from|remove (?:me|you|your"
    r" name) from|mailing list|forgotten your password|trademark"
    r"|would you (?:believe|like|prefer|rather)\b|(?:can|could) you (?:believe|imagine|see|tell)\b"
    r"|will you (?:be|have|ever|still)\b"
    r"|(?:i|we)'?ll (?:see|be(?! sending| calling| forwarding| getting| circ| prep)|have|miss|never|probably|need"
    r"|let you go|understand|want)\b|(?:i|we) will (?:be (?!sending|calling|forwarding|getting"
    r"|in touch|circ|prep)|not|have|never|see you|need|miss|probably|want)\b"
    r"|let me know (?:if|when|whether|should) (?:you(?:'re| are| can't| cannot|'d like| would"
    r" like| ever| need| want| decide| do not| don't| didn't| have not| haven't)|this (?:is"
    r"|does|doesn't)|that (?:is|does|doesn't)|there|i (?:can|missed|should be)|i'm|any|it'?s"
    r"|is a problem|anything|we can)\b"
    r"|thank(?:s| you) for (?:letting|your|the|all)|bitte (?:beachten|nicht|zögern|entschuldig"
    r"|um verständnis|haben sie verständnis|finden)|veuillez (?:agréer|trouver|recevoir|croire"
    r"|noter|excuser|accepter|ne pas)|merci de (?:votre|ta|ne pas|noter)|no dude|por favor,?"
    r" (?:tenga|disculp|no (?:responda|dude))|quedo a|n'hésitez|hésitez pas|zögern sie nicht"
    r"|sans engagement",
    re.IGNORECASE,
)
"""Sentences that sound like a request or a promise and ask for nothing."""
