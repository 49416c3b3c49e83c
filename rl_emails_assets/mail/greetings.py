"""The line with which a mail greets its reader: "Dear Ann,", "Guten Tag Frau Beispiel", "お世話になっております。"."""

import re

from rl_emails_assets.mail.zone_patterns import lowered, words_of

_LONGEST_GREETING = 60
"""Characters; a longer first line says something."""
_LINES_ABOVE = 3
"""Lines with text in which the greeting is looked for; a date or a name may stand above it."""
_MOST_NAMES = 6
_MOST_LOWER = 4
"""Words after "Dear" that need not be capitalized where a comma closes the line."""
_LONGEST_TITLE = 8
"""Characters of an abbreviation with its dot, "Dott.ssa"."""
_ENDS = " \t,.!:;，、。！：–—-"
_CLOSING = frozenset(",:!-–—，：！")
_CALLED = words_of(
    "all|there|team|everyone|everybody|folks|both|guys|again|and|sir|madam|or|friends|colleagues|zusammen|und|von|van"
    "|der|de|à|tous|toutes|et|todos|todas|a|y|e|tutti|allemaal|en|alla|alle|och|og|kaikki|pessoal|les|la|le"
)

_OPENING = re.compile(
    r"(?:hi|hiya|hello|hey|dear|greetings|howdy|good (?:morning|afternoon|evening|day)|morning|gentlemen|ladies"
    r"|to whom it may concern|sehr geehrte[rs]?|liebe[rs]?|hallo|guten (?:morgen|tag|abend)|moin|servus|grüß gott"
    r"|bonjour|bonsoir|salut|ch(?:er|ère|ers|ères)|madame,? monsieur|madame|monsieur|mesdames|messieurs|coucou"
    r"|hola|estimad[oa]s?|querid[oa]s?|buen(?:os|as) (?:días|dias|tardes|noches)|buen día|apreciad[oa]s?"
    r"|olá|oi|car[oa]s?|prezad[oa]s?|bom dia|boa (?:tarde|noite)|ilm[oa]s?\.?"
    r"|ciao|buongiorno|buonasera|gentil[ei]|gentilissim[oaie]|egregi[oa]?|spettabile|salve|cari"
    r"|beste|geachte|goede(?:morgen|middag|navond)|hoi|dag|lieve"
    r"|hej|hejsan|hei|halla|kære|kjære|bästa|käre|kära|god (?:morgon|morgen|dag|kväll|kveld|aften)|moi|terve|hyvä[ät]?"
    r"|cześć|dzień dobry|szanown[ayie]{1,2}|witam|drog[aiy]|drodzy"
    r"|здравствуйте|добрый (?:день|вечер)|доброе утро|привет|уважаем(?:ый|ая|ые)|дорог(?:ой|ая|ие)"
    r"|dobrý den|dobré ráno|ahoj|vážen[áýíé]|mil[áýíé]|zdravím"
    r"|merhaba|sayın|selam|sevgili|günaydın|iyi günler)(?![\w'’])"
)
_EAST_ASIAN = re.compile(
    r"(?:您好|你好|大家好|尊敬的.{1,30}|亲爱的.{1,20}|.{1,20}(?:您好|你好)"
    r"|お世話になって(?:おります|います)|いつも(?:大変)?お世話になって(?:おります|います)|お疲れ(?:様|さま)です"
    r"|こんにちは|おはようございます"
    r"|拝啓|.{1,30}(?:様|さま|さん|御中|殿|各位)"
    r"|안녕하세요|안녕하십니까|.{1,20}(?:님께|귀하|님 안녕하세요))[\s,.!:，。！：、]{0,3}$"
)
_NAMES_AFTER = re.compile(r"[\w.'’&/(), -]{0,50}[\s,.!:;，、。！：–—-]{0,4}$")
_NAME_ALONE = re.compile(r"[^\W\d_][\w.'’-]{0,20}(?: [^\W\d_][\w.'’-]{0,20}){0,2}\s?(?:,|--?|–|—|!)$")
"""A name with a comma: "Ann," or "Ann Mary -"."""
_NOT_NAMES = words_of(
    "thanks|thank|regards|best|cheers|sincerely|yes|no|ok|okay|sure|great|done|agreed|yep|nope|sorry|fyi|well|so|also"
    "|danke|merci|gracias|obrigado|obrigada|grazie|bedankt|tack|tak|takk|kiitos|ja|nein|oui|non|si|sí|note|hint"
    "|update|attached|congratulations|subject|agenda|summary|question|questions|ps|p.s"
)


def greeting_index(lines: list[str]) -> int | None:
    """The index of the greeting at the top of what a sender wrote; None when there is none."""
    seen = 0
    for index, raw in enumerate(lines):
        line = raw.strip()
        if not line:
            continue
        if _is_greeting(line, is_first=seen == 0):
            return index
        seen += 1
        if seen == _LINES_ABOVE or len(line) > _LONGEST_GREETING:
            return None
    return None


def _is_greeting(line: str, *, is_first: bool) -> bool:
    if len(line) > _LONGEST_GREETING:
        return False
    opening = _OPENING.match(lowered(line))
    if opening is not None:
        rest = line[opening.end() :]
        return _NAMES_AFTER.match(rest) is not None and _are_names(rest)
    if not line.isascii() and _EAST_ASIAN.match(line):
        return True
    if not is_first or _NAME_ALONE.match(line) is None:
        return False
    words = line.rstrip(",:!-–— ").split()
    return line[0].isupper() and words[0].casefold() not in _NOT_NAMES


def _are_names(rest: str) -> bool:
    """Whether only a few names follow "Dear", and no sentence."""
    called = rest.strip(_ENDS)
    words = called.replace(",", " ").split()
    if len(words) > _MOST_NAMES or any(word[-1] in ".!?" and len(word) > _LONGEST_TITLE for word in words[:-1]):
        return False
    if all(not word[0].islower() or word.casefold() in _CALLED for word in words):
        return True
    return len(words) <= _MOST_LOWER and "," not in rest.rstrip(_ENDS) and rest.rstrip()[-1:] in _CLOSING
