"""What search answers with."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from rl_emails_api.schemas import Address, Category, Needs
from rl_emails_api.search.queries import MATCH_START, MATCH_STOP


class SnippetPart(BaseModel):
    """A piece of a snippet."""

    text: str
    is_match: bool


class Found(BaseModel):
    """A message that matches."""

    message_id: UUID
    thread_id: UUID
    from_: Address = Field(serialization_alias="from")
    subject: str
    received_at: datetime
    snippet: list[SnippetPart]
    score: float = Field(description="Reciprocal rank fusion of the two lists; only its order means something.")
    matched_by: list[Literal["words", "meaning"]]
    priority: float | None
    category: Category | None
    needs: Needs | None

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        """A match from a row of the search query."""
        values = dict(row)
        has_words, has_meaning = values.pop("has_words"), values.pop("has_meaning")
        matched_by: list[Literal["words", "meaning"]] = ["words"] if has_words else []
        if has_meaning:
            matched_by.append("meaning")
        return cls(
            from_=Address(name=values.pop("from_name"), address=values.pop("from_address")),
            snippet=snippet_parts(values.pop("snippet")),
            matched_by=matched_by,
            **values,
        )


class SearchResult(BaseModel):
    """The best matches of a query."""

    query: str
    items: list[Found]
    is_by_meaning: bool = Field(description="Vectors were searched too; false means full text only.")
    why_not: str = Field(description="Why vectors were not searched; '' when they were.")


def snippet_parts(marked: str) -> list[SnippetPart]:
    """A snippet with matches between MATCH_START and MATCH_STOP, as parts."""
    parts: list[SnippetPart] = []
    for index, piece in enumerate(marked.split(MATCH_START)):
        match, stop, rest = piece.partition(MATCH_STOP)
        if index == 0 or not stop:
            match, rest = "", match + rest
        parts.extend(SnippetPart(text=each, is_match=hit) for each, hit in ((match, True), (rest, False)) if each)
    return parts
