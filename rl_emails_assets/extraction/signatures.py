"""What a signature says about its writer: name, title, organization and phone."""

import re
from dataclasses import dataclass

_MAX_LINES = 14
_MAX_LINE_CHARS = 120

_TITLE = re.compile(
    r"\b(?:manager|director|president|vp|svp|evp|ceo|cfo|cto|coo|cio|chief|head of|officer|engineer"
    r"|developer|analyst|consultant|associate|partner|assistant|secretary"
    r"|counsel|attorney|lawyer|professor|lecturer|researcher|scientist|administrator|coordinator"
    r"|specialist|architect|designer|accountant|controller|treasurer|trader"
    r"|founder|owner|editor|journalist|producer|principal|supervisor|representative|recruiter"
    r"|advisor|adviser|intern|student|teacher|nurse|physician|fellow|lead"
    r"|geschäftsführer(?:in)?|leiter(?:in)?|vorstand|referent(?:in)?|directeur|directrice|responsable"
    r"|ingénieur|gérant|gerente|directora?|ingenier[oa])\b",
    re.IGNORECASE,
)
_ORGANIZATION = re.compile(
    r"\b(?:inc|llc|llp|ltd|limited|corp|corporation|company|co|gmbh|ag|kg|ug|s\.?a\.?r?\.?l?"
    r"|s\.?l|plc|b\.?v|pty|group|holdings|partners|associates|university|universität|université"
    r"|universidad"
    r"|institute|institut|college|school|department|bank|foundation|ministry|hospital|labs?"
    r"|laborator(?:y|ies)|services|solutions|technologies|systems|energy|consulting|capital"
    r"|trading|north america)\b\.?",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w./-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{2,5}(?:[\s./-]\d{2,5}){1,4}(?!\w)")
_PHONE_LABEL = re.compile(
    r"\b(?:tel|telefon|téléphone|teléfono|phone|ph|office|direct|mobile|mobil|cell|handy|móvil"
    r"|work|t|m|p|o|d|c)\b\.?\s?[:.)]?",
    re.IGNORECASE,
)
_FAX_LABEL = re.compile(r"\b(?:fax|f|telefax)\b\.?\s?[:.)]?\s{0,3}$", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"[@\d:;/\\<>|_=*#]|\b(?:regards|best|thanks|thank|sincerely|cheers|yours|grüße|grüßen|gruß"
    r"|cordialement|saludos|merci|danke|sent|from|iphone|visit)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s{0,3}(?:\||•|·|\s-\s|,\s|\s/\s)\s{0,3}")
_FILLER = re.compile(r"^[\s\-_=*~#>|]{0,80}|[\s\-_=*~#>|,]{0,80}$")


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """What the signature says; "" for what it does not."""

    name: str = ""
    title: str = ""
    organization: str = ""
    phone: str = ""


def signature_facts(signature: str, from_name: str) -> SignatureFacts:
    """The facts in one signature block. `from_name` is the name in the From header: the line that repeats it is the
    name."""
    lines = [_FILLER.sub("", line[:_MAX_LINE_CHARS]).strip() for line in signature[: _MAX_LINES * 400].split("\n")]
    lines = [line for line in lines if line][:_MAX_LINES]
    wanted = name_key(from_name)
    name = title = organization = ""
    for index, line in enumerate(lines):
        pieces = [piece.strip() for piece in _SEPARATOR.split(line) if piece.strip()][:6]
        for position, piece in enumerate(pieces):
            if (
                not name
                and _is_name(piece)
                and (
                    name_key(piece) == wanted
                    or (not wanted and index < 2 and position == 0 and len(piece.split()) == 2)
                )
            ):
                name = piece
            elif not title and _is_title(piece):
                title = piece
            elif not organization and _is_organization(piece):
                organization = piece
    return SignatureFacts(name, title, organization.rstrip(","), _phone(lines))


def name_key(name: str) -> tuple[str, ...]:
    """A full name's words, sorted, lower case, without initials and additions: equal for "Last, First M." and "First
    Last". Empty for a single word, which names nobody for certain."""
    words = re.findall(
        r"[^\W\d_][^\W\d_'’-]{0,30}(?:['’-][^\W\d_]{1,30})?", re.sub(r"\([^)]{0,60}\)|\"[^\"]{0,60}\"", " ", name[:120])
    )
    kept = sorted({word.lower() for word in words if len(word) > 1} - _NAME_ADDITIONS)
    return tuple(kept) if len(kept) >= 2 else ()


_NAME_ADDITIONS = frozenset("dr mr mrs ms prof jr sr phd md esq ii iii iv mba cpa ing dipl via on behalf of".split())  # noqa: SIM905


def _is_name(piece: str) -> bool:
    words = piece.split()
    return (
        1 < len(words) <= 5
        and not _NOT_A_NAME.search(piece)
        and all(word[0].isupper() or len(word) < 4 for word in words)
    )


def _is_title(piece: str) -> bool:
    return (
        len(piece) <= 70
        and len(piece.split()) <= 8
        and bool(_TITLE.search(piece))
        and not re.search(r"[@\d]|[.!?]$", piece)
    )


def _is_organization(piece: str) -> bool:
    words = piece.split()
    return (
        len(piece) <= 60 and 1 <= len(words) <= 7 and piece[0].isupper() and bool(_ORGANIZATION.search(piece))
        and len(_ORGANIZATION.sub("", piece).strip(" .,&")) > 1 and not re.search(r"[@!?:]|\d{3}", piece)
    )  # fmt: skip


def _phone(lines: list[str]) -> str:
    """The first number that is not a fax; a labelled one goes before a bare one."""
    bare = ""
    for line in lines:
        for match in _PHONE.finditer(line):
            number = match.group().strip()
            digits = sum(character.isdigit() for character in number)
            lead = line[max(0, match.start() - 14) : match.start()]
            if not 7 <= digits <= 15 or _FAX_LABEL.search(lead):
                continue
            if _PHONE_LABEL.search(lead):
                return number
            if not bare and digits >= 9:
                bare = number
    return bare
