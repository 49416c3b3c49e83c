"""Questions that one message puts to somebody: they ask for nothing but an answer, and make somebody wait for it.

What is a request ("can you send ...?") is a task and is found there. A question depends on its message alone.
"""

import re
from collections.abc import Collection

from rl_emails_assets.extraction.assignees import People
from rl_emails_assets.extraction.deadlines import deadlines_in
from rl_emails_assets.extraction.phrases import plain
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, split_sentences
from rl_emails_assets.extraction.task_input import TaskInput
from rl_emails_assets.extraction.task_wording import describe
from rl_emails_assets.extraction.tasks import MACHINE_CATEGORIES, Task, first_deadline

MAX_QUESTIONS = 3
MIN_CONFIDENCE = 0.5
_CONFIDENCE = 0.75
_MAX_CHARS = 300
"""A longer sentence with a question mark is a table, an address or several sentences without an end."""
_MAX_RECIPIENTS = 6
"""A question to more people than these is nobody's to answer."""

_QUESTION = re.compile(r"\?[\s?!\"'”’)\].]{0,6}$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NOT_ASKED = re.compile(
    r"^\W{0,4}(?:(?:hi|hello|hey|so|and|but|well|ok|okay|anyway)\b[ ,]{0,2}){0,2}(?:[\w'-]{1,15}, )?"
    r"(?:how (?:are|is|'s|have|was) (?:you|ya|everything|things|life|it going|the family|your (?:weekend|day|holidays?"
    r"|trip|vacation|christmas|family))|how(?:'s| is) it going|how do you do|what'?s (?:up|new)|how have you been"
    r"|you ok|are you (?:ok|well|kidding|serious)|is(?:n't| it not) (?:it|that|this)|who knew|who knows|guess what"
    r"|remember me)\b|^\W{0,4}(?:right|ok|okay|huh|eh|no|yes|really|seriously|what|why not|so what|deal|agreed"
    r"|see)\s?\?"
    r"|(?:,|-) (?:right|ok|okay|huh|eh|no|yes|don't you think|isn't it|aren't you|wasn't it)\s?\?"
    r"|\b(?:any|further|other|more) (?:questions|comments or questions|concerns)\b|having trouble|forgot your|need help"
    r"|\b(?:did you know|want to (?:unsubscribe|learn|know more|save)|tired of|looking for|ready to|interested in"
    r"|would you believe|can you (?:believe|imagine)|wie geht|comment (?:vas|allez|ça va)|ça va|qué tal|cómo estás)\b",
    re.IGNORECASE,
)
_URL_TAIL = re.compile(r"(?:https?://|www\.)\S{0,300}$", re.IGNORECASE)


def find_questions(message: TaskInput, tasks: Collection[Task]) -> tuple[Task, ...]:
    """The questions that a person's message asks of the owner, or the owner of others; at most MAX_QUESTIONS, in order.

    `tasks` are those found in the same message: their sentences are not questions as well.
    """
    if message.category in MACHINE_CATEGORIES or message.category == "suspicious" or message.needs == "nothing":
        return ()
    if len(message.to) + len(message.cc) > _MAX_RECIPIENTS:
        return ()
    taken = {task.evidence for task in tasks}
    sentences = split_sentences(message.new_text[:MAX_TEXT_CHARS])
    people = People(message)
    greeted = people.greeted(sentences[0].text) if sentences else None
    found: dict[str, Task] = {}
    for sentence in sentences:
        text = sentence.text
        if text in taken or not _is_question(text):
            continue
        assignee = people.asked(text, greeted)
        if assignee is None or assignee.owner == "someone_else" or assignee.address == message.from_address:
            continue
        confidence = round(_CONFIDENCE * assignee.factor, 4)
        if confidence < MIN_CONFIDENCE:
            continue
        words = describe(text, 0, other_name="", other_pronoun="me")
        found.setdefault(
            words.lower(),
            Task(
                "question",
                f"Answer: {words}?"[:200],
                assignee.owner,
                assignee.address,
                first_deadline(deadlines_in((sentence,), message.written_at)),
                text,
                confidence,
                sentence.start,
                sentence.end,
            ),
        )
        if len(found) >= MAX_QUESTIONS:
            break
    return tuple(found.values())


def _is_question(sentence: str) -> bool:
    if sentence[:1] == ">" or len(sentence) > _MAX_CHARS or not _QUESTION.search(sentence):
        return False
    text = plain(sentence)
    return len(_WORD.findall(text)) >= 2 and not _NOT_ASKED.search(text) and not _URL_TAIL.search(text)
