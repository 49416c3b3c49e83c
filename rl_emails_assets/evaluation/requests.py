"""Sentences that ask for something, out of fold and on another set's labels; then the need and urgency of whole mails.

Duplicates are dropped and near-duplicates stay on one side of every split. Strength, calibration and threshold of our
model, and the threshold of the bag of words, are chosen inside the training folds. The two voices that are learned
without labels come from the shipped file: no sentence of either set was among what they learned from.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification import corpus
from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.cues import IMPERATIVES
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.request_corpus import distinct_sentences, near_groups
from rl_emails_assets.classification.request_features import PLEASE
from rl_emails_assets.classification.requests import REQUESTS_FILE
from rl_emails_assets.classification.train_requests import (
    FOLDS,
    OTHER_SET_WEIGHT,
    design,
    fit,
)
from rl_emails_assets.classification.verdict import NEEDS, URGENCIES
from rl_emails_assets.evaluation.section import SEED, Figure, Plot, Section, Series, Table
from rl_emails_assets.evaluation.statistics import (
    bootstrap,
    f1,
    f1_interval,
    precision_recall_points,
    reliability_points,
    series,
    wilson,
)
from rl_emails_assets.evaluation.written_needs import WrittenMail, written_mails

F1_GOAL = 0.84
CALIBRATION_GOAL = 0.05
CURVE_SHARES = (0.1, 0.25, 0.5, 1.0)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_METHOD = """Parakweet (3,657 sentences, "request or proposal") and the actionable set (2,550, imperatives; to it a
question is nothing to act on), without repeated tokens; sentences that share 70 % of their words are in one group
and groups are never split, over both sets. 5 folds, stratified. Everything that is chosen (strength, calibration,
threshold) is chosen in folds inside the training folds. Majority says yes to all; keyword rules say yes to a
question mark, "please", "can you", "let me know" and a verb of command in front; the bag of words is a logistic
regression over single words with a threshold of its own. Intervals resample groups. The written mails are ours
(evaluation/written_needs.txt): the rules were tuned on every first mail, the figures are of every second."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The sentences of both sets: `is_first` are Parakweet's."""

    texts: tuple[str, ...]
    labels: Ints
    groups: Ints
    is_first: npt.NDArray[np.bool_]

    @property
    def first(self) -> Ints:
        return np.flatnonzero(self.is_first)

    @property
    def second(self) -> Ints:
        return np.flatnonzero(~self.is_first)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of some rows: log odds and its choice at its own threshold."""

    log_odds: Floats
    chosen: npt.NDArray[np.bool_]


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """Measure on `data`/labelled and on the written mails.

    Raises:
        SourceError: A set is not there.
    """
    found = labelled(data)
    with np.load(REQUESTS_FILE) as arrays:
        voices = {name: arrays[name] for name in ("prior_rows", "prior_scale", "prior_bias")}
    ours, words = design(found.texts, voices), bag_of_words(found.texts)
    first, second = found.first, found.second
    within = {name: out_of_fold(rows, found, first, seed) for name, rows in (("ours", ours), ("words", words))}
    within_second = {name: out_of_fold(rows, found, second, seed) for name, rows in (("ours", ours), ("words", words))}
    with_other = out_of_fold(ours, found, first, seed, also=second)
    across = {
        (name, direction): scored(rows, found, train, test, seed)
        for name, rows in (("ours", ours), ("words", words))
        for direction, train, test in (("to_second", first, second), ("to_first", second, first))
    }
    keywords = np.array([asks_by_keywords(text) for text in found.texts])
    measured = _Measured(found, keywords, seed)
    in_fold, crossed = f"{FOLDS} folds by near-duplicate group", "trained on all of the other set"
    figures = [
        measured.f1("Requests, Parakweet: F1", first, within["ours"], within["words"], in_fold, F1_GOAL),
        measured.f1(
            "Requests, Parakweet: F1, the other set added to each training part",
            first, with_other, within["words"], in_fold,
        ),
        measured.f1("Requests, actionable set: F1", second, within_second["ours"], within_second["words"], in_fold),
        measured.f1(
            "Requests, trained on Parakweet, tested on the actionable set: F1",
            second, across["ours", "to_second"], across["words", "to_second"], crossed,
        ),
        measured.f1(
            "Requests, trained on the actionable set, tested on Parakweet: F1",
            first, across["ours", "to_first"], across["words", "to_first"], crossed,
        ),
        measured.auc("Requests, Parakweet: AUC", first, within["ours"], within["words"], in_fold),
        measured.auc(
            "Requests, trained on Parakweet, tested on the actionable set: AUC",
            second, across["ours", "to_second"], across["words", "to_second"], crossed,
        ),
        measured.auc(
            "Requests, trained on the actionable set, tested on Parakweet: AUC",
            first, across["ours", "to_first"], across["words", "to_first"], crossed,
        ),
        measured.calibration("Requests, Parakweet: calibration error", first, within["ours"], within["words"], in_fold),
    ]  # fmt: skip
    mails = [mail for mail in written_mails() if mail.is_set_aside]
    said = mail_verdicts(mails)
    figures += _mail_figures(mails, said)
    kinds = error_kinds([found.texts[row] for row in first], found.labels[first], within["ours"].chosen)
    return Section(
        key="requests",
        title="Requests, needs and urgency",
        method=" ".join(_METHOD.split()),
        figures=tuple(figures),
        tables=(
            Table(
                title="Errors on Parakweet by kind of sentence (a sentence can be of several kinds)",
                headings=("kind", "sentences", "asked for nothing, called a request", "request, missed"),
                rows=tuple((kind, *counts) for kind, counts in kinds.items()),
            ),
            confusion("Needs of the mails set aside: rows are what a reader said", NEEDS, [
                (mail.needs, need) for mail, (need, _) in zip(mails, said, strict=True)]),
            confusion("Urgency of the mails set aside: rows are what a reader said", URGENCIES, [
                (mail.urgency, urgency) for mail, (_, urgency) in zip(mails, said, strict=True)]),
        ),
        plots=(
            _reliability(found, within["ours"]),
            _precision_recall(found, within, keywords),
            _curve(ours, words, found, seed),
        ),
        failures={f"{kind}: missed": missed for kind, (_, _, missed) in kinds.items()}
        | {f"{kind}: false": false for kind, (_, false, _) in kinds.items()},
    )  # fmt: skip


def labelled(data: Path) -> Labelled:
    """Both sets, repetitions dropped, near-duplicates in one group."""
    first = distinct_sentences(corpus.parakweet_sentences(data))
    second = distinct_sentences(corpus.actionable_sentences(data))
    texts = tuple(sentence.text for sentence in (*first, *second))
    return Labelled(
        texts=texts,
        labels=np.array([int(sentence.is_request) for sentence in (*first, *second)], dtype=np.int64),
        groups=np.array(near_groups(texts), dtype=np.int64),
        is_first=np.arange(len(texts)) < len(first),
    )


def bag_of_words(texts: Sequence[str]) -> Any:
    """Single words and marks weighed by their rarity, as a sparse matrix: the baseline's features."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # noqa: PLC0415

    return TfidfVectorizer(sublinear_tf=True, token_pattern=_WORD_OR_MARK).fit_transform(texts)


