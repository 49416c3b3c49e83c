"""What nine reply parsers expect of their own fixtures, where the fixtures do not say it themselves.

Facts read from the assertions of their test sources, as line numbers, as places in a file and as digests: no text of
theirs. `LINES` has for each file what its parser calls the lines: n is the reply, q quoted, s a signature, h hidden
(quoted or signature, the assertion does not tell which); "q7-" is line 7 to the end. A line that is named nowhere is
one that no assertion looks at. `DIGESTS` has `digest` of a whole expected text.
"""

from collections.abc import Mapping
from hashlib import sha256


def digest(text: str) -> str:
    """Of the text without its spaces, so that a converter's line breaks do not count."""
    return sha256("".join(text.split()).encode()).hexdigest()[:16]


_COMMON = "n1-5 h6-"
_GITHUB = {
    "correct_sig.txt": "n1 s3-",
    "email_1_1.txt": "n1-5 s7 s10-",
    "email_1_2.txt": "n1 q2-7 n9-34 q36-43 s48-",
    "email_1_4.txt": "n1 q3-",
    "email_1_5.txt": "n1-",
    "email_1_6.txt": "n1 q5-",
    "email_1_7.txt": "n1 q3-",
    "email_1_8.txt": "q1-11 n13 q15-17 n19 q21-33 s36-",
    "email_2_1.txt": "n1 h3-",
    "email_2_2.txt": "n1 h2-",
    "email_iPhone.txt": "n1 h3-",
    "email_one_is_not_on.txt": "n1-5 q7-",
    "email_sig_delimiter_in_middle_of_line.txt": "n1-",
    "greedy_on.txt": "n1-6 q8-",
}
LINES: Mapping[str, Mapping[str, str]] = {
    "github": {
        **_GITHUB,
        "email_1_3.txt": "n1-3 s5 q7-49 s52-",
        "email_BlackBerry.txt": "n1 h3-",
        "email_bullets.txt": "n1-9 h12-",
        "email_multi_word_sent_from_my_mobile_device.txt": "n1 h3-",
        "email_sent_from_my_not_signature.txt": "n1-",
    },
    "zapier": {
        **_GITHUB,
        "email_2_3.txt": "n1 h3-",
        "email_gmail.txt": "n1 h5-",
        "email_headers_no_delimiter.txt": "n1 h3-",
        "email_one_is_not_on.txt": "h7",
        "email_partial_quote_header.txt": "n1-5",
    },
    "willdurand": {
        **{f"email_{number}.txt": _COMMON for number in (*range(7, 19), 22, 23)},
        "correct_sig.txt": "n1 s3-",
        "sig_no_empty_line.txt": "n1 s2-",
        "email_1.txt": "n1-5 s7 s10-",
        "email_2.txt": "n1 q2-7 n9-34 q36-43 s48-",
        "email_2_1.txt": "n1 h3-",
        "email_3.txt": "n1-3 s5 q7-49 s52-",
        "email_4.txt": "n1 q3-",
        "email_5.txt": "n1-",
        "email_6.txt": "n1 q5-",
        "email_19.txt": "n1 q5-",
        "email_20.txt": "n1 q3-",
        "email_21.txt": "n1",
        "email_23_1.txt": "n1-7 h9-",
        "email_blackberry.txt": "n1 h3-",
        "email_bullets.txt": "n1-9 h12-",
        "email_custom_quote_header.txt": "n1 h3-",
        "email_customer_quote_header_2.txt": "n1 q5-",
        "email_customer_quote_header_3.txt": "n1-3 q5-",
        "email_iphone.txt": "n1 h3-",
        "email_ls-l.txt": "n1-28 s32-",
        "email_multi_word_sent_from_my_mobile_device.txt": "n1 h3-",
        "email_norwegian_gmail.txt": _COMMON,
        "email_one_is_not_on.txt": "n1-5 q7-",
        "email_sent_from_my_not_signature.txt": "n1-",
        "email_thread.txt": "n1 q3-",
        "email_unquoted_reply.txt": "n1 h3-",
        "email_with_date_headers.txt": "n1 h3-",
        "email_with_from_headers.txt": "h2-",
    },
    "crisp": {
        **{f"email_{number}.txt": _COMMON for number in (*range(7, 19), *range(22, 27))},
        **{
            f"email_{name}.txt": _COMMON
            for name in (
                "danish_dash_separator",
                "en_multiline_2",
                "finnish",
                "fr_multiline",
                "french_2",
                "french_dash_separator",
                "german",
                "german_2",
                "german_3",
                "german_outlook",
                "gmail_split_line_from",
                "ios_outlook",
                "ios_outlook_fr",
                "italian",
                "msn",
                "norwegian_gmail",
                "original_message",
                "original_message_2",
                "outlook_split_line_from",
                "portuguese",
                "russian",
                "tricky_5_mixed_languages",
                "tricky_10_special_chars_in_name",
                "tricky_12_no_space_after_header",
                "tricky_14_long_quote_header",
                "tricky_15_original_message_variations",
            )
        },
        "correct_sig.txt": "n1 s3-",
        "sig_no_empty_line.txt": "n1 s2-",
        "email_1.txt": "n1-7 h10-",
        "email_2.txt": "n1 q2-7 n9-34 q36-43 h48-",
        "email_3.txt": "n1-5",
        "email_4.txt": "n1 q3-",
        "email_5.txt": "n1-",
        "email_6.txt": "n1 q5-",
        "email_emoji.txt": "n1-",
        "email_not_a_signature.txt": "n1-",
        "email_not_a_signature_2.txt": "n1-",
        "email_one_is_not_on.txt": "n1-5 q7-",
        "email_reply_header.txt": "n1-9 q13-26",
        "email_sent_from.txt": "n1 h3-",
        "email_with_regards.txt": "n1-5 h7-",
        "email_zoho.txt": "n1-2 h4-",
        "email_tricky_1_on_false_positive.txt": "n1-",
        "email_tricky_2_url_with_wrote.txt": "n1-3",
        "email_tricky_3_code_block.txt": "n1-4",
        "email_tricky_6_regards_in_sentence.txt": "n1",
        "email_tricky_7_multiple_dashes.txt": "n1-3",
        "email_tricky_8_sent_from_in_content.txt": "n1",
        "email_tricky_9_nested_quotes.txt": "n1 h3-",
        "email_tricky_11_double_signature.txt": "n1 s7-8",
        "email_tricky_13_timestamp_variations.txt": "n1-",
        "email_tricky_16_unicode_signatures.txt": "n1",
        "email_tricky_17_forward_header.txt": "n1",
        "email_tricky_19_quote_without_header.txt": "n1",
        "email_tricky_20_html_entities.txt": "n1",
    },
}

