"""How well mail that nobody asked for is told from mail that somebody did, and what else a message is."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_emails_assets.classification import corpus, train
from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.corpus import Document
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.model import Model
from rl_emails_assets.classification.train_unwanted import FOLDS, Fitted, UnwantedData, out_of_fold, platt
from rl_emails_assets.classification.unwanted import UnwantedModel
from rl_emails_assets.classification.unwanted_corpus import labelled_mails, site_of
from rl_emails_assets.classification.verdict import Category
from rl_emails_assets.classification.words import PROMOTION_PHRASES, PROMOTION_WORDS
from rl_emails_assets.evaluation.category_sets import cases
from rl_emails_assets.evaluation.section import SEED, Figure, Plot, Section, Series, Table
from rl_emails_assets.evaluation.statistics import f1_interval, precision_recall_points, reliability_points, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOAL_F1 = 0.98
GOAL_CALIBRATION = 0.05
UNWANTED: frozenset[Category] = frozenset(("promotion", "suspicious"))
_ACCEPTED: dict[str, tuple[Category, ...]] = {
    "spam": ("promotion", "suspicious"),
    "hard_ham": ("newsletter", "notification", "receipt", "promotion", "social", "person", "mailing_list", "automatic"),
    "easy_ham": ("person", "mailing_list", "newsletter", "notification", "automatic"),
}
_METHOD = (
    "SpamAssassin's public corpus; messages with the same words (letters only, the first 600) are dropped but for "
    "one. Positive is what lies in a spam folder; everything else is negative, also the hard ham, of which most is "
    "bulk that somebody asked for (newsletters, offers of shops, notices). Decided by the probability that nobody "
    "asked for the message being over one half. Plain folds are stratified, as published figures are made; grouped "
    "folds keep each sender's site and all near copies (MinHash) on one side. Both stages of the model and its "
    "calibration are fitted without the tested fold. No feature is a Received line, a date, a host, a list's name, a "
    "spam filter's or a mail store's mark. Verdicts are those of the whole classifier, its two models trained without "
    "the tested fold. Each other set is judged by models that were trained without its source."
)


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """Trains and tests on the sets under `data` (about three minutes of CPU)."""
    mails = labelled_mails(data, seed=seed)
    known = UnwantedData(mails)
    labels, groups = known.labels[known.tested], known.groups[known.tested].tolist()
    folders = [mails[position].folder for position in known.tested.tolist()]
    plain, plain_words = out_of_fold(known, is_grouped=False, seed=seed)
    grouped, grouped_words = out_of_fold(known, is_grouped=True, seed=seed)
    hidden, _ = out_of_fold(known, is_grouped=True, seed=seed, hide_headers=True)
    givens = [mails[position].given for position in known.tested.tolist()]
    simple = _baselines(givens, labels)
    figures = [
        _f1_figure("F1, mail nobody asked for", "5-fold, stratified, duplicates dropped", labels, plain > 0, groups,
                   seed, simple | {"bag of words": _f1(labels, plain_words > 0)}, GOAL_F1),
        _f1_figure("F1, senders and texts never seen", "5-fold, by sender's site and near copies", labels, grouped > 0,
                   groups, seed, simple | {"bag of words": _f1(labels, grouped_words > 0)}, None),
        _f1_figure("F1 without any header", "5-fold, by sender's site and near copies", labels, hidden > 0, groups,
                   seed, {"majority": 0.0}, None),
    ]  # fmt: skip
    figures += [_across(known, folders, labels, seed, old) for old in (True, False)]
    likely = _calibrated(grouped, labels, groups)
    figures.append(_calibration("Calibration error of that probability", likely, labels, "5-fold, by sender's site"))
    verdicts, stated, right = _verdicts(known, data, folders, seed)
    figures += _verdict_figures(verdicts, stated, right, labels, groups, folders, seed)
    others, other_figures = _other_sets(known, data, seed)
    return Section(
        key="categories",
        title="Categories",
        method=_METHOD,
        figures=(*figures, *other_figures),
        tables=(_confusion(labels, plain > 0, folders), _by_folder(verdicts, folders), others),
        plots=_plots(plain, plain_words, labels, likely, stated, right),
        failures=_failures(plain > 0, labels, folders),
    )


def _f1(labels: Ints, chosen: NDArray[Any]) -> float:
    hits = float((chosen & (labels == 1)).sum())
    return 2 * hits / max(1.0, float(chosen.sum() + labels.sum()))


def _f1_figure(
    name: str, split: str, labels: Ints, chosen: NDArray[Any], groups: Sequence[str], seed: int,
    baselines: dict[str, float], goal: float | None,
) -> Figure:  # fmt: skip
    low, high = f1_interval(labels, chosen, groups, seed)
    return Figure(
        name=name, value=_f1(labels, chosen), split=split, count=len(labels), low=low, high=high, goal=goal,
        baselines=baselines,
    )  # fmt: skip


def _baselines(givens: Sequence[ClassifierInput], labels: Ints) -> dict[str, float]:
    """Simple ways: nobody sends spam; words of a sale; headers and signs with both models silent."""
    words = np.array([_sounds_like_a_sale(given) for given in givens])
    shipped = Model.load()
    silent = replace(shipped, genre_rows=shipped.genre_rows * 0, genre_cues=shipped.genre_cues * 0,
                     genre_bias=shipped.genre_bias * 0)  # fmt: skip
    rules = Classifier(silent, _Fixed(-6.0))  # type: ignore[arg-type]
    headers = np.array([rules.classify(given).category in UNWANTED for given in givens])
    return {"majority": 0.0, "keyword rules": _f1(labels, words), "header rules": _f1(labels, headers)}


def _sounds_like_a_sale(given: ClassifierInput) -> bool:
    text = f"{given.subject}\n{given.text[:4_000]}".lower()
    return bool(PROMOTION_WORDS & set(given.subject.lower().split())) or any(one in text for one in PROMOTION_PHRASES)


class _Fixed:
    """Stands in for the unwanted-mail model: says what was computed out of fold, or nothing."""

    version = "fixed"

    def __init__(self, odds: float) -> None:
        self.odds = odds

    def log_odds(self, _reading: object) -> float:
        return self.odds


def _across(known: UnwantedData, folders: Sequence[str], labels: Ints, seed: int, old: bool) -> Figure:
    """Trained on one collection of the corpus, tested on the other: folders ending in _2 were collected later."""
    is_later = np.array([folder.endswith("_2") for folder in folders])
    trained, tested = (~is_later, is_later) if old else (is_later, ~is_later)
    # What stands in both collections, or comes from one site, is trained on and not tested.
    seen = set(known.groups[known.tested[trained]].tolist())
    fresh = tested & np.array([group not in seen for group in known.groups[known.tested].tolist()])
    fitted = Fitted(known, np.concatenate([known.tested[trained], known.others]), is_grouped=True, seed=seed)
    chosen = fitted.scores(known, known.tested[fresh]) > 0
    words = fitted.words_scores(known, known.tested[fresh]) > 0
    truth = labels[fresh]
    groups = known.groups[known.tested[fresh]].tolist()
    name = "F1, trained on the first collection" if old else "F1, trained on the second collection"
    other = "second" if old else "first"
    return _f1_figure(
        name, f"tested on the {other} one, sites and near copies of the training dropped", truth, chosen, groups, seed,
        {"majority": 0.0, "bag of words": _f1(truth, words)}, None,
    )  # fmt: skip


def _calibrated(scores: Floats, labels: Ints, groups: Sequence[str]) -> Floats:
    """Probabilities, each by a calibration fitted on the messages of other groups."""
    part = np.array([sum(group.encode()) % FOLDS for group in groups])
    found = np.zeros(len(scores))
    for fold in range(FOLDS):
        slope, offset = platt(scores[part != fold], labels[part != fold])
        found[part == fold] = 1 / (1 + np.exp(-(slope * scores[part == fold] + offset)))
    return found


def _calibration(name: str, stated: Floats, happened: NDArray[Any], split: str) -> Figure:
    error = train.calibration_error(stated, happened.astype(float))
    constant = float(abs(happened.mean() - 0.5))
    return Figure(
        name=name, value=error, split=split, count=len(stated), goal=GOAL_CALIBRATION, is_more_better=False,
        baselines={"always one half": constant},
    )  # fmt: skip


def _verdicts(
    known: UnwantedData, data: Path, folders: Sequence[str], seed: int
) -> tuple[list[Category], Floats, NDArray[np.bool_]]:
    """The whole classifier's category of each SpamAssassin message, how sure it was, and whether it was right."""
    documents = train.distinct_documents(corpus.documents(data))
    shipped = Model.load()
    place = {position: index for index, position in enumerate(known.tested.tolist())}
    categories: list[Category] = ["person"] * len(known.tested)
    stated = np.zeros(len(known.tested))
    for here, test in known.folds(known.tested, is_grouped=True, count=FOLDS, seed=seed):
        fitted = Fitted(known, np.concatenate([here, known.others]), is_grouped=True, seed=seed)
        inner = np.concatenate([fitted.scores(known, test)])
        slope, offset = _slope_of(known, here, seed)
        sites = {site_of(known.mails[position].given.from_address) for position in test.tolist()}
        model = _with_genres(shipped, [one for one in documents if not _is_of(one, sites)])
        fixed = _Fixed(0.0)
        classifier = Classifier(model, fixed)  # type: ignore[arg-type]
        for position, score in zip(test.tolist(), inner.tolist(), strict=True):
            fixed.odds = slope * score + offset
            finding = classifier.category_of(known.mails[position].given)
            categories[place[position]], stated[place[position]] = finding.category, finding.certainty
    right = np.array([category in _accepted(folder) for category, folder in zip(categories, folders, strict=True)])
    return categories, stated, right


