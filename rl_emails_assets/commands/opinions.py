"""`rl-emails opinions`: what asking a language model about a mailbox would cost, and asking it."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json
from rl_emails_assets.db.mailbox_rows import find_mailbox
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import classifications_opinions as step
from rl_emails_assets.steps.context import StepContext


def opinions(
    engine: Engine,
    settings: Settings,
    mailbox_name: str | None,
    *,
    since: datetime | None,
    until: datetime | None,
    is_asked: bool,
    is_json: bool,
) -> ExitCode:
    """Print the estimate; with `is_asked` put the questions down for the next run.

    Raises SettingsError where no model is set, NotFoundError for an unknown mailbox.
    """
    if not settings.language_model:
        raise SettingsError(
            "No language model is set, so nothing would be asked. Set RL_EMAILS_LANGUAGE_MODEL, its two prices and "
            "OPENAI_BASE_URL; see docs/how-to/use-a-language-model.md."
        )
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
    context = StepContext(engine=engine, mailbox_id=mailbox.mailbox_id, run_id="cli", settings=settings)
    found = step.estimate(context, since, until, is_wanted=is_asked)
    if is_json:
        print_json(asdict(found) | {"is_asked": is_asked, "model": settings.language_model})
        return ExitCode.OK
    out = console()
    out.print(
        f"{found.message_count} messages that the offline engine is unsure of, {found.question_count} of them different"
        f"; {found.not_shown_count} more speak to a program and are never shown to one."
    )
    out.print(
        f"About {found.input_tokens} tokens and {found.about_usd:.4f} dollars, {found.most_usd:.4f} at the very most."
    )
    out.print(
        f"Caps: {settings.language_model_mailbox_usd_a_day} a day for a mailbox, "
        f"{settings.language_model_organization_usd_a_day} a day and "
        f"{settings.language_model_organization_usd_a_month} a month for all. What passes them waits for the next day."
    )
    if is_asked:
        out.print("Put down: the next run asks, and later ones go on.")
    elif found.message_count:
        out.print("Nothing was sent. `--yes` asks.")
    return ExitCode.OK
