"""Training: what is read from which set, that it is the same every time, and that it learns nothing from nothing."""

import io
import json
import runpy
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rl_emails_assets.classification import corpus, train
from rl_emails_assets.classification.corpus import Document, Sentence
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.model import SHAPES, Model
from rl_emails_assets.errors import SourceError

pytest.importorskip("sklearn", reason="scikit-learn is needed to train, and comes with the dev extra only")

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
_ASKED = ["send me", "call", "review", "tell me about", "sign", "check", "explain", "forward"]
_THINGS = ["the crane", "a rope", "the quay plan", "our pump", "the tide table", "this gate", "the boat", "that chain"]
SENTENCES = [Sentence(f"Can you please {verb} {thing}?", is_request=True) for verb in _ASKED for thing in _THINGS] + [
    Sentence(f"We saw {thing} when it was {verb}ed", is_request=False) for verb in _ASKED for thing in _THINGS
]


def _archive(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _mail(sender: str, subject: str, body: str, extra: str = "") -> bytes:
    return f"From: {sender}\nSubject: {subject}\n{extra}\n{body}\n".encode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with every set in its own layout, in words of our own."""
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    lines = [f"{'Yes' if one.is_request else 'No'}\t{one.text}" for one in SENTENCES]
    (labelled / "intent-parakweet-ask0729.txt").write_text("\n".join([*lines, "not a line", "Maybe\tnot either"]))
    rows = "".join(f'"{one.text}",{int(one.is_request)}\n' for one in SENTENCES)
    (labelled / "actionable-sentences.csv").write_text("\ufeffsentences,class\n" + rows)
    spam = {}
    for number in range(12):
        letter = chr(97 + number)
        text = f"Dear friend {letter}, buy now and save money on {letter * 3} today! Click here, free offer."
        html = f"<html><head><title>x</title></head><body><p>{text}</p><script>bad()</script></body></html>"
        kind = "Content-Type: text/html; charset=odd-charset\n"
        spam[f"spam/{number}.x"] = _mail(f"s{number}@shop{number}.example", "SALE", html, kind)
        note = f"Hi Ida, I saw {letter * 4} at the quay yesterday and thought of you. See you, Jo"
        spam[f"easy_ham/{number}.x"] = _mail(f"p{number}@home{number}.example", "quay", note)
        spam[f"hard_ham/{number}.x"] = _mail(
            f"News <n{number}@news{number}.example>", "Issue", f"In this issue: {letter * 5} headlines. Read more."
        )
    spam["easy_ham/cmds"] = b"mv a b"
    spam["readme"] = b"no folder"
    spam["easy_ham/feed.x"] = _mail("rssfeeds@feeds.example", "headline", "A headline of a feed about the tide")
    spam["easy_ham/list.x"] = _mail(
        "nobody", "=?unknown-set?q?quay?=", "> quoted\nOle wrote:\nyes, the quay", "List-Id: <sailors.sail.example>\n"
    )
    spam["easy_ham/bare.x"] = _mail("nobody", "=?utf-8?b?A?=", "")
    spam["easy_ham/parts.x"] = (
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: application/pdf\n\nx\n"
        b"--x\nContent-Type: text/plain\n\n \n--x--\n"
    )
    _archive(labelled / "spamassassin.tar.gz", spam)
    enron = {"e/categories.txt": b"From: x\n\nlegend", "e/9.cats": b"1,1,1"}
    for number, codes in enumerate(["1,1,1\n2,1,1", "2,10,2", "2,4,1", "2,4,1\n2,1,1", "1,2,1"]):
        enron[f"e/{number}.txt"] = _mail(
            f"p{number}@harbor.example", "note", f"The crane {chr(97 + number) * 4} stands."
        )
        enron[f"e/{number}.cats"] = codes.encode()
    _archive(labelled / "enron-categories-ucb.tar.gz", enron)
    inlined = "p/templates-inlined/basic"
    postmark = {f"{inlined}/{kind}/content.txt": f"Your {kind} {{{{total}}}} from [Product Name]".encode()
                for kind in ("receipt", "invoice", "welcome", "dunning", "example")}  # fmt: skip
    postmark["p/templates/basic/receipt/content.txt"] = b"not inlined"
    postmark["p/templates-inlined/basic/receipt/content.html"] = b"<p>not text</p>"
    _archive(labelled / "postmark-templates.tar.gz", postmark)
    scenario = {"id": "a", "message": {"subject": "Call?", "snippet": "Can you call"}, "expected_tier": "reply_needed"}
    noise = {"id": "b", "message": {"subject": "Sale", "snippet": "Buy now"}, "expected_tier": "noise"}
    other = {"id": "c", "message": {"subject": "x"}, "expected_tier": "review"}
    scenarios = {f"t/inbox-scenarios/{one['id']}.json": json.dumps(one).encode() for one in (scenario, noise, other)}
    _archive(labelled / "triage-scenarios.tar.gz", {**scenarios, "t/readme.json": b"{}"})
    mailboxes = tmp_path / "mailboxes"
    mailboxes.mkdir()
    sent = {f"x/sent/{number}_": _mail("x@h.example", "s", f"I wrote {chr(97 + number) * 4}") for number in range(4)}
    _archive(mailboxes / "enron-x.tar.gz", {**sent, "x/inbox/1_": _mail("y@h.example", "s", "no"),
                                            "x/sent/e_": _mail("x@h.example", "s", "")})  # fmt: skip
    return tmp_path


def test_every_set_gives_its_genre(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set read in another layout than it has, or a genre swapped."""
    monkeypatch.setattr(corpus, "SENT_PER_MAILBOX", 3)
    found = corpus.documents(data)
    assert found == corpus.documents(data)
    genres = {}
    for one in found:
        genres.setdefault((one.source, one.genre), []).append(one)
    counts = {key: len(members) for key, members in genres.items()}
    assert counts == {
        ("spamassassin", "promotion"): 12,
        ("spamassassin", "person"): 15,
        ("spamassassin", "newsletter"): 13,
        ("enron", "person"): 3,
        ("enron", "newsletter"): 2,
        ("enron-sent", "person"): 3,
        ("postmark", "transaction"): 4,
        ("triage", "person"): 1,
        ("triage", "promotion"): 1,
    }
    spam = genres["spamassassin", "promotion"][0].text
    assert "buy now" in spam
    assert "bad()" not in spam
    listed = next(one for one in found if one.group == "<sailors.sail.example>")
    assert listed.text.strip() == "yes, the quay"
    receipt = next(one for one in genres["postmark", "transaction"] if one.group == "receipt")
    assert receipt.text == "Your receipt 7 from Acme"


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    """A model trained in silence on what happened to be there."""
    with pytest.raises(SourceError, match=r"intent-parakweet-ask0729\.txt"):
        corpus.parakweet_sentences(tmp_path)
    with pytest.raises(SourceError, match=r"spamassassin\.tar\.gz"):
        corpus.documents(tmp_path)


def test_words_of_a_body_end_at_its_footer() -> None:
    """List footers and forwarded headers in the features: they name the corpus, not the genre."""
    long = "A body that is certainly longer than forty characters."
    assert corpus.new_words(f"{long}\n-- \nJo") == long
    assert corpus.new_words(f"-----\n{long}\n_______\nlist@x.example") == long
    assert corpus.html_words("") == ""


def test_repetition_and_busy_senders_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mail on both sides of a split, or one list deciding what a person sounds like."""
    monkeypatch.setattr(train, "MAX_PER_GROUP", 5)
    one = Document("s", "text", "person", "a@b.example", "spamassassin")
    many = [replace(one, text=f"text {number}") for number in range(40)]
    chosen = train.distinct_documents([one, one, replace(one, text="", subject="only"), *many])
    assert len(chosen) == 5
    assert chosen == train.distinct_documents([one, one, replace(one, text="", subject="only"), *many])


def test_features_of_one_group_are_dropped() -> None:
    """A host, a name or a slogan of one list learned as the sign of a genre."""
    common, private, cue = 1, 2, train.SIZE + 3
    features = [{common: 1.0, private: 1.0, cue: 1.0}, {common: 1.0}]
    assert train.shared_features(features, ["a", "b"], least=2) == [{common: 1.0, cue: 1.0}, {common: 1.0}]


def test_training_writes_a_model_that_loads_and_is_the_same_again(data: Path, tmp_path: Path) -> None:
    """A model file that cannot be reproduced, or that the classifier refuses."""
    said: list[str] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert train.main(["--data", str(data), "--out", str(tmp_path / name)], say=said.append) == 0
    assert (tmp_path / "one" / "model.npz").read_bytes() == (tmp_path / "two" / "model.npz").read_bytes()
    assert json.loads(said[0]) == json.loads((tmp_path / "one" / "model.json").read_text())
    model = Model.load(tmp_path / "one" / "model.npz", tmp_path / "one" / "model.json")
    sells = train.document_tokens(
        Lexer(), "SALE", Lexer().tokens("Dear friend, buy now and save money today! Free offer.")
    )
    assert model.genre_probabilities("SALE", sells)["promotion"] > 0.4


def test_training_features_score_as_the_model_does(data: Path) -> None:
    """Weights learned for features that the classifier computes another way."""
    weights: dict[str, np.ndarray] = {name: np.zeros(shape, dtype=np.float32) for name, shape in SHAPES.items()}
    generator = np.random.default_rng(1)
    for name in ("genre_rows", "genre_cues"):
        weights[name] = generator.normal(size=SHAPES[name]).astype(np.float16)
    weights["genre_temperature"] = np.array([1.0], dtype=np.float32)
    model = Model.from_weights(weights, version="x")
    lexer = Lexer()
    document = corpus.documents(data)[0]
    genre_table = np.concatenate([weights["genre_rows"], weights["genre_cues"]]).astype(float)
    features = train.document_features(lexer, document)
    scores = sum(genre_table[position] * value for position, value in features.items())
    expected_odds = scores[0] - scores[1]
    tokens = train.document_tokens(lexer, document.subject, lexer.tokens(document.text))
    likely = list(model.genre_probabilities(train.plain_subject(document.subject), tokens).values())
    assert np.log(likely[0] / likely[1]) == pytest.approx(expected_odds, abs=1e-3)


def test_the_command_says_how_it_is_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A documented command line that does not start."""
    monkeypatch.setattr(sys, "argv", ["train", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(train.__file__, run_name="__main__")
    assert "--data" in capsys.readouterr().out


def test_calibration_error_of_known_cases() -> None:
    """A calibration figure that flatters."""
    assert train.calibration_error(np.array([1.0, 1.0, 0.0]), np.array([1, 1, 0])) == 0
    assert train.calibration_error(np.array([0.95, 0.95]), np.array([0, 0])) == pytest.approx(0.95)
