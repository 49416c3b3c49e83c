"""The hand-made features of one sentence: is something asked in it, and how."""

from collections.abc import Sequence
from itertools import pairwise

from rl_emails_assets.classification.words import word_set

CUES: tuple[str, ...] = (
    "question",
    "imperative",
    "please",
    "modal_you",
    "you_modal",
    "let_me_know",
    "need_from_you",
    "i_want",
    "lets",
    "we_should",
    "wh_first",
    "auxiliary_first",
    "i_will",
    "thanks",
    "fyi",
    "if_you",
    "feel_free",
    "url",
    "number",
    "exclaimed",
    "click",
    "how_about",
    "propose",
    "second_person",
    "first_person_subject",
    "very_short",
    "long",
)
"""The names of the features, in the order of the model's weights."""
_INDEX = {name: position for position, name in enumerate(CUES)}

IMPERATIVES = word_set(
    """accept add address adjust advise allow analyze answer apply approve arrange ask assign attach attend be
    book bring build buy call cancel change check choose circulate clarify clean collect come comment compare
    complete compose confirm consider contact continue coordinate copy correct create decide delete deliver
    describe design determine discuss distribute do document draft drop edit email ensure enter
    estimate evaluate examine execute explain fax file fill finalize find finish fix focus follow forward
    gather get give go handle have help hold identify implement include inform insert install investigate
    invite issue join keep leave let link list look mail make mark meet merge modify move note notify obtain
    open order organize pass pay phone pick place plan post prepare present print proceed process produce
    propose provide pull put read rebook reconcile record reduce refer register release remember remind
    remove rename reply report request reschedule research resend reserve resolve respond return review
    revise run save scan schedule search see select send set share ship show sign start stop submit suggest
    summarize supply support take talk tell test think touch track transfer try turn type update upload use
    verify visit wait watch work write"""
)
_SOFTENERS = word_set(
    """please kindly pls plz also and then so just otherwise meanwhile therefore once again next first finally
    ok okay thanks hi hello hey dear if"""
)
_AUXILIARIES = word_set(
    """do does did is are was were can could have has will would should shall may might am don't doesn't didn't
    isn't aren't can't couldn't haven't won't wouldn't shouldn't any"""
)
_WH = word_set("""what what's when where where's which who who's whom whose why how how's""")
_MODALS = word_set("""can could would will may might can't couldn't won't wouldn't""")
_YOU_MODALS = word_set("""should must need have may might can could ought want shall will""")
_WANTS = word_set("need want wish like require appreciate love")
_PEOPLE = word_set("you u your yours yourself")
_FIRST = word_set("i we i'm i've i'd we're we've")
_HOLDING: tuple[tuple[str, frozenset[str]], ...] = (
    ("question", word_set("?")),
    ("exclaimed", word_set("!")),
    ("please", word_set("please pls plz kindly")),
    ("thanks", word_set("thanks thank thx")),
    ("fyi", word_set("fyi attached enclosed")),
    ("url", word_set("<url> <address>")),
    ("number", word_set("<number>")),
    ("click", word_set("click unsubscribe subscribe free")),
    ("propose", word_set("suggest propose recommend proposal")),
    ("second_person", _PEOPLE),
    ("lets", word_set("let's lets")),
    ("i_will", word_set("i'll we'll")),
)


def _pairs() -> dict[tuple[str, str], str]:
    pairs: dict[tuple[str, str], str] = {}
    for modal in _MODALS:
        pairs[modal, "you"] = pairs[modal, "u"] = "modal_you"
    for modal in _YOU_MODALS:
        pairs["you", modal] = pairs["u", modal] = "you_modal"
    for before in ("need", "want", "like", "ask", "appreciate", "for"):
        pairs[before, "you"] = "need_from_you"
    for subject in ("i", "we", "i'd", "we'd", "would"):
        pairs.update({(subject, want): "i_want" for want in _WANTS})
    for subject in ("i", "we"):
        pairs[subject, "will"] = pairs[subject, "shall"] = "i_will"
    pairs |= {
        ("if", "you"): "if_you",
        ("we", "should"): "we_should",
        ("we", "could"): "we_should",
        ("me", "know"): "let_me_know",
        ("us", "know"): "let_me_know",
        ("how", "about"): "how_about",
        ("what", "about"): "how_about",
        ("feel", "free"): "feel_free",
    }
    return pairs


_PAIRS = _pairs()


def cue_positions(tokens: Sequence[str]) -> list[int]:
    """Which of `CUES` hold for the tokens of one sentence, as positions in `CUES`."""
    if not tokens:
        return []
    here = frozenset(tokens)
    found = {name for name, words in _HOLDING if not here.isdisjoint(words)}
    found.update(_PAIRS[pair] for pair in pairwise(tokens) if pair in _PAIRS)
    if len(tokens) <= 4:
        found.add("very_short")
    elif len(tokens) >= 30:
        found.add("long")
    opening = _opening(tokens[0])
    if opening:
        found.add(opening)
    if _commands(tokens):
        found.add("imperative")
    return sorted(_INDEX[name] for name in found)


def _opening(first: str) -> str:
    if first in _WH:
        return "wh_first"
    if first in _AUXILIARIES:
        return "auxiliary_first"
    return "first_person_subject" if first in _FIRST else ""


def _commands(tokens: Sequence[str]) -> bool:
    """A verb of command stands first, or behind softeners, or behind a name that opens the sentence."""
    for position, token in enumerate(tokens[:3]):
        if token in IMPERATIVES:
            return True
        if position and token not in _SOFTENERS:
            return False
    return False
