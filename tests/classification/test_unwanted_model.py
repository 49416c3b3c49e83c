"""Mail that nobody asked for: what ships is what was recorded, trees and words score as they were trained."""

import hashlib
import json
import math
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.classification import train_unwanted, unwanted_corpus, unwanted_words
from rl_emails_assets.classification.forest import Forest
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.message_input import input_of
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.shape import HEADER_FEATURES, SHAPE_FEATURES, UNKNOWN, shape
from rl_emails_assets.classification.signs import unwanted_odds
from rl_emails_assets.classification.unwanted import ARRAYS, UNWANTED_CARD, UNWANTED_FILE, UnwantedModel
from rl_emails_assets.classification.unwanted_corpus import LabelledMail, near_groups, without_headers
from rl_emails_assets.classification.unwanted_words import ROWS, WordRows
from rl_emails_assets.classification.written_mails import read_mails
from rl_emails_assets.errors import ModelFileError, SourceError
from rl_emails_assets.mail.parse import parse

MODEL = UnwantedModel.load()
LEXER = Lexer()


def reading(**fields: object) -> Reading:
    return Reading(ClassifierInput(**fields), LEXER)  # type: ignore[arg-type]


def named(values: list[float]) -> dict[str, float]:
    return dict(zip(SHAPE_FEATURES, values, strict=True))


