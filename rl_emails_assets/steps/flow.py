"""The steps in the order of the graph, for whoever runs them without Dagster: benchmarks and tests."""

from collections.abc import Callable

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.steps import (
    classifications_messages,
    classifications_opinions,
    embeddings_messages,
    entities_people,
    entities_projects,
    entities_tasks,
    mail_messages,
    mailboxes_watches,
    priorities,
    raw_messages,
    signals,
    summaries,
)
from rl_emails_assets.steps.context import StepContext, StepResult

STEPS: dict[keys.AssetKeyPath, Callable[[StepContext], StepResult]] = {
    keys.RAW_MESSAGES: raw_messages.run,
    keys.MAIL_MESSAGES: mail_messages.run,
    keys.MAIL_THREADS: summaries.run_threads,
    keys.MAIL_CONTACTS: summaries.run_contacts,
    keys.SIGNALS_MESSAGES: signals.run_messages,
    keys.CLASSIFICATIONS_OPINIONS: classifications_opinions.run,
    keys.CLASSIFICATIONS_MESSAGES: classifications_messages.run,
    keys.ENTITIES_TASKS: entities_tasks.run,
    keys.PRIORITIES_MESSAGES: priorities.run_messages,
    keys.PRIORITIES_THREADS: priorities.run_threads,
    keys.MAILBOXES_WATCHES: mailboxes_watches.run,
    keys.SIGNALS_CONTACTS: signals.run_contacts,
    keys.EMBEDDINGS_MESSAGES: embeddings_messages.run,
    keys.ENTITIES_PROJECTS: entities_projects.run,
    keys.ENTITIES_PEOPLE: entities_people.run,
}
"""What the inbox shows comes first. Search, projects, people and the watch follow; some of that takes seconds."""


def run_flow(step: StepContext) -> dict[keys.AssetKeyPath, StepResult]:
    """Run every step on one mailbox, in order."""
    return {key: run(step) for key, run in STEPS.items()}
