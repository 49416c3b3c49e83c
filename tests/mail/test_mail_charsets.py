"""Bytes to text when charsets are missing, unknown or wrong; encoded words; what must never come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.mail.charsets import GuessBudget, clean, codec_name, decode_text
from rl_emails_assets.mail.encoded_words import decode_words
from rl_emails_assets.mail.limits import DefectLog

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 4
CHINESE = "我们明天上午在会议室讨论这个项目的预算和时间安排。" * 4


def decode(data: bytes, charset: str, guesses: int = 4) -> tuple[str, list[str]]:
    """The text and the codes of the defects."""
    log = DefectLog()
    return decode_text(data, charset, log, GuessBudget(guesses), "1"), [defect.code for defect in log.found]


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "codes"),
    [
        ("plain", "ascii", "utf-8", []),
        ("", "ascii", "utf-8", []),
        ("café", "utf-8", "utf-8", []),
        ("café", "utf-8", '"UTF-8"', []),
        ("café", "utf-8", "utf8*en", []),
        ("café “x”", "cp1252", "utf-8", ["charset-wrong"]),
        ("“quoted” – text", "cp1252", "iso-8859-1", []),
        ("café", "utf-8", "iso-8859-1", ["charset-wrong"]),
        ("café", "utf-8", "", []),
        ("café", "latin-1", "", ["charset-missing"]),
        ("café", "latin-1", "us-ascii", ["charset-missing"]),
        ("café", "latin-1", "x-unknown", ["charset-unknown", "charset-missing"]),
        ("Überprüfungsänderungsgebühröl", "utf-8", "gb2312", ["charset-wrong"]),
        (RUSSIAN, "koi8-r", "koi8-r", []),
        (RUSSIAN, "cp1251", "", ["charset-missing"]),
        (CHINESE, "gb18030", "gb2312", []),
        (CHINESE, "gb18030", "", ["charset-missing"]),
        ("㐀 in gb18030", "gb18030", "gb2312", []),
        ("日本語テスト", "iso2022_jp", "iso-2022-jp", []),
        ("日本語テスト", "iso2022_jp", "", []),
        ("日本語テスト", "shift_jis", "x-sjis", []),
        ("한국어", "cp949", "ks_c_5601-1987", []),
        ("été", "utf-7", "unicode-1-1-utf-7", []),
        ("été", "utf-16", "utf-16", []),
    ],
)
def test_text_is_read_in_the_charset_it_is_in(text: str, encoding: str, declared: str, codes: list[str]) -> None:
    assert decode(text.encode(encoding), declared) == (text, codes)


def test_a_few_broken_bytes_do_not_change_the_charset() -> None:
    text, codes = decode("naïve café déjà vu ".encode() + b"\xff", "utf-8")
    assert text == "naïve café déjà vu \ufffd"
    assert codes == ["charset-damaged"]
    text, codes = decode(CHINESE.encode("gb18030") + b"\xff\xff", "gb18030")
    assert text.startswith(CHINESE)
    assert codes == ["charset-damaged"]


def test_bytes_that_windows_1252_lacks_are_dropped() -> None:
    assert decode(b"caf\xe9 \x81\x93x\x94", "windows-1252")[0] == "café “x”"
    assert decode(b"\x98x\xe9", "windows-1251")[0].endswith("xй")


def test_guessing_stops_when_the_budget_is_spent() -> None:
    guessed, _ = decode(RUSSIAN.encode("cp1251"), "")
    spent, _ = decode(RUSSIAN.encode("cp1251"), "", guesses=0)
    assert guessed == RUSSIAN
    assert spent != RUSSIAN


@pytest.mark.parametrize(
    "name", ["idna", "unicode_escape", "base64", "rot13", "a" * 90, "../x", "", "hex", "a\0b", "x" * 30]
)
def test_what_is_no_charset_of_text_is_not_used(name: str) -> None:
    assert codec_name(name) == ""


def test_clean_text_can_be_stored() -> None:
    assert clean("a\x00b\x07c\td\n") == "abc\td\n"
    assert clean("é\x00\ud83d\ude00\ud800") == "é😀\ufffd"


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "utf-8", "utf-7", "utf-16", "gb2312", "koi8-r", "iso-2022-jp", "big5", "hz", "x"]),
)
def test_any_bytes_in_any_charset_become_text(data: bytes, charset: str) -> None:
    text = clean(decode(data, charset, guesses=0)[0])
    assert "\0" not in text
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("no words", "no words"),
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?Y2Fmw6k=?= bar", "café bar"),
        ("=?utf-8?b?w6k?=", "é"),
        ("=?utf-8?b?w6kx?=", "é1"),
        ("=?utf-8?b?w6kxM?=", "é1"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?utf-8?q?=C3=A9?=\r\n =?iso-8859-1?q?=E9?=", "éé"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("(=?utf-8?q?a_b?=)", "(a b)"),
        ("x=?utf-8*en?q?a?=y", "xay"),
        ("=?utf-8?q?a b?=", "a b"),
        ("=?utf-8?q?Are_you_there??=", "Are you there?"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
        ("=?a b?q?x?=", "=?a b?q?x?="),
        ("=? =?utf-8?q?a?=", "=? a"),
        ("=?iso-2022-jp?b?GyRCRnw=?= =?iso-2022-jp?b?GyRCS1w=?=", "日本"),
    ],
)
def test_encoded_words_are_read(value: str, expected: str) -> None:
    assert decode_words(value, DefectLog(), GuessBudget(0), "subject") == expected


@pytest.mark.parametrize("piece", ["=?", "=?utf-8?q?x", "=?utf-8?q?=C3?= ", "?=", "=?a?b?"])
def test_long_runs_of_word_pieces_end(piece: str) -> None:
    assert isinstance(decode_words(piece * 10_000, DefectLog(), GuessBudget(0), "subject"), str)