def scored(rows: Any, found: Labelled, train: Ints, test: Ints, seed: int, weights: Floats | None = None) -> Scored:
    """A model of the training rows on the tested ones; all of its choices are made on the training rows."""
    fitted = fit(rows[train], found.labels[train], found.groups[train], weights, seed=seed)
    log_odds = fitted.log_odds(rows[test])
    return Scored(log_odds, log_odds > fitted.threshold)


def out_of_fold(rows: Any, found: Labelled, of: Ints, seed: int, *, also: Ints | None = None) -> Scored:
    """Every row of `of` by a model that saw no row of its group; `also` are added to each training part."""
    from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]  # noqa: PLC0415

    log_odds, chosen = np.zeros(len(of)), np.zeros(len(of), dtype=bool)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in splitter.split(of, found.labels[of], found.groups[of]):
        part, weights = of[train], None
        if also is not None:
            apart = also[~np.isin(found.groups[also], found.groups[of[test]])]
            weights = np.concatenate([np.ones(len(part)), np.full(len(apart), OTHER_SET_WEIGHT)])
            part = np.concatenate([part, apart])
        said = scored(rows, found, part, of[test], seed, weights)
        log_odds[test], chosen[test] = said.log_odds, said.chosen
    return Scored(log_odds, chosen)


def asks_by_keywords(text: str) -> bool:
    """The baseline of rules."""
    tokens = Lexer().tokens(text)
    joined = f" {' '.join(tokens)} "
    return (
        "?" in tokens
        or not PLEASE.isdisjoint(tokens)
        or any(phrase in joined for phrase in (" can you ", " could you ", " would you ", " will you ", " me know "))
        or (bool(tokens) and tokens[0] in IMPERATIVES)
    )


