"""What search answers with."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from rl_emails_api.schemas import Address, Category, Needs


class Snippet(BaseModel):
    """Where in a message the words are."""

    text: str = Field(description="Plain text on one line.", examples=["…approve the revised quote before noon…"])
    matches: list[tuple[int, int]] = Field(
        description="Where in it the words are: from, until before; in characters (Unicode code points).",
        examples=[[[21, 26]]],
    )


class Found(BaseModel):
    """A message that matches."""

    message_id: UUID
    thread_id: UUID
    from_: Address = Field(serialization_alias="from")
    subject: str
    received_at: datetime
    snippet: Snippet
    score: float | None = Field(
        description="Only its order means something; null when nothing but conditions was asked for."
    )
    matched_by: list[Literal["words", "meaning"]]
    priority: float | None
    category: Category | None
    needs: Needs | None

    @classmethod
    def from_row(cls, row: RowMapping, snippet: Snippet) -> Self:
        """A match from a row of a search."""
        matched_by: list[Literal["words", "meaning"]] = ["words"] if row["has_words"] else []
        if row["has_meaning"]:
            matched_by.append("meaning")
        same = ("message_id", "thread_id", "subject", "received_at", "score", "priority", "category", "needs")
        return cls(
            from_=Address(name=row["from_name"], address=row["from_address"]),
            snippet=snippet,
            matched_by=matched_by,
            **{name: row[name] for name in same},
        )


class SearchResult(BaseModel):
    """One page of matches."""

    query: str
    items: list[Found]
    next_cursor: str | None
    matched_count: int | None = Field(
        description="Messages with all the words, counted up to 500; null when nothing but conditions was asked for."
    )
    notes: list[str] = Field(
        description="What of the query was not understood, or was read in one of two ways; for a person.",
        examples=[["before:soon was searched as text. It needs a day such as 2026-11-23, yesterday or 7d."]],
    )
    is_by_meaning: bool = Field(description="Vectors were searched too; false means words and conditions only.")
    why_not: str = Field(description="Why vectors were not searched; '' when they were, or need not be.")


class Suggestion(BaseModel):
    """A way to go on typing."""

    kind: Literal["person", "thread", "operator"]
    text: str = Field(description="What the box holds when it is chosen.", examples=["budget from:ada@example.org "])
    label: str = Field(description="A name, a subject, an operator.", examples=["Ada Lovelace"])
    detail: str = Field(description="The address, or what the operator does; ''.", examples=["ada@example.org"])
    thread_id: UUID | None = Field(default=None, description="The conversation, of kind thread.")


class Suggestions(BaseModel):
    """Ways to go on typing, the likeliest of each kind first."""

    items: list[Suggestion]