FILLED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "email_with_date_headers.txt": (
        "[DATE]",
        (
            "On Tue, 2031-03-04 at 18:02 +0530, Ann Example wrote:",
            "2031-03-20 8:48 GMT+01:00 Ann Éxample <ann@x.test>:",
            "Le 19 mars 2031 10:37, Ann Exemple <ann@x.test> a écrit :",
            "El 19/03/2031 11:34, Ana Ejemplo <ana@x.test> escribió:",
            "W dniu 7 stycznia 2031 15:24 użytkownik Anna Przykład <anna@x.test> napisał:",
            "Le 19/03/2031 11:34, Ann Exemple a écrit :",
            "W dniu 2031-01-07 14:23, anna@x.test pisze: ",
            "Den 08/06/2031 kl. 21.21 skrev Anna Eksempel <anna@x.test>:",
            "Am 25.06.2031 um 10:55 schrieb Ann Beispiel:",
            "Ann Beispiel <ann@x.test> schrieb:",
            "在 2031年11月8日，下午2:23，例安 <ann@x.test> 写道：",
            "2031. 11. 8. 오후 12:39 안나 <anna@x.test> 작성:",
            "2031/11/08 14:26、例 安 <ann@x.test> のメッセージ:",
            "tir. 18. apr. 2031 kl. 13:09 skrev Anna Eksempel <anna@x.test>:",
        ),
    ),
    "email_with_from_headers.txt": (
        "[FROM]",
        tuple(f"{word}: Ann Example <ann@x.test>" for word in ("From", "De", "Van", "Da")),
    ),
}
"""Templates of willdurand's, with what their tests put into them; here lines of the same forms stand for those."""

TALON_REPLY = "185f8db32271fe25"
"""Digest of what each mail of talon's standard_replies says, where no file beside it says otherwise."""
TALON_HTML_REPLY = "183a81d308bde187"
"""Digest of what each mail of talon's html_replies says."""
TALON_OTHER_REPLIES: Mapping[str, str] = {
    "OLK_SRC_BODY_SECTION.html": "c253f451bdd56431",
    "reply-separated-by-hr.html": "27eaecec5e69b665",
}
QUOTEQUAIL: Mapping[str, tuple[str, str]] = {
    "apple_forward.html": ("e91027ccf1f77dcf", "0da43b7b99ea5f18"),
    "gmail_forward.html": ("e91027ccf1f77dcf", "def66249d9717793"),
    "apple_reply.html": ("0d749abe13775734", "7c3254266dd9ad96"),
    "gmail_reply.html": ("c3ab8ff13720e8ad", "a3df564137a2e802"),
}
"""Digests of what stands above the quote and of the quoted text without its header."""

PLACES: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "microsoft-namespaces.html": ((2360, 2386), (7835, 7863)),
    "office-365.html": ((696, 733), (2587, 2612)),
    "outlook-mixed.html": ((4420, 4453), (12784, 12831)),
}
"""Where planer's HTML files have characters that must be in the reply, and some that must not."""

REASONS: Mapping[tuple[str, str], str] = {
    **dict.fromkeys(
        (("crisp", "email_1.txt"), ("crisp", "email_3.txt")),
        "crisp keeps a name behind a dash; github, willdurand, zapier and talon call it a signature, and so do we",
    ),
    ("crisp", "email_emoji.txt"): "crisp keeps what stands below a dash; every other set calls it a signature",
    ("crisp", "email_not_a_signature.txt"): (
        "crisp keeps this sign-off and name; forge, talon and two other fixtures of crisp call the like a signature"
    ),
    ("forge", "P/160_body"): "a sign-off and all below it are the signature here; forge marks only the address",
    ("forge", "P/72_body"): "a legal notice in the middle, written in jest, is taken for the beginning of a footer",
    ("forge", "P/73_body"): "an office's name above two people is left in the text",
    ("nylas-mail", "email_1.html"): "nylas leaves the first line of the header block that it removes",
    ("nylas-mail", "email_5.html"): "nylas removes what the sender wrote, which shares an element with the quote",
    ("willdurand", "email_with_from_headers.txt"): (
        "one line with From and nothing else of a header block is text here: people write such lines"
    ),
    ("planer", "outlook-mixed.html"): (
        "the mail is a bare forward: planer shows what is forwarded as the reply, we say that the sender wrote nothing"
    ),
    ("talon", "reply-separated-by-hr.html"): (
        "talon drops the sender's name with the quote, because they share an element; we keep it"
    ),
}
"""Why our convention differs where a fixture is known to come out otherwise; it counts as wrong all the same."""
