"""What the request model sees of a sentence: its wording, and the order of its words of asking.

Wording is tokens, runs of two and three, pairs with one token between, and the first and last tokens. It is strong on
the mail that a model was trained on and weak elsewhere. The order of the words of asking ("can" before "you" before a
verb of command, however far apart) says the same in anybody's mail, so those words have features of their own: every
ordered pair of their classes, and runs of three and four of them with everything between left out.

A sentence depends on its own tokens alone. Training and classifying both call what is here.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from rl_emails_assets.classification.cues import IMPERATIVES, cue_positions
from rl_emails_assets.classification.hashing import MASK, token_hash
from rl_emails_assets.classification.words import word_set

MAX_SENTENCE_TOKENS = 60
MAX_ASKING_WORDS = 14
"""Words of asking that are looked at in one sentence, the first ones."""
ROW_BITS = 17
ROWS = 1 << ROW_BITS
PRIOR_ROW_BITS = 17
PRIOR_ROWS = 1 << PRIOR_ROW_BITS
PLACE_WEIGHT = 0.5
TURN_WEIGHT = 1.5

_SHIFT = 32 - ROW_BITS
_PRIOR_SHIFT = 32 - PRIOR_ROW_BITS
_MAX_MEMORY = 60_000
# Odd multipliers of a multilinear hash (Dietzfelbinger et al. 1997): a set for each kind of feature.
_ONE = 0x9E3779B1
_TWO = (0x85EBCA77, 0xC2B2AE3D)
_THREE = (0x27D4EB2F, 0x165667B1, 0xD3A2646D)
_APART = (0xFD7046C5, 0xB55A4F09)
_PLACES = (0x8DA6B343, 0xD8163841, 0xCB1AB31F, 0x9C30D539)
_TURN_THREE = (0xA0761D65, 0xE7037ED1, 0x8EBC6AF1)
_TURN_FOUR = (0x589965CD, 0x1D8E4E27, 0xEB44ACCB, 0xA9B18BAD)

_ALONE = """please pls you u your i we if not let know can could will would should need want like have must do does did
    is are was were what when where who why how which any to me us my our so that and but or ? ! thanks thank think hope
    because be been by before"""
_CLASSES: dict[str, str] = {
    "meet": """meet meeting call conference lunch dinner breakfast discuss discussion talk coffee drinks session
        schedule reschedule appointment together visit""",
    "short_will": "i'll we'll you'll let's lets",
    "short_i": "i'm i've i'd we're we've we'd",
    "other": "he she they it this that these those there the his her their its",
    "attached": "attached enclosed fyi note",
    "standing": "question questions problem problems comments concerns hesitate feel free",
    "opinion": """thoughts comments input feedback suggestions opinion advice views ideas help assistance approval""",
    "propose": "suggest propose recommend suggestion proposal idea",
    "welcome": "appreciate appreciated helpful great nice",
    "time": """<weekday> <number> <month> tomorrow today week afternoon morning tonight asap soon urgent deadline""",
    "link": "<url> <address> click visit subscribe unsubscribe download website site online email account",
    "selling": "free save offer shop deal off win exclusive enjoy discover app gift sale tickets",
    "care": "sure ensure remember forget",
    "able": "available availability interested willing able",
    "plan": "plan planning going hoping supposed trying scheduled",
    "everyone": "everyone all anyone someone somebody each",
    "past": "said told asked went came sent got received made called had wanted",
}


def _asking_classes() -> dict[str, int]:
    named: dict[str, str] = {word: word for word in sorted(word_set(_ALONE))}
    for name, words in _CLASSES.items():
        named |= {word: name.upper() for word in sorted(word_set(words))}
    for word in sorted(IMPERATIVES):
        named.setdefault(word, "COMMAND")
    numbers = {name: number for number, name in enumerate(sorted(set(named.values())), start=3)}
    return {word: numbers[name] for word, name in named.items()}


ASKING = _asking_classes()
"""The class of each word of asking; 0, 1 and 2 are borders."""
_STARTS_ASKING, _STARTS, _ENDS = 0, 1, 2
CLASS_COUNT = max(ASKING.values()) + 1
PAIRS = CLASS_COUNT * CLASS_COUNT
_CLASS_HASH = tuple(token_hash(f"<class {number}>") for number in range(CLASS_COUNT))

PLEASE = word_set("please pls plz kindly")
_DROPPED = PLEASE | {"?"}
_MODALS = word_set("can could will would")
_START = token_hash("<start>")
_END = token_hash("<end>")


class SentenceFeatures(NamedTuple):
    """Positions in the tables of weights. Each kind is scaled by its own factor (see `scales`)."""

    grams: list[int]
    places: list[int]
    pairs: list[int]
    turns: list[int]
    cues: list[int]
    token_count: int
    asking_count: int

    @property
    def scales(self) -> tuple[float, float, float, float]:
        """What a weight of grams, places, pairs and turns counts: long sentences hold more of each."""
        asking = self.asking_count**-0.5
        return self.token_count**-0.5, PLACE_WEIGHT, asking, TURN_WEIGHT * asking


class Hashes:
    """Hashes of tokens, with a memory. The memory changes the speed, never the result."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, tokens: Sequence[str]) -> list[int]:
        """One 32-bit hash for each token."""
        known = self._known
        if len(known) >= _MAX_MEMORY:
            known.clear()
        found = []
        for token in tokens:
            hashed = known.get(token)
            if hashed is None:
                hashed = known[token] = token_hash(token)
            found.append(hashed)
        return found