def _slope_of(known: UnwantedData, positions: Ints, seed: int) -> tuple[float, float]:
    """The calibration of a model fitted on half of the mails, on the other half."""
    here, there = known.folds(positions, is_grouped=True, count=2, seed=seed)[0]
    half = Fitted(known, np.concatenate([here, known.others]), is_grouped=True, seed=seed)
    return platt(half.scores(known, there), known.labels[there])


def _is_of(document: Document, sites: set[str]) -> bool:
    return document.source == "spamassassin" and site_of(document.group) in sites


def _with_genres(shipped: Model, documents: Sequence[Document]) -> Model:
    weights = train.genres_only(documents)
    return replace(
        shipped,
        genre_rows=weights["genre_rows"].astype(np.float32),
        genre_cues=weights["genre_cues"].astype(np.float32),
        genre_bias=weights["genre_bias"].astype(np.float32),
        genre_temperature=float(weights["genre_temperature"][0]),
    )


def _accepted(folder: str) -> tuple[Category, ...]:
    return next(accepted for kind, accepted in _ACCEPTED.items() if folder.startswith(kind))


def _verdict_figures(
    verdicts: Sequence[Category], stated: Floats, right: NDArray[np.bool_], labels: Ints, groups: Sequence[str],
    folders: Sequence[str], seed: int,
) -> list[Figure]:  # fmt: skip
    split = "5-fold, by sender's site and near copies"
    chosen = np.array([category in UNWANTED for category in verdicts])
    unwanted_or_bulk = np.array([int("spam" in folder or folder.startswith("hard_ham")) for folder in folders])
    bulk = np.array([category in ("promotion", "suspicious", "newsletter", "notification", "receipt", "social")
                     for category in verdicts])  # fmt: skip
    low, high = wilson(int(right.sum()), len(right))
    most = max(Counter(folder.startswith("easy_ham") for folder in folders).values()) / len(folders)
    return [
        _f1_figure("F1 of the verdict: promotion or suspicious, against spam", split, labels, chosen, groups, seed,
                   {"majority": 0.0}, None),
        _f1_figure("F1 of the verdict: any bulk, against spam and hard ham", split, unwanted_or_bulk, bulk, groups,
                   seed, {"majority": 0.0}, None),
        Figure(name="Accepted category", value=float(right.mean()), split=split, count=len(right), low=low, high=high,
               baselines={"majority": most}),
        _calibration("Calibration error of the category", stated, right, split),
    ]  # fmt: skip