_WORD_OR_MARK = r"\w+|[?!]"
_KINDS = (
    ("question mark", lambda tokens, _: "?" in tokens),
    ("question without a mark", lambda tokens, _: "?" not in tokens and bool({"what", "when", "where", "who", "why",
        "how", "which", "can", "could", "would", "will", "do", "does", "is", "are"} & set(tokens[:1]))),
    ("please", lambda tokens, _: not PLEASE.isdisjoint(tokens)),
    ("verb of command in front", lambda tokens, _: bool(tokens) and tokens[0] in IMPERATIVES),
    ("you should, must, need, can", lambda _, joined: any(
        f" you {word} " in joined for word in ("should", "must", "need", "can", "may", "might", "have"))),
    ("we or I need, want, like", lambda _, joined: any(f" {who} {word} " in joined
        for who in ("i", "we", "would", "i'd", "we'd") for word in ("need", "want", "like", "appreciate"))),
    ("proposal: we should, let's, suggest", lambda _, joined: any(
        word in joined for word in (" we should ", " let's ", " suggest ", " propose ", " how about "))),
    ("offer or promise: shall I, I will", lambda _, joined: any(
        word in joined for word in (" shall i ", " should i ", " i will ", " i'll ", " we will ", " we'll "))),
    ("condition or thanks", lambda tokens, _: bool({"if", "thanks", "thank"} & set(tokens))),
    ("link or advertiser's words", lambda tokens, _: bool(
        {"<url>", "click", "subscribe", "unsubscribe", "download", "free"} & set(tokens))),
    ("more than 22 words", lambda tokens, _: len(tokens) > 22),
)  # fmt: skip


def error_kinds(texts: Sequence[str], labels: Ints, chosen: npt.NDArray[np.bool_]) -> dict[str, tuple[int, int, int]]:
    """(sentences, false alarms, misses) of each kind of sentence; what is of no kind is counted as such."""
    lexer = Lexer()
    counts: dict[str, list[int]] = {name: [0, 0, 0] for name, _ in _KINDS} | {"none of these": [0, 0, 0]}
    for text, label, choice in zip(texts, labels.tolist(), chosen.tolist(), strict=True):
        tokens = lexer.tokens(text)
        joined = f" {' '.join(tokens)} "
        names = [name for name, holds in _KINDS if holds(tokens, joined)] or ["none of these"]
        for name in names:
            counts[name][0] += 1
            counts[name][1] += int(choice and not label)
            counts[name][2] += int(label and not choice)
    return {name: (of[0], of[1], of[2]) for name, of in counts.items()}


def calibration_error(log_odds: Floats, labels: Ints) -> float:
    """Expected calibration error over ten bins of equal mass, 0 to 1."""
    stated = 1 / (1 + np.exp(-log_odds))
    points = reliability_points(stated, labels)
    return sum(rows * abs(said - happened) for said, happened, rows in points) / len(labels)


@dataclass(frozen=True, slots=True)
class _Measured:
    found: Labelled
    keywords: npt.NDArray[np.bool_]
    seed: int

    def f1(self, name: str, of: Ints, ours: Scored, words: Scored, split: str, goal: float | None = None) -> Figure:
        labels, groups = self.found.labels[of], self.found.groups[of].tolist()
        low, high = f1_interval(labels, ours.chosen, groups, self.seed)
        baselines = {
            "majority": f1(labels, np.ones(len(of))),
            "keyword rules": f1(labels, self.keywords[of]),
            "bag of words": f1(labels, words.chosen),
        }
        return Figure(
            name=name, value=f1(labels, ours.chosen), split=split, count=len(of), low=low, high=high, goal=goal,
            baselines=baselines,
        )  # fmt: skip

    def auc(self, name: str, of: Ints, ours: Scored, words: Scored, split: str) -> Figure:
        from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # noqa: PLC0415

        labels, groups = self.found.labels[of], self.found.groups[of].tolist()

        def measure(rows: Ints) -> float:
            here = labels[rows]
            return float(roc_auc_score(here, ours.log_odds[rows])) if 0 < here.sum() < len(here) else float("nan")

        low, high = bootstrap(measure, groups, seed=self.seed, rounds=300)
        baselines = {
            "majority": 0.5,
            "keyword rules": float(roc_auc_score(labels, self.keywords[of])),
            "bag of words": float(roc_auc_score(labels, words.log_odds)),
        }
        return Figure(
            name=name, value=float(roc_auc_score(labels, ours.log_odds)), split=split, count=len(of), low=low,
            high=high, baselines=baselines,
        )  # fmt: skip

    def calibration(self, name: str, of: Ints, ours: Scored, words: Scored, split: str) -> Figure:
        labels, groups = self.found.labels[of], self.found.groups[of].tolist()
        low, high = bootstrap(
            lambda rows: calibration_error(ours.log_odds[rows], labels[rows]), groups, seed=self.seed, rounds=300
        )
        value = calibration_error(ours.log_odds, labels)
        # Resampling adds noise to every bin, and noise can only add to the error: the interval may lie above it.
        return Figure(
            name=name, value=value, split=split, count=len(of), low=min(low, value), high=max(high, value),
            goal=CALIBRATION_GOAL, is_more_better=False,
            baselines={"bag of words": calibration_error(words.log_odds, labels)},
        )  # fmt: skip


