"""Search: by words, by meaning, both, and without an encoder."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mails import MAILS, MODEL, seed_id
from serving import WordEncoder, start

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.errors import ModelFileError

BY_ID = {str(seed_id(item.name)): item.name for item in MAILS}


def found(client, q, **params):
    """The names of the matches."""
    body = client.get("/v1/search", params={"q": q, **params}).raise_for_status().json()
    return [BY_ID[each["message_id"]] for each in body["items"]]


def test_words(reader):
    """A message that has the words and is not found; trash, spam and copies that are."""
    assert found(reader, "lighthouse") == ["old"]
    assert set(found(reader, "pier quote")) >= {"quote", "pier-earlier", "sent"}
    assert "copy" not in found(reader, "pier survey first quote")
    assert "spam" not in found(reader, "claim now")
    assert "trash" not in found(reader, "never mind")


def test_phrases_and_exclusions(reader):
    """The query language of the box not working."""
    words_only = reader.get("/v1/search", params={"q": '"chapter two"'}).json()
    assert [BY_ID[each["message_id"]] for each in words_only["items"] if "words" in each["matched_by"]] == [
        "draft-report"
    ]
    body = reader.get("/v1/search", params={"q": "quote -revised"}).json()
    assert [BY_ID[each["message_id"]] for each in body["items"] if "words" in each["matched_by"]] == ["pier-earlier"]


def test_a_word_that_is_not_finished(reader):
    """Search as you type that shows nothing until the word is complete."""
    unfinished = reader.get("/v1/search", params={"q": "lighth"}).json()["items"]
    assert [each for each in unfinished if "words" in each["matched_by"]] == []
    assert found(reader, "lighth", typing="true")[0] == "old"
    assert found(reader, "photographs lighth", typing="true")[0] == "old"


def test_words_and_meaning_are_fused(reader):
    """One of the two lists ignored."""
    body = reader.get("/v1/search", params={"q": "They came out well!"}).json()
    assert body["is_by_meaning"] is True
    assert body["why_not"] == ""
    assert BY_ID[body["items"][0]["message_id"]] == "old"
    assert "meaning" in body["items"][0]["matched_by"]
    scores = [each["score"] for each in body["items"]]
    assert scores == sorted(scores, reverse=True)


def test_snippets_mark_the_words_and_hold_no_markup(reader):
    """Markup from the highlighter in a snippet, or a match marked at another place than the word."""
    items = reader.get("/v1/search", params={"q": "presses"}).json()["items"]
    snippet = next(each for each in items if BY_ID[each["message_id"]] == "hostile")["snippet"]
    assert [snippet["text"][start:end] for start, end in snippet["matches"]] == ["press"]
    assert "<b>" not in snippet["text"]
    assert "\x02" not in snippet["text"]


@settings(max_examples=25, deadline=None)
@given(
    q=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60), typing=st.booleans()
)
def test_any_query_is_answered(shared_server, q, typing):
    """A query that breaks the text search syntax."""
    with shared_server.client() as client:
        assert client.get("/v1/search", params={"q": q, "typing": typing}).status_code == 200


@pytest.mark.parametrize(
    "q", ["it's", "a & b | !c", "'; drop table x; --", ":*", "foo:*", '"unclosed', "-", "ﬁ", "\\", "%", "_"]
)
@pytest.mark.parametrize("typing", [True, False])
def test_syntax_in_a_query_is_only_words(reader, q, typing):
    """Text search or SQL syntax from the box interpreted."""
    assert reader.get("/v1/search", params={"q": q, "typing": typing}).status_code == 200


@pytest.mark.parametrize(
    "error", [ModelFileError("the weights are gone"), ImportError("no onnxruntime"), OSError("disk")]
)
def test_without_an_encoder_the_search_is_by_words_and_says_so(serve, mailbox_id, error):
    """Search that fails, or silently gets worse, because a model file is missing."""
    calls = []

    def load():
        calls.append(1)
        raise error

    with serve(load_encoder=load).client() as client:
        for _ in range(2):
            body = client.get("/v1/search", params={"q": "lighthouse"}).raise_for_status().json()
            assert [BY_ID[each["message_id"]] for each in body["items"]] == ["old"]
            assert body["is_by_meaning"] is False
            assert str(error) in body["why_not"]
    assert len(calls) == 1


def test_a_wrong_encoder_setting_is_told(database_url, mailbox_id):
    """A mistyped setting that turns half of search off without a word."""
    running = start(make_engine(database_url, "api"), load_encoder=None, encoder="miniml")
    try:
        with running.server.client() as client:
            assert 'no encoder called "miniml"' in client.get("/v1/search", params={"q": "x"}).json()["why_not"]
    finally:
        running.stop()


def test_vectors_of_another_model_are_not_compared(serve, mailbox_id):
    """Distances between vectors of two models, which mean nothing."""

    class Other(WordEncoder):
        model = f"{MODEL}-other"

    with serve(load_encoder=Other).client() as client:
        items = client.get("/v1/search", params={"q": "They came out well!"}).json()["items"]
    assert all("meaning" not in each["matched_by"] for each in items)
