"""GET /v1/projects and GET /v1/projects/{project_id}."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter
from sqlalchemy import RowMapping

from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.problems import not_found
from rl_emails_api.projects import queries
from rl_emails_api.projects.schemas import OtherMailbox, Project, ProjectItem, Projects, ProjectThread
from rl_emails_api.schemas import Address, When
from rl_emails_api.tasks import queries as tasks
from rl_emails_api.tasks.rows import task
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["projects"], dependencies=[needs("mail:read")])

_KEY: TypeAdapter[tuple[When, UUID]] = TypeAdapter(tuple[When, UUID])


@router.get("/v1/projects", summary="Projects, latest first")
def get_projects(
    transaction: Transaction, mailbox: ChosenMailbox, limit: Limit = 50, cursor: Cursor = None
) -> Projects:
    """Conversations that belong together, the project with the latest message first."""
    rows = queries.listed(transaction, mailbox.mailbox_id, decode_cursor(cursor, "last_at", _KEY), limit + 1)
    page = rows[:limit]
    names = queries.names(transaction, mailbox.mailbox_id, sorted({each for row in page for each in row["people"]}))
    work = queries.open_work(transaction, mailbox.mailbox_id, [row["project_id"] for row in page])
    next_cursor = None
    if len(rows) > limit:
        next_cursor = encode_cursor("last_at", (page[-1]["last_at"], page[-1]["project_id"]))
    return Projects(items=[_item(row, names, work) for row in page], next_cursor=next_cursor)


@router.get("/v1/projects/{project_id}", summary="A project with its conversations and tasks")
def get_project(transaction: Transaction, mailbox: ChosenMailbox, project_id: UUID) -> Project:
    """One project."""
    row = queries.by_id(transaction, mailbox.mailbox_id, project_id)
    if row is None:
        raise not_found("project")
    names = queries.names(transaction, mailbox.mailbox_id, row["people"])
    work = queries.open_work(transaction, mailbox.mailbox_id, [project_id])
    proofs = queries.messages_with_tasks(transaction, mailbox.mailbox_id, project_id)
    threads = queries.threads(transaction, mailbox.mailbox_id, project_id)
    return Project(
        **_item(row, names, work).model_dump(),
        threads=[ProjectThread(**thread) for thread in threads],
        tasks=[task(row) for row in tasks.of_messages(transaction, mailbox.mailbox_id, proofs)],
        also_in=[OtherMailbox(**other) for other in queries.in_other_mailboxes(transaction, mailbox.mailbox_id, row)],
    )


def _item(row: RowMapping, names: dict[str, str], work: Mapping[UUID, RowMapping]) -> ProjectItem:
    people = [Address(name=names.get(address, ""), address=address) for address in row["people"]]
    found = work.get(row["project_id"])
    return ProjectItem(
        **{
            **row,
            "people": people,
            "open_task_count": found["open_task_count"] if found else 0,
            "deadlines": found["deadlines"] if found else [],
        }
    )