def mail_verdicts(mails: Sequence[WrittenMail]) -> list[tuple[str, str]]:
    """(needs, urgency) that the classifier gives."""
    verdicts = Classifier.load().classify_many([mail.mail for mail in mails])
    return [(verdict.needs, verdict.urgency) for verdict in verdicts]


def _mail_figures(mails: Sequence[WrittenMail], said: Sequence[tuple[str, str]]) -> list[Figure]:
    figures = []
    keywords = [asks_by_keywords(f"{mail.mail.subject} . {mail.mail.new_text}") for mail in mails]
    by_words = {
        "Needs": [("task" if asks else "read") for asks in keywords],
        "Urgency": ["today" if "today" in mail.mail.new_text.lower() else "whenever" for mail in mails],
    }
    for name, expected, given in (
        ("Needs", [mail.needs for mail in mails], [need for need, _ in said]),
        ("Urgency", [mail.urgency for mail in mails], [urgency for _, urgency in said]),
    ):
        hits = sum(one == other for one, other in zip(expected, given, strict=True))
        low, high = wilson(hits, len(mails))
        common = max(Counter(expected).values()) / len(mails)
        ruled = sum(one == other for one, other in zip(expected, by_words[name], strict=True)) / len(mails)
        figures.append(
            Figure(
                name=f"{name} of a whole mail: accuracy",
                value=hits / len(mails),
                split="every second written mail",
                count=len(mails),
                low=low,
                high=high,
                baselines={"majority": common, "keyword rules": ruled},
            )
        )
    return figures


def confusion(title: str, names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Table:
    """How often what was meant (rows) was called what (columns)."""
    counts: Mapping[tuple[str, str], int] = Counter(pairs)
    return Table(
        title=title,
        headings=("", *names),
        rows=tuple((meant, *(counts.get((meant, called), 0) for called in names)) for meant in names),
    )


def _reliability(found: Labelled, said: Scored) -> Plot:
    stated = 1 / (1 + np.exp(-said.log_odds))
    return Plot(
        kind="reliability", name="requests_reliability", title="Request sentences: stated against observed",
        x_label="stated probability", y_label="observed share",
        series=(series("out of fold", reliability_points(stated, found.labels[found.first])),),
    )  # fmt: skip


def _precision_recall(found: Labelled, within: Mapping[str, Scored], keywords: npt.NDArray[np.bool_]) -> Plot:
    labels, of = found.labels[found.first], keywords[found.first]
    hits = float((of & (labels == 1)).sum())
    rules = Series(name="keyword rules", x=(hits / float(labels.sum()),), y=(hits / float(of.sum()),))
    return Plot(
        kind="precision_recall", name="requests_precision_recall", title="Request sentences of Parakweet, out of fold",
        x_label="recall", y_label="precision",
        series=(
            series("ours", precision_recall_points(within["ours"].log_odds, labels)),
            series("bag of words", precision_recall_points(within["words"].log_odds, labels)),
            rules,
        ),
    )  # fmt: skip


def _curve(ours: Any, words: Any, found: Labelled, seed: int) -> Plot:
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    of = found.first
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    train, test = next(iter(splitter.split(of, found.labels[of], found.groups[of])))
    order = np.random.default_rng(seed).permutation(np.unique(found.groups[of[train]]))
    lines = []
    for name, rows in (("ours", ours), ("bag of words", words)):
        points = []
        for share in CURVE_SHARES:
            kept = of[train][np.isin(found.groups[of[train]], order[: max(FOLDS, round(share * len(order)))])]
            said = scored(rows, found, kept, of[test], seed)
            points.append((len(kept), f1(found.labels[of[test]], said.chosen)))
        lines.append(series(name, points))
    return Plot(
        kind="learning_curve", name="requests_learning_curve", title="Request sentences: F1 on one fold of Parakweet",
        x_label="sentences trained on", y_label="F1", series=tuple(lines),
    )  # fmt: skip
