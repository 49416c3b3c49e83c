"""The verdict on a message: header rules, signs, the small model, and what each part rests on."""

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from rl_emails_assets.classification.categories import Finding, decide, decide_first, discussion_list
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.model import CARD_FILE, MODEL_FILE, Model
from rl_emails_assets.classification.needs import handler_of, need_of
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.requests import RequestModel
from rl_emails_assets.classification.signs import unwanted_odds, weigh
from rl_emails_assets.classification.suspicion import suspicion
from rl_emails_assets.classification.taught import taught
from rl_emails_assets.classification.unwanted import UnwantedModel
from rl_emails_assets.classification.urgency import urgency_of
from rl_emails_assets.classification.verdict import Verdict

VERSION = "2"
"""The version of the rules: raised with every change that can change a verdict."""


class Classifier:
    """Gives verdicts. A verdict depends on its message alone; one instance may serve many threads."""

    def __init__(
        self, model: Model, unwanted: UnwantedModel | None = None, requests: RequestModel | None = None
    ) -> None:
        self._model = model
        self._unwanted = unwanted or UnwantedModel.load()
        self._requests = requests or RequestModel.load()
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
        """The start of a hash over the models' own: a change of any is a change of this."""
        versions = f"{self._model.version} {self._unwanted.version} {self._requests.version}"
        return hashlib.sha256(versions.encode()).hexdigest()[:12]

    def classify(self, inputs: ClassifierInput) -> Verdict:
        """The verdict on one message. Never raises for what a message holds."""
        reading = Reading(inputs, self._lexer)
        finding = taught(self._category_of(reading), inputs.learned)
        need = need_of(reading, finding, self._requests)
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

    def unwanted(self, inputs: ClassifierInput) -> float:
        """The probability (0-1) that nobody asked for a message, with what is known of its sender."""
        reading = Reading(inputs, self._lexer)
        return 1 / (1 + math.exp(-unwanted_odds(reading, self._unwanted.log_odds(reading))))

    def category_of(self, inputs: ClassifierInput) -> Finding:
        """The category alone, with how sure it is and what it rests on."""
        return taught(self._category_of(Reading(inputs, self._lexer)), inputs.learned)

    def _category_of(self, reading: Reading) -> Finding:
        first = decide_first(reading)
        if first is not None:
            return first
        odds = unwanted_odds(reading, self._unwanted.log_odds(reading))
        trap_odds, trap_signs = suspicion(reading, is_list=discussion_list(reading)[0])
        found = decide(reading, odds, trap_odds, trap_signs)
        return found or weigh(reading, self._model, odds, trap_odds)

    def asks(self, sentence: str) -> float:
        """The probability (0-1) that a sentence asks its reader for something, by the request model alone."""
        return 1 / (1 + math.exp(-self._requests.log_odds(sentence, self._lexer.tokens(sentence))))

    def classify_many(self, inputs: Iterable[ClassifierInput]) -> list[Verdict]:
        """The verdicts on several messages, in order: each the same, bit for bit, as on its own."""
        return [self.classify(one) for one in inputs]
