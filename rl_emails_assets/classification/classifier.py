"""The verdict on a message: header rules, signs, the small model, and what each part rests on."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from rl_emails_assets.classification.categories import decide
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.model import CARD_FILE, MODEL_FILE, Model
from rl_emails_assets.classification.needs import handler_of, need_of
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.signs import is_unsolicited, weigh
from rl_emails_assets.classification.urgency import urgency_of
from rl_emails_assets.classification.verdict import Verdict

VERSION = "1"
"""The version of the rules: raised with every change that can change a verdict."""


class Classifier:
    """Gives verdicts. A verdict depends on its message alone; one instance may serve many threads."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lexer = Lexer()

    @classmethod
    def load(cls, path: Path = MODEL_FILE, card: Path = CARD_FILE) -> Self:
        """A classifier with the model file that ships with the package, or another.

        Raises:
            ModelFileError: the file is missing, damaged or not the one its card names.
        """
        return cls(Model.load(path, card))

    @property
    def model_version(self) -> str:
        """The start of the model file's sha256."""
        return self._model.version

    def classify(self, inputs: ClassifierInput) -> Verdict:
        """The verdict on one message. Never raises for what a message holds."""
        reading = Reading(inputs, self._lexer)
        finding = decide(reading)
        if finding is None or (finding.rule == "list" and is_unsolicited(reading, self._model)):
            finding = weigh(reading, self._model)
        need = need_of(reading, finding, self._model)
        urgency, urgency_evidence = urgency_of(reading, finding.category, need.needs, need.asked)
        handler, handler_evidence = handler_of(reading, finding.category, need)
        return Verdict(
            category=finding.category,
            needs=need.needs,
            urgency=urgency,
            handler=handler,
            confidence=max(0.0, min(1.0, finding.certainty * need.certainty)),
            evidence=(*finding.evidence, *need.evidence, *urgency_evidence, handler_evidence),
        )

    def asks(self, sentence: str) -> float:
        """The probability (0-1) that a sentence asks its reader for something, by the request model alone."""
        return 1 / (1 + math.exp(-self._model.request_log_odds(self._lexer.tokens(sentence))))

    def classify_many(self, inputs: Iterable[ClassifierInput]) -> list[Verdict]:
        """The verdicts on several messages, in order: each the same, bit for bit, as on its own."""
        return [self.classify(one) for one in inputs]
