"""Mail that speaks to a program instead of a person: it is not shown to a language model at all.

Signs, not proof: each has a weight, and from 1 on the message keeps its offline verdict. What is missed here meets the
bounds of merging.py. Looked for in the text as sent (hidden characters are a sign themselves) and as a reader sees it,
with look-alike letters, spelled-out spacing and simple codes undone.
"""

import base64
import binascii
import re
import unicodedata
from importlib.resources import files
from urllib.parse import unquote

import yaml

from rl_emails_assets.language_models.question import visible

MOST_CHARS = 20_000
_THRESHOLD = 1.0
_TAGS = re.compile("[\U000e0020-\U000e007f]")
_HIDDEN = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]")
_MOST_HIDDEN = 24
_CODE = re.compile(r"[A-Za-z0-9+/]{24,4000}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}\s?){24,2000}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}){6,}")
_SPACED = re.compile(r"(?:\b\w[ .\-_*]){7,}\w\b")
_LEET = str.maketrans("013457@$", "oieastas")
_CYRILLIC = str.maketrans("аеорсухіѕԁјһկ", "aeopcyxisdjhk")

_SIGNS: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (weight, re.compile(pattern, re.DOTALL))
    for weight, pattern in yaml.safe_load(
        files("rl_emails_assets.language_models").joinpath("injection_signs.yaml").read_text("utf-8")
    )
)


def speaks_to_a_program(subject: str, text: str) -> bool:
    """Whether the message holds an instruction to whatever program may read it."""
    written = f"{subject}\n{text}"[:MOST_CHARS]
    if _TAGS.search(written) or len(_HIDDEN.findall(written)) > _MOST_HIDDEN:
        return True
    return any(_weight(reading) >= _THRESHOLD for reading in _readings(written))


def _weight(text: str) -> float:
    return sum(weight for weight, pattern in _SIGNS if pattern.search(text))


def _readings(written: str) -> list[str]:
    """The text as seen, and as it reads with codes and disguises undone."""
    seen = _plain(visible(written))
    readings = [seen]
    undisguised = _plain(written.lower().translate(_CYRILLIC))
    if undisguised != seen:
        readings.append(undisguised)
    leet = seen.translate(_LEET)
    if leet != seen:
        readings.append(leet)
    if spaced := " ".join(re.sub(r"[ .\-_*]", "", match) for match in _SPACED.findall(seen)):
        readings.append(spaced)
    readings += [_plain(decoded) for decoded in _decoded(written)]
    turned = [line for line in seen.split("\n") if 20 < len(line) < 2000]
    readings += [_plain(line[::-1]) for line in turned[:50]]
    readings += [_plain(line.translate(_ROT13)) for line in turned[:50]]
    return readings


_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")


def _plain(text: str) -> str:
    """Lower case, without accents, on the shortest form of each letter."""
    split = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(one for one in split if not unicodedata.combining(one))
    # Decomposed Hangul and kana are put together again, as the patterns are written.
    return unicodedata.normalize("NFC", bare).replace("’", "'")


def _decoded(text: str) -> list[str]:
    found: list[str] = []
    for match in _CODE.findall(text)[:20]:
        try:
            found.append(base64.b64decode(match + "=" * (-len(match) % 4), validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEX.findall(text)[:20]:
        try:
            found.append(bytes.fromhex(match.strip()).decode("utf-8"))
        except (ValueError, UnicodeDecodeError):
            continue
    if _PERCENT.search(text):
        found.append(unquote(text, errors="replace"))
    return found
