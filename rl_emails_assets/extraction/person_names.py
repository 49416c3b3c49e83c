"""Full names taken apart: what somebody is called, the family's name, initials; and which given names are one name."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rl_emails_assets.extraction.signatures import name_key

_SHORT_FORMS = """
abigail: abby gail|albert: al bert|alexander: alex al sandy|alexandra: alex sandy|alfred: al alf fred
allison/alison: ali|amanda: mandy|andrew: andy drew|angela: angie|anthony/antony: tony|antonio: tony|arthur: art
barbara: barb barbie|benjamin: ben benny|bernard: bernie|beverly/beverley: bev|bradley/bradford: brad|cameron: cam
carolyn/caroline: carrie|catherine/katherine/kathryn/katharine: cathy kathy kate katie kat|charles: charlie chuck chas
charlotte: charlie lottie|christine/christina: chris tina chrissy|christopher: chris kit|clifford/clifton: cliff
clinton: clint|constance: connie|cynthia: cindy|daniel: dan danny|danielle: dani|david: dave davy
deborah/debra: deb debbie|dennis: denny|dolores: lola|dominic: dom|donald: don donny|dorothy: dot dottie|douglas: doug
edmund: ed eddie|edward: ed eddie ted|edwin: ed eddie|eleanor: ellie
elizabeth/elisabeth: liz lizzie beth betsy betty libby|emily: em|eugene: gene|florence: flo|frances: fran
francis: frank fran|franklin: frank|frederick/fredrick: fred freddy|gabriel: gabe|geoffrey/jeffrey: geoff
jeffrey/jeffery: jeff|gerald/gerard: gerry jerry|gilbert: gil|gregory: greg gregg|gwendolyn: gwen|harold: harry hal
henry: hank harry|herbert: herb|howard: howie|isabella/isabel: bella|jacob: jake|jacqueline: jackie
james: jim jimmy jamie|jennifer: jen jenny|jeremy: jerry|jerome: jerry|jessica: jess jessie|joanne/joanna: jo
john: jack johnny|jonathan: jon jonny|joseph: joe joey|joshua: josh|judith: judy|julia/julie: jules|justin: jus
kenneth: ken kenny|kimberly/kimberley: kim|kristen/kristin/kristine/kristina: kris|lawrence/laurence: larry
leonard: leo len lenny|leslie/lesley: les|lillian: lily|louis/lewis: lou|louise: lou|lucas: luke|lucille: lucy
madeline: maddie|margaret: maggie meg peggy marge|martha: marty|martin: marty|matthew: matt|maurice: mo
maxwell/maximilian: max|melissa: missy mel|melvin: mel|michael: mike mick mickey|michelle: shelly|mildred: millie
mitchell: mitch|natalie: nat|nathan/nathaniel/nathanael: nate nat|nicholas/nicolas: nick|nicole: nicki nikki
norman: norm|oliver: ollie|pamela: pam|patricia: pat patty patti tricia trish|patrick: pat paddy|peter: pete
philip/phillip: phil|priscilla: cilla|rachel: rach|randall/randolph: randy|raymond: ray|rebecca: becky becca
reginald: reg|richard: rick rich dick ricky|robert: bob rob bobby robbie bert|roberta: bobbie|rodney: rod|roger: rog
ronald: ron ronnie|rosemary: rosie|rudolph/rudolf: rudy|russell: russ|samantha: sam|samuel: sam sammy
sarah/sara: sally|sebastian: seb|sidney/sydney: sid|stanley: stan|stephanie: steph|stephen/steven: steve
stuart/stewart: stu|susan/susanne/suzanne: sue susie suzy|sylvia: syl|tamara: tammy|terence/terrence: terry
theresa/teresa: terry tess|theodore: ted theo|thomas: tom tommy|timothy: tim timmy|tobias: toby|valerie: val
vanessa: nessa|vernon: vern|victor: vic|victoria: vicky vicki tori|vincent: vince vinny|virginia: ginny|vivian: viv
walter: walt wally|warren: ren|wesley: wes|wilfred: wilf|william: bill will billy willie liam wm|zachary: zach zack
andreas: andi|friedrich: fritz|johannes: hans|josef: sepp|katharina: kathi|nikolaus: klaus niko|ludwig: lutz
manfred: manni|margarete: grete|michaela: michi|stefan/stephan: steff|ulrich: uli ulli|wolfgang: wolf
francisco: paco pancho|guillermo: memo|ignacio: nacho|jose: pepe|giovanni: gianni|giuseppe: beppe
"""
"""Given names and what they are shortened to, a group between bars or on a line; variants of the whole name are
separated by slashes: these are different names to each other."""

_FORMS: dict[str, set[str]] = {}
for _group in _SHORT_FORMS.strip().replace("\n", "|").split("|"):
    _whole, _, _short = _group.partition(": ")
    for _name in _whole.split("/"):
        _FORMS.setdefault(_name, set()).add(_name)
        for _form in _short.split():
            _FORMS.setdefault(_form, set()).add(_name)

_MUNGED = re.compile(r"\bvia\b|\bon behalf of\b|\bim auftrag von\b|\bau nom de\b|\bpor parte de\b", re.IGNORECASE)
_SUFFIX = re.compile(r",? (?:jr|sr|ii|iii|iv|phd|md|esq|mba|cpa)\.?$", re.IGNORECASE)
_INITIAL = re.compile(r"(?<![\w'’])([^\W\d_])(?:\.|(?![\w'’]))")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A full name: the first given name, the rest, and the initials between them, all in lower case."""

    key: tuple[str, ...]
    given: str
    family: str
    initials: frozenset[str]


@lru_cache(maxsize=4096)
def person_name(text: str) -> PersonName | None:
    """The full name that a display name says, as "Last, First M." or "First M. Last"; None when it is none, or when it
    is a list's or a robot's way to name somebody else ("Ada Byron via Announcements")."""
    if _MUNGED.search(text):
        return None
    key = name_key(text)
    if not key:
        return None
    bare = _SUFFIX.sub("", re.sub(r"\([^)]{0,60}\)|\"[^\"]{0,60}\"", " ", text[:120]).strip())
    last, comma, first = bare.partition(",")
    ordered = f"{first} {last}" if comma and first.strip() else bare
    words = [word for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", ordered.lower()) if word in key]
    if len(words) < 2:
        return None
    initials = frozenset(letter.lower() for letter in _INITIAL.findall(ordered))
    return PersonName(key, words[0], words[-1], initials)


def is_same_given(one: str, other: str) -> bool:
    """Whether two given names are one, or one of them is short for the other ("bill" and "william")."""
    return one == other or one in _FORMS.get(other, ()) or other in _FORMS.get(one, ())


def forms_of(given: str) -> frozenset[str]:
    """The whole names that a given name may stand for, itself among them when it is one."""
    return frozenset(_FORMS.get(given, ()))


def is_misspelt(one: str, other: str) -> bool:
    """Whether a long given name is the other with one letter left out inside; not where both are names of their own."""
    short, long = sorted((one, other), key=len)
    if len(long) != len(short) + 1 or len(short) < _LEAST_MISSPELT or (one in _FORMS and other in _FORMS):
        return False
    at = next((index for index, letter in enumerate(short) if letter != long[index]), len(short))
    return 0 < at < len(short) and short[at:] == long[at + 1 :]


_LEAST_MISSPELT = 7