def sentence_features(tokens: Sequence[str], hashes: Hashes) -> SentenceFeatures:
    """The features of a sentence, given as its tokens: at least one, at most `MAX_SENTENCE_TOKENS` are looked at."""
    tokens = tokens[:MAX_SENTENCE_TOKENS]
    hashed = hashes.of(tokens)
    pairs, turns, asking_count = _order(tokens)
    return SentenceFeatures(
        grams=_grams(hashed),
        places=_places(hashed),
        pairs=pairs,
        turns=turns,
        cues=cue_positions(tokens),
        token_count=len(tokens),
        asking_count=asking_count,
    )


def prior_rows(tokens: Sequence[str], hashes: Hashes) -> list[int]:
    """Rows of the two tables that were learned without labels: the sentence without its words of politeness."""
    bordered = [_START, *hashes.of(unmasked(tokens[:MAX_SENTENCE_TOKENS])), _END]
    a, b = _TWO
    c, d, e = _THREE
    rows = [(one * _ONE & MASK) >> _PRIOR_SHIFT for one in bordered[1:-1]]
    second, third = bordered[1:], bordered[2:]
    rows += [(x * a + y * b & MASK) >> _PRIOR_SHIFT for x, y in zip(bordered, second, strict=False)]
    rows += [(x * c + y * d + z * e & MASK) >> _PRIOR_SHIFT for x, y, z in zip(bordered, second, third, strict=False)]
    return rows


def unmasked(tokens: Sequence[str]) -> list[str]:
    """The tokens without "please", "can you" and question marks: what is left must tell whether they were there."""
    kept = []
    position = 0
    count = len(tokens)
    while position < count:
        token = tokens[position]
        if token in _DROPPED:
            position += 1
        elif token in _MODALS and position + 1 < count and tokens[position + 1] == "you":
            position += 2
        else:
            kept.append(token)
            position += 1
    return kept


def _grams(hashed: list[int]) -> list[int]:
    bordered = [_START, *hashed, _END]
    second, third = bordered[1:], bordered[2:]
    a, b = _TWO
    c, d, e = _THREE
    f, g = _APART
    rows = [(one * _ONE & MASK) >> _SHIFT for one in hashed]
    rows += [(x * a + y * b & MASK) >> _SHIFT for x, y in zip(bordered, second, strict=False)]
    rows += [(x * c + y * d + z * e & MASK) >> _SHIFT for x, y, z in zip(bordered, second, third, strict=False)]
    rows += [(x * f + y * g & MASK) >> _SHIFT for x, y in zip(bordered, third, strict=False)]
    return rows


def _places(hashed: list[int]) -> list[int]:
    rows = [(one * place & MASK) >> _SHIFT for one, place in zip(hashed[:3], _PLACES, strict=False)]
    rows.append((hashed[-1] * _PLACES[3] & MASK) >> _SHIFT)
    return rows


def _order(tokens: Sequence[str]) -> tuple[list[int], list[int], int]:
    asking = ASKING
    classes = [asking[token] for token in tokens if token in asking][:MAX_ASKING_WORDS]
    classes.insert(0, _STARTS_ASKING if tokens[0] in asking else _STARTS)
    pairs = [left * CLASS_COUNT + right for left, right in combinations(classes, 2)]
    hashed = [_CLASS_HASH[number] for number in (*classes, _ENDS)]
    second, third, fourth = hashed[1:], hashed[2:], hashed[3:]
    a, b, c = _TURN_THREE
    turns = [(x * a + y * b + z * c & MASK) >> _SHIFT for x, y, z in zip(hashed, second, third, strict=False)]
    d, e, f, g = _TURN_FOUR
    turns += [
        (w * d + x * e + y * f + z * g & MASK) >> _SHIFT
        for w, x, y, z in zip(hashed, second, third, fourth, strict=False)
    ]
    return pairs, turns, len(classes)
