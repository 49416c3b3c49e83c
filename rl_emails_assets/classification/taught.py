"""Lets what a person's corrections taught (`learned.LearnedSigns`) move the category that rules and signs found."""

import math
from collections.abc import Mapping

from rl_emails_assets.classification.categories import Finding
from rl_emails_assets.classification.reading import evidence
from rl_emails_assets.classification.verdict import CATEGORIES, Category

_LEAST = 0.002
"""The least probability that signs leave to a category: more than a person's one correction must not stand against."""
_UNMOVED = ("own", "trap")
"""Rules that no correction overrules: what the owner wrote, and a trap, whose sender may be forged."""


def taught(finding: Finding, learned: Mapping[Category, float]) -> Finding:
    """The finding with the learned log odds added; itself where nothing was learned or nothing may move it."""
    if not learned or finding.rule in _UNMOVED:
        return finding
    rest = (1 - finding.certainty) / (len(CATEGORIES) - 1)
    if finding.likely:
        likely = {each: max(_LEAST, finding.likely.get(each, 0.0)) for each in CATEGORIES}
    else:
        likely = {each: finding.certainty if each == finding.category else rest for each in CATEGORIES}
    logs = {each: math.log(max(1e-9, likely[each])) + learned.get(each, 0.0) for each in CATEGORIES}
    highest = max(logs.values())
    parts = {each: math.exp(value - highest) for each, value in logs.items()}
    whole = math.fsum(parts.values())
    winner = max(CATEGORIES, key=lambda each: parts[each])
    weight = learned.get(winner, 0.0)
    said = finding.evidence if winner == finding.category else ()
    if weight > 0:
        said = (evidence("category", "learned", f"you said {winner} of mail like this", round(weight, 3)), *said)
    elif not said:
        wrong = min(learned, key=lambda each: learned[each])
        said = (evidence("category", "learned", f"you said that mail like this is no {wrong}", -learned[wrong]),)
    rule = finding.rule if winner == finding.category else "learned"
    return Finding(winner, parts[winner] / whole, said, rule, {each: part / whole for each, part in parts.items()})