def _other_sets(known: UnwantedData, data: Path, seed: int) -> tuple[Table, list[Figure]]:
    """The other sets, each judged by models that have seen nothing of its source."""
    documents = train.distinct_documents(corpus.documents(data))
    calibration = _slope_of(known, known.tested, seed)

    def without(sources: tuple[str, ...], document_sources: tuple[str, ...]) -> Classifier:
        kept = np.flatnonzero([one.source not in sources for one in known.mails])
        arrays = Fitted(known, kept, is_grouped=True, seed=seed).arrays(calibration)
        model = _with_genres(Model.load(), [one for one in documents if one.source not in document_sources])
        return Classifier(model, UnwantedModel.from_arrays(arrays, version="without"))

    of_enron = without(("letters",), ("enron", "enron-sent"))
    of_others = without((), ("postmark", "triage"))
    rows: list[tuple[str | float | int | None, ...]] = []
    figures: list[Figure] = []
    for name, members in cases(data, seed=seed).items():
        classifier = of_enron if "Enron" in name else of_others
        found = [classifier.category_of(case.given).category for case in members]
        hits = sum(category in case.accepted for category, case in zip(found, members, strict=True))
        missed = Counter(
            category for category, case in zip(found, members, strict=True) if category not in case.accepted
        )
        low, high = wilson(hits, len(members))
        most = Counter(case.accepted for case in members).most_common(1)[0][1] / len(members)
        figures.append(Figure(
            name=f"Accepted category: {name}", value=hits / len(members), count=len(members), low=low, high=high,
            split="trained on other sources alone", baselines={"majority": most},
        ))  # fmt: skip
        worst = ", ".join(f"{category} {count}" for category, count in missed.most_common(4))
        rows.append((name, len(members), round(hits / len(members), 3), worst))
    return Table(
        title="Other sets", headings=("set", "messages", "accepted", "what the rest was called"), rows=tuple(rows)
    ), figures