def test_the_shipped_file_is_the_recorded_one() -> None:
    """A model file that changed without its card, that holds words, or that grew beyond what a wheel should carry."""
    content = UNWANTED_FILE.read_bytes()
    card = json.loads(UNWANTED_CARD.read_text("utf-8"))
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert len(content) < 1_000_000
    assert card["f1"] >= 0.95
    with np.load(UNWANTED_FILE, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(ARRAYS)
        assert all(arrays[name].dtype.kind in "fi" for name in ARRAYS)


def test_wrong_files_are_refused_with_a_way_out(tmp_path: Path) -> None:
    """A verdict by a model that is not the recorded one, or a stack trace where a next step is needed."""
    with pytest.raises(ModelFileError, match=r"absent\.npz .*train_unwanted"):
        UnwantedModel.load(tmp_path / "absent.npz")
    other, card = tmp_path / "unwanted.npz", tmp_path / "unwanted.json"
    other.write_bytes(UNWANTED_FILE.read_bytes() + b"\0")
    with pytest.raises(ModelFileError, match="do not belong"):
        UnwantedModel.load(other)
    other.write_bytes(b"no archive")
    card.write_text(json.dumps({"sha256": hashlib.sha256(b"no archive").hexdigest()}))
    with pytest.raises(ModelFileError, match="is not a model of unwanted mail"):
        UnwantedModel.load(other, card)
    with np.load(UNWANTED_FILE, allow_pickle=False) as found:
        arrays = {name: found[name] for name in ARRAYS}
    with pytest.raises(ModelFileError, match="other features"):
        UnwantedModel.from_arrays(arrays | {"rows": arrays["rows"][1:]}, version="x")
    looped = arrays["nodes"].copy()
    looped[5, 2] = 0
    with pytest.raises(ModelFileError, match="lead nowhere"):
        UnwantedModel.from_arrays(arrays | {"nodes": looped}, version="x")


def test_spam_scores_above_a_letter() -> None:
    """Weights and features that no longer fit each other."""
    sells = "Act now! FREE money guaranteed, click here to order today and save 90% on your mortgage! Risk free!"
    spam = reading(subject="MAKE MONEY FAST!!!", text=sells, new_text=sells, from_address="x8812@quick.example")
    text = "Hi Ida, the crane comes on Tuesday. I will be at the quay at nine. Mira"
    letter = reading(subject="Crane", text=text, new_text=text, from_name="Mira Holt", from_address="m@harbor.example")
    assert MODEL.log_odds(spam) > 1 > -1 > MODEL.log_odds(letter)


def test_a_forest_goes_the_way_of_its_nodes() -> None:
    """A tree read with its sides swapped, or stopped before its leaf."""
    nodes = np.array(
        [[0, 0.5, 1, 2, 0], [0, 0, 1, 1, 10.0], [1, 3.0, 3, 4, 0], [0, 0, 3, 3, 20.0], [0, 0, 4, 4, 30.0],
         [0, 0, 5, 5, 0.25]]
    )  # fmt: skip
    forest = Forest.from_arrays(nodes, np.array([0, 5]), 1.0)
    assert forest.depth == 2
    assert forest.score(np.array([0.5, 9.0])) == 11.25
    assert forest.score(np.array([0.6, 3.0])) == 21.25
    assert forest.score(np.array([0.6, 3.1])) == 31.25


def test_mail_without_headers_says_so() -> None:
    """A letter from an archive judged as one whose sender left every header out."""
    bare = named(shape(reading(subject="Quay", text="words")))
    assert all(bare[name] == UNKNOWN for name in HEADER_FEATURES)
    full = named(shape(reading(headers={"date": "Tue, 4 Mar 2025 09:14:27 +0000"}, rfc822_message_id="1@x.example")))
    assert UNKNOWN not in [full[name] for name in HEADER_FEATURES]


@pytest.mark.parametrize(
    ("fields", "feature", "value"),
    [
        ({"subject": "FREE CASH"}, "subject_loud", 1),
        ({"subject": "your pills   kx7fa21"}, "subject_serial", 1),
        ({"subject": "win!!!"}, "subject_marks", 3),
        ({"from_address": "x12y3@a.example"}, "address_digits", 3),
        ({"from_name": "a@b.example", "from_address": "a@b.example"}, "name_is_address", 1),
        ({"text": "ABcd"}, "upper", 0.5),
        ({"text": "http://10.2.3.4/x"}, "bare_urls", 1),
        ({"text": "http://a@b.example/ "}, "masked_urls", 1),
        ({"markup": {"images": 1}}, "markup_images", math.log(2)),
        ({"rfc822_message_id": "1@mail.a.example", "from_address": "x@a.example"}, "id_of_sender", 1),
        ({"rfc822_message_id": "1@localhost"}, "id_without_dot", 1),
        ({"rfc822_message_id": "1$2$3@a.example"}, "id_dollars", 1),
        ({"reply_to_address": "x@b.example", "from_address": "x@a.example"}, "answers_elsewhere", 1),
        ({"reply_to_address": "x@s.a.example", "from_address": "x@a.example"}, "answers_elsewhere", 0),
        ({"subject": "Re: you"}, "re_without_reference", 1),
        ({"subject": "Re: you", "is_reply": True}, "re_without_reference", 0),
        ({"date": "4 March 2025"}, "date_odd", 1),
        ({"date": "4 March 2025"}, "zone_absent", 1),
        ({"date": "Tue, 4 Mar 2025 09:14:27 +1700"}, "zone_odd", 1),
        ({"date": "Tue, 4 Mar 2025 09:14:27 +0530"}, "zone_odd", 0),
        ({"x-mailer": "Microsoft Outlook Express 6"}, "outlook_mailer", 1),
    ],
)
def test_shapes(fields: dict[str, object], feature: str, value: float) -> None:
    """A feature that is always 0 says nothing, and its weight is another's."""
    headers = {"date": "Tue, 4 Mar 2025 09:14:27 +0000", "content-type": "text/plain"}
    headers |= {name: str(fields.pop(name)) for name in ("date", "x-mailer") if name in fields}
    assert named(shape(reading(headers=headers, **fields)))[feature] == pytest.approx(value)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=30))
def test_rows_are_distinct_bounded_and_the_same_again(text: str, subject: str, address: str) -> None:
    """A row counted twice, one outside the table, or a memory that changes what is found."""
    one = reading(text=text, subject=subject, from_address=address)
    shared = WordRows()
    found = shared.of(one).tolist()
    assert found == sorted(set(found)) == shared.of(one).tolist() == WordRows().of(one).tolist()
    assert all(0 <= row < ROWS for row in found)


