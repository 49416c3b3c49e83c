"""Every setting of rl-emails, typed. Entry points read them once; nothing reads them at import."""

import os
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """`~/.rl-emails`; for root `/var/lib/rl-emails`, where the unprivileged user that runs Postgres can reach it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/rl-emails")
    return Path.home() / ".rl-emails"


GMAIL_COSTS = {
    "getProfile": 1,
    "history.list": 2,
    "labels.list": 1,
    "messages.get": 20,
    "messages.list": 5,
    "stop": 50,
    "watch": 100,
}
"""Quota units by method, for projects made since May 2026 (Gmail's usage limits page, September 2026)."""


class Settings(BaseSettings):
    """Read from environment variables named `RL_EMAILS_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="RL_EMAILS_", extra="ignore", frozen=True, populate_by_name=True)

    home: Path = Field(default_factory=default_home, description="The folder that holds all state.")
    cache: Path | None = Field(
        default=None,
        description="Where unpacked programs and converted models are kept; `cache` in the home folder unless set.",
    )
    database_url: str | None = Field(
        default=None,
        description="A Postgres 15+ with pgvector, as postgresql://user:password@host:port/name; embedded unless set.",
    )
    dagster_database_url: str | None = Field(
        default=None,
        description="Dagster's own database; beside the product's, its name ending in `_dagster`, unless set.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API and the page listen on.")
    port: int = Field(default=8025, ge=0, le=65535, description="Port of the API and the page; 0 takes a free one.")
    dagster_port: int = Field(default=3000, ge=0, le=65535, description="Port of the Dagster UI; 0 takes a free one.")
    encoder: str = Field(default="minilm", description="minilm, or sentence-transformers[:model] with the torch extra.")
    token: str | None = Field(
        default=None, description="The local access token; made and kept in the home folder unless set."
    )
    message_max_bytes: int = Field(
        default=50 * 1024 * 1024, gt=0, description="A larger message becomes a gap instead of a row."
    )
    batch_size: int = Field(default=500, gt=0, description="Messages a step reads, computes and commits at a time.")

    public_url: str | None = Field(
        default=None,
        description="Where browsers and Google reach the API from outside, as https://mail.example.org; "
        "`http://127.0.0.1:<port>` unless set.",
    )
    secret_keys: str | None = Field(
        default=None,
        description="Keys that encrypt tokens at rest: base64 of 32 bytes each, separated by commas. The first "
        "encrypts, all decrypt. Made and kept in the home folder unless set.",
    )
    ca_bundle: Path | None = Field(
        default=None, description="A PEM file of certificate authorities to trust instead of the usual ones."
    )
    worker_slots: int = Field(
        default=1,
        ge=0,
        le=64,
        description="Runs that one worker executes at a time; with 0 `up` starts no worker, which saves about 280 MiB "
        "and costs each run seconds.",
    )

    google_client_id: str | None = Field(default=None, description="The OAuth client of your Google Cloud project.")
    google_client_secret: str | None = Field(default=None, description="Its secret.")
    google_auth_url: str = Field(
        default="https://accounts.google.com/o/oauth2/v2/auth", description="Where people grant access."
    )
    google_token_url: str = Field(
        default="https://oauth2.googleapis.com/token", description="Where codes and refresh tokens are exchanged."
    )
    google_revoke_url: str = Field(
        default="https://oauth2.googleapis.com/revoke", description="Where grants are revoked."
    )
    google_certs_url: str = Field(
        default="https://www.googleapis.com/oauth2/v3/certs", description="The keys (JWKS) that sign pushes."
    )
    google_issuer: str = Field(default="https://accounts.google.com", description="Who signs pushes.")
    gmail_api_url: str = Field(default="https://gmail.googleapis.com", description="The Gmail API.")
    gmail_batch_url: str = Field(
        default="https://gmail.googleapis.com/batch/gmail/v1", description="Where several calls are sent as one."
    )
    gmail_topic: str | None = Field(
        default=None,
        description="The Pub/Sub topic that Gmail publishes to, as projects/P/topics/T; mail is polled for if unset.",
    )
    gmail_push_audience: str | None = Field(
        default=None, description="The audience of the push subscription's tokens; pushes are refused without one."
    )
    gmail_push_service_account: str | None = Field(
        default=None, description="The service account that signs the push subscription's tokens."
    )
    gmail_quota_units_per_minute: int = Field(
        default=6000,
        gt=0,
        description="Units a mailbox may spend in a minute; 15000 for projects older than May 2026.",
    )
    gmail_quota_reserve: float = Field(
        default=0.25, ge=0, lt=1, description="Share of the bucket that a sync leaves to calls somebody waits for."
    )
    gmail_quota_costs: dict[str, int] = Field(
        default_factory=lambda: dict(GMAIL_COSTS),
        description="Units by method, as JSON; what is not named keeps its default.",
    )
    gmail_batch_size: int = Field(
        default=20, ge=1, le=100, description="Messages asked for in one batch at first; it adapts to refusals."
    )
    gmail_slice_messages: int = Field(
        default=250,
        gt=0,
        description="Messages of a first sync that one run fetches before it ranks them and lets another run go on.",
    )
    gmail_concurrency: int = Field(default=4, ge=1, description="Runs that may call Gmail at a time (a Dagster pool).")
    model_concurrency: int = Field(
        default=2, ge=1, description="Runs that may compute with a model at a time (a Dagster pool)."
    )
    poll_seconds: int = Field(default=60, ge=10, description="How often a mailbox without a live watch is looked at.")
    push_poll_seconds: int = Field(
        default=600, ge=60, description="How long a mailbox with a live watch may be silent before it is looked at."
    )
    behind_seconds: int = Field(
        default=900, ge=60, description="A mailbox that has not been synced for longer is reported as behind."
    )
    full_sync_days: float = Field(
        default=7, gt=0, description="How often a mailbox is compared with its whole listing."
    )
    keep_runs_days: float = Field(default=14, gt=0, description="How long Dagster keeps runs that succeeded.")
    keep_failed_runs_days: float = Field(default=60, gt=0, description="How long Dagster keeps other runs.")
    keep_requests_days: float = Field(default=7, gt=0, description="How long ended sync requests are kept.")

    language_model: str | None = Field(
        default=None,
        description="A model behind an OpenAI-compatible endpoint that is asked where the offline engine is unsure. "
        "Unless this is set no mail leaves the machine, whatever keys there are.",
    )
    openai_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RL_EMAILS_OPENAI_URL", "OPENAI_BASE_URL"),
        description="The endpoint, as http://127.0.0.1:11434/v1; OPENAI_BASE_URL, then OpenAI's own, unless set.",
    )
    openai_key: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RL_EMAILS_OPENAI_KEY", "OPENAI_API_KEY"),
        description="Its key; OPENAI_API_KEY unless set. Local servers need none.",
    )
    language_model_input_usd: float | None = Field(
        default=None, ge=0, description="Dollars for a million tokens sent to it; 0 for a model of your own."
    )
    language_model_output_usd: float | None = Field(
        default=None, ge=0, description="Dollars for a million tokens that it answers."
    )
    language_model_mailbox_usd_a_day: float = Field(
        default=0.10, ge=0, description="The most that questions about one mailbox may cost on a day (UTC)."
    )
    language_model_organization_usd_a_day: float = Field(
        default=1.00, ge=0, description="The most that questions about all mailboxes may cost on a day (UTC)."
    )
    language_model_organization_usd_a_month: float = Field(
        default=10.00, ge=0, description="The same for a calendar month."
    )
    language_model_confidence: float = Field(
        default=0.7, ge=0, le=1, description="A verdict that the offline engine is less sure of is asked about."
    )
    language_model_days: float = Field(
        default=3,
        ge=0,
        description="Mail that arrived longer ago is not asked about by itself, only by `rl-emails opinions --yes`.",
    )
    language_model_concurrency: int = Field(
        default=4, ge=1, le=64, description="Questions that one run asks at a time."
    )
    language_model_timeout_seconds: float = Field(default=20, gt=0, description="How long one answer is waited for.")
    language_model_seconds_a_run: float = Field(
        default=15,
        gt=0,
        description="For how long a run begins questions; the inbox waits for them. A later run goes on.",
    )

    @model_validator(mode="after")
    def _a_model_has_its_price(self) -> Self:
        if self.language_model and None in (self.language_model_input_usd, self.language_model_output_usd):
            raise ValueError(
                f"what {self.language_model} costs is not set, so its cost cannot be capped: set "
                "RL_EMAILS_LANGUAGE_MODEL_INPUT_USD and RL_EMAILS_LANGUAGE_MODEL_OUTPUT_USD (dollars for a million "
                "tokens), 0 for a model of your own"
            )
        return self

    @property
    def cache_dir(self) -> Path:
        """Where unpacked programs and converted models are kept."""
        return self.cache if self.cache is not None else self.home / "cache"

    @property
    def models_dir(self) -> Path:
        """Where the encoder keeps the files that it makes."""
        return self.cache_dir / "models"

    @property
    def api_url(self) -> str:
        """Where browsers reach the API, without a slash at its end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    def gmail_cost(self, method: str) -> int:
        """Quota units of one call of `method`, as in GMAIL_COSTS."""
        return self.gmail_quota_costs.get(method, GMAIL_COSTS[method])