def _confusion(labels: Ints, chosen: NDArray[Any], folders: Sequence[str]) -> Table:
    rows: list[tuple[str | float | int | None, ...]] = []
    for folder in sorted(set(folders)):
        here = np.array([one == folder for one in folders])
        rows.append((folder, int(here.sum()), int((here & chosen).sum()), int((here & ~chosen).sum())))
    rows.append(
        ("all, spam", int(labels.sum()), int((chosen & (labels == 1)).sum()), int((~chosen & (labels == 1)).sum()))
    )
    rows.append(("all, ham", int((labels == 0).sum()), int((chosen & (labels == 0)).sum()),
                 int((~chosen & (labels == 0)).sum())))  # fmt: skip
    return Table(
        title="Confusion, plain folds",
        headings=("folder", "messages", "called unwanted", "called wanted"),
        rows=tuple(rows),
    )


def _by_folder(verdicts: Sequence[Category], folders: Sequence[str]) -> Table:
    names = sorted(set(verdicts))
    counts = Counter(zip(folders, verdicts, strict=True))
    rows: tuple[tuple[str | float | int | None, ...], ...] = tuple(
        (folder, *(counts[folder, name] for name in names)) for folder in sorted(set(folders))
    )
    return Table(title="Categories given, grouped folds", headings=("folder", *names), rows=rows)


def _plots(
    plain: Floats, words: Floats, labels: Ints, likely: Floats, stated: Floats, right: NDArray[np.bool_]
) -> tuple[Plot, ...]:
    def curve(name: str, scores: Floats) -> Series:
        points = precision_recall_points(scores, labels)
        return Series(name=name, x=tuple(x for x, _ in points), y=tuple(y for _, y in points))

    def reliability(name: str, p: Floats, happened: NDArray[Any]) -> Series:
        points = reliability_points(p, happened.astype(float))
        return Series(name=name, x=tuple(x for x, _, _ in points), y=tuple(y for _, y, _ in points))

    return (
        Plot(kind="precision_recall", name="categories-unwanted", title="Mail nobody asked for (plain folds)",
             x_label="recall", y_label="precision", series=(curve("model", plain), curve("bag of words", words))),
        Plot(kind="reliability", name="categories-reliability", title="Stated and observed (grouped folds)",
             x_label="stated probability", y_label="share that was so",
             series=(reliability("nobody asked for it", likely, labels), reliability("category", stated, right))),
    )  # fmt: skip


def _failures(chosen: NDArray[Any], labels: Ints, folders: Sequence[str]) -> dict[str, int]:
    kinds: Callable[[int], str] = lambda row: (  # noqa: E731
        f"wanted mail of {folders[row]} called unwanted"
        if chosen[row]
        else f"unwanted mail of {folders[row]} let through"
    )
    return dict(Counter(kinds(row) for row in np.flatnonzero(chosen != (labels == 1)).tolist()))