def test_memories_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random words filling the memory of hashes for ever."""
    monkeypatch.setattr(unwanted_words, "_MAX_MEMORY", 20)
    rows = WordRows()
    for number in range(30):
        rows.of(reading(text="a" * number + " b", subject="c" * number))
    assert len(rows._tokens) < 60
    assert len(rows._subject_words) < 60


def odds(**fields: object) -> float:
    """What 2.0 of the model becomes for an English letter of a stranger with these fields, its headers kept."""
    words = "the and of you for is that with this have are your"
    headers = {"date": "Tue, 4 Mar 2025 09:14:27 +0000", "content-type": "text/plain"}
    headers |= fields.pop("headers", {})  # type: ignore[arg-type]
    letter = {"text": words, "new_text": words, "from_address": "a@b.example", "headers": headers}
    return unwanted_odds(reading(**(letter | fields)), 2.0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 2.0),
        ({"sender_replied_count": 1}, -1.0),
        ({"is_reply_to_owner": True}, -0.5),
        ({"owner_domain": "b.example"}, 0.0),
        ({"owner_domain": "gmail.com", "from_address": "x@gmail.com"}, 2.0),
        ({"headers": {"authentication-results": "dkim=pass"}}, 0.5),
        ({"headers": {"authentication-results": "dmarc=fail"}}, 3.0),
        ({"headers": {"list-unsubscribe": "<x>", "feedback-id": "1"}}, 0.5),
        ({"headers": {"list-unsubscribe": "<x>"}}, 2.0),
        ({"headers": {"x-spam-flag": "YES"}}, 4.0),
        ({"from_name": "Anna Berg", "from_address": "a.berg@b.example"}, 1.0),
        ({"from_name": "Anna Berg", "from_address": "x17@b.example"}, 2.0),
        ({"from_name": "Anna Berg", "from_address": "a.berg@b.example", "link_count": 1}, 2.0),
        ({"from_address": ""}, -3.0),
        ({"new_text": "Win"}, -3.0),
        ({"new_text": "明日 会議 出席 場所 時間"}, -3.0),
        ({"new_text": "und der die das ist nicht ich sie wir mit"}, 0.8),
    ],
)
def test_what_is_known_of_the_sender_shifts_the_odds(fields: dict[str, object], expected: float) -> None:
    """A friend's exuberant mail judged like a stranger's; a failed signature that counts for nothing."""
    assert odds(**fields) == pytest.approx(expected)


def test_odds_are_bounded_and_mean_less_without_headers() -> None:
    """An archive's letter called spam because its headers were lost."""
    bare = ClassifierInput(new_text="the and of you for is that with this", from_address="a@b.example")
    assert unwanted_odds(Reading(bare, LEXER), 2.0) == pytest.approx(0.5)
    assert abs(unwanted_odds(Reading(bare, LEXER), -99.0)) <= 6.0


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sets' layouts, in words of our own; few trees, for there is little to learn."""
    monkeypatch.setattr(train_unwanted, "TREES", 20)
    (tmp_path / "labelled").mkdir()
    (tmp_path / "mailboxes").mkdir()
    headers = "Date: Tue, 4 Mar 2025 09:14:27 +0000\nMessage-ID: <{0}@{1}.example>\n"
    members: dict[str, bytes] = {"c/spam/cmds": b"mv", "readme": b"no folder"}
    for number in range(30):
        letter = chr(97 + number % 26) * (2 + number // 26)
        for folder, sender, text in (
            ("spam", f"w{number}@shop{number}.example", f"{letter} buy cheap pills now, free offer, click here today"),
            ("easy_ham", f"p{number}@home{number}.example", f"{letter} I saw the boats at the quay and thought of you"),
        ):
            mail = f"From: {sender}\nSubject: {letter}\n{headers.format(number, folder)}\n{text}\n"
            members[f"c/{folder}/{number}.x"] = (b"From x\n" if number == 0 else b"") + mail.encode()
    members["c/spam_2/again.x"] = members["c/spam/1.x"]
    _archive(tmp_path / "labelled" / "spamassassin.tar.gz", members)
    sent = {
        f"x/sent/{number}_": f"From: x@h.example\n\nI wrote {number * 'z'} myself\n".encode() for number in range(3)
    }
    _archive(tmp_path / "mailboxes" / "enron-x.tar.gz", sent)
    return tmp_path


def _archive(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, BytesIO(content))


def test_sets_are_read_without_repetition(data: Path) -> None:
    """The same spam on both sides of a split; an Enron header that its collector wrote."""
    mails = unwanted_corpus.labelled_mails(data, seed=1)
    counts = unwanted_corpus.counts_by_source(mails)
    assert counts["spamassassin/unwanted"] == counts["spamassassin/wanted"] == 30
    assert counts["letters/wanted"] == 3
    assert counts["written0/wanted"] == sum(one.category != "unwanted" for one in read_mails())
    assert all(not one.given.headers for one in mails if one.source == "letters")
    with pytest.raises(SourceError, match=r"spamassassin\.tar\.gz"):
        unwanted_corpus.labelled_mails(data / "mailboxes", seed=1)


def test_near_copies_and_sites_share_a_group() -> None:
    """A campaign's second wave tested by a model that learned the first."""
    text = " ".join(f"word{chr(97 + number)}" * 2 for number in range(26)) * 2
    one = LabelledMail(ClassifierInput(text=text), True, "a.example", "spamassassin")
    groups = near_groups(
        [one, replace(one, group="b.example", given=ClassifierInput(text=text + " tail")),
         replace(one, group="a.example", given=ClassifierInput(text="short")),
         replace(one, group="c.example", given=ClassifierInput(text="something else entirely, and short"))]
    )  # fmt: skip
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_training_ships_what_it_measured(data: Path, tmp_path: Path) -> None:
    """A file that cannot be reproduced, or whose trees score otherwise than those that were fitted."""
    pytest.importorskip("sklearn", reason="scikit-learn is needed to train, and comes with the dev extra only")
    said: list[str] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert train_unwanted.main(["--data", str(data), "--out", str(tmp_path / name)], say=said.append) == 0
    assert (tmp_path / "one" / "unwanted.npz").read_bytes() == (tmp_path / "two" / "unwanted.npz").read_bytes()
    assert json.loads(said[0])["auc"] > 0.9
    loaded = UnwantedModel.load(tmp_path / "one" / "unwanted.npz", tmp_path / "one" / "unwanted.json")
    mails = unwanted_corpus.labelled_mails(data, seed=train_unwanted.SEED)
    known = train_unwanted.UnwantedData(mails)
    everything = np.arange(len(mails))
    fitted = train_unwanted.Fitted(known, everything, is_grouped=True, seed=train_unwanted.SEED)
    expected = loaded.slope * fitted.scores(known, everything) + loaded.offset
    scored = [loaded.log_odds(Reading(one.given, LEXER)) for one in mails]
    # Rows that one site alone showed have weight 0 in the file, and weights are kept in half precision.
    assert np.corrcoef(expected, scored)[0, 1] > 0.99
    assert np.abs(expected - np.array(scored)).mean() < 0.1 * np.abs(expected).mean()


def test_permuted_labels_teach_nothing(data: Path) -> None:
    """A leak of the answer into the features or over the folds: chance labels would score above chance."""
    pytest.importorskip("sklearn", reason="scikit-learn is needed to train, and comes with the dev extra only")
    known = train_unwanted.UnwantedData(unwanted_corpus.labelled_mails(data, seed=1))
    honest, _ = train_unwanted.out_of_fold(known, is_grouped=True)
    truth = known.labels[known.tested]
    assert _auc(honest, truth) > 0.9
    found = []
    for seed in range(2):
        permuted = known.labels.copy()
        permuted[known.tested] = np.random.default_rng(seed).permutation(truth)
        scores, _ = train_unwanted.out_of_fold(known, is_grouped=True, labels=permuted)
        found.append(_auc(scores, permuted[known.tested]))
    assert 0.3 < np.mean(found) < 0.7


def _auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The share of pairs in the right order."""
    pairs = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return float((np.sign(pairs) / 2 + 0.5).mean())


def test_headers_can_be_hidden() -> None:
    """An ablation that hides nothing."""
    mail = next(iter(read_mails()))
    assert without_headers(input_of(parse(mail.rfc822()))).headers == {}
