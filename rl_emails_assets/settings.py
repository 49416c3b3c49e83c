"""Every setting of rl-emails, typed. Entry points read them once; nothing reads them at import."""

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

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


OIDC_ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Signatures with a public key; never `none`, and no shared secrets."""


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
    keep_changes_days: float = Field(
        default=30, gt=0, description="How long the change feed remembers; an older cursor has to begin anew."
    )

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

    rate_limit_a_minute: int = Field(
        default=1200,
        ge=1,
        description="Requests that one API key or signed-in person may make in a minute, of each process of the API; "
        "the local token is not counted.",
    )
    rate_limit_address_a_minute: int = Field(
        default=6000,
        ge=1,
        description="Requests that one network address (for IPv6 a /64) may make in a minute, of each process of the "
        "API; this machine's own is not counted.",
    )
    rate_limit_failed_sign_ins_a_minute: int = Field(
        default=30,
        ge=1,
        description="Wrong credentials that one network address may send in a minute, of each process of the API, "
        "before all of its credentials are refused unseen.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="Addresses and networks of the proxies before the API, separated by commas, whose X-Forwarded-For "
        "and X-Forwarded-Proto are believed. Empty: nobody's.",
    )
    webhooks_to_private_addresses: bool = Field(
        default=False,
        description="Whether webhooks may be sent to private addresses, and without TLS: for programs on this machine "
        "or in its own network, where everybody who may make a webhook is trusted with that network.",
    )
    remote_images: bool = Field(
        default=True,
        description="Whether a reader may ask for a message's remote images; false: nothing is ever fetched for them.",
    )
    remote_images_proxy: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RL_EMAILS_REMOTE_IMAGES_PROXY", "HTTPS_PROXY"),
        description="The HTTP proxy that remote images are fetched through; HTTPS_PROXY unless set. Addresses cannot "
        "be checked through it, so it is used only if the next setting says that it checks them.",
    )
    remote_images_proxy_filters: bool = Field(
        default=False,
        description="That proxy refuses to connect to private addresses. Without this no remote image is fetched "
        "where a proxy is set.",
    )

    oidc_issuer: str | None = Field(
        default=None,
        description="Who signs people in, exactly as in the `iss` of its tokens, as https://clerk.example.org. Unless "
        "this is set the local access token is the only way in.",
    )
    oidc_kind: Literal["oidc", "clerk"] = Field(
        default="oidc", description="clerk reads Clerk's claims, session cookie, webhooks and Backend API."
    )
    oidc_client_id: str | None = Field(
        default=None, description="The client that browsers sign in with here (authorization code flow with PKCE)."
    )
    oidc_client_secret: str | None = Field(default=None, description="Its secret; public clients have none.")
    oidc_scopes: str = Field(default="openid email profile", description="What a sign-in asks for.")
    oidc_audience: str | None = Field(
        default=None, description="The `aud` that a bearer token (JWT) must have; none is asked for unless set."
    )
    oidc_authorized_parties: str = Field(
        default="",
        description="The `azp` that bearer tokens may have, separated by commas: origins for Clerk, else client ids. "
        "Unless this or the audience is set, no bearer token is believed.",
    )
    oidc_algorithms: str = Field(
        default="RS256", description="What tokens may be signed with: RS256, ES256, EdDSA, separated by commas."
    )
    oidc_leeway_seconds: float = Field(
        default=5, ge=0, le=60, description="How far the issuer's clock and ours may be apart."
    )
    oidc_organization_claim: str = Field(
        default="org_id", description="The claim with the id of the organization; without it a person is on their own."
    )
    oidc_organization_name_claim: str = Field(default="org_name", description="The claim with its name.")
    oidc_role_claim: str = Field(default="org_role", description="The claim with the role in it.")
    oidc_roles: dict[str, str] = Field(
        default_factory=lambda: {"owner": "owner", "admin": "admin", "member": "member", "basic_member": "member"},
        description="The issuer's roles (without org:) and ours, as JSON; whatever is not named is a member.",
    )
    oidc_first_member_is_owner: bool = Field(
        default=True,
        description="Whether the first administrator of an organization that has no owner becomes its owner; the "
        "first member where the issuer tells no roles.",
    )
    keep_local_token: bool = Field(
        default=False, description="Whether the local access token still opens everything when an issuer is set."
    )
    sign_in_url: str | None = Field(
        default=None, description="Where browsers sign in when there is no client id, as Clerk's account portal."
    )
    session_days: float = Field(default=30, gt=0, le=365, description="How long a sign-in lasts at most.")
    session_idle_days: float = Field(default=7, gt=0, le=365, description="How long it lasts without being used.")
    clerk_webhook_secrets: str = Field(
        default="",
        description="Signing secrets of Clerk's webhook (whsec_...); two, separated by a comma, while one is changed.",
    )
    clerk_secret_key: str | None = Field(
        default=None, description="Clerk's secret key (sk_...); with it people and memberships are compared each hour."
    )
    clerk_api_url: str = Field(default="https://api.clerk.com/v1", description="Clerk's Backend API.")

    @model_validator(mode="after")
    def _a_model_has_its_price(self) -> Self:
        if self.language_model and None in (self.language_model_input_usd, self.language_model_output_usd):
            raise ValueError(
                f"what {self.language_model} costs is not set, so its cost cannot be capped: set "
                "RL_EMAILS_LANGUAGE_MODEL_INPUT_USD and RL_EMAILS_LANGUAGE_MODEL_OUTPUT_USD (dollars for a million "
                "tokens), 0 for a model of your own"
            )
        return self

    @model_validator(mode="after")
    def _an_issuer_is_pinned(self) -> Self:
        if self.oidc_issuer is None:
            return self
        unknown = set(self.oidc_algorithm_list) - set(OIDC_ALGORITHMS)
        if unknown or not self.oidc_algorithm_list:
            raise ValueError(f"RL_EMAILS_OIDC_ALGORITHMS must be some of {', '.join(OIDC_ALGORITHMS)}")
        issuer = urlsplit(self.oidc_issuer)
        is_here = issuer.hostname in ("localhost", "127.0.0.1", "::1")
        if issuer.scheme != "https" and not (issuer.scheme == "http" and is_here):
            raise ValueError("RL_EMAILS_OIDC_ISSUER must begin with https://")
        if not (self.oidc_client_id or self.oidc_audience or self.oidc_authorized_party_list):
            raise ValueError(
                "an issuer alone tells nothing of whom its tokens are for: set RL_EMAILS_OIDC_CLIENT_ID, "
                "RL_EMAILS_OIDC_AUDIENCE or RL_EMAILS_OIDC_AUTHORIZED_PARTIES"
            )
        if self.oidc_kind == "clerk" and not self.oidc_authorized_party_list:
            raise ValueError(
                "Clerk's tokens name the page they were made for: set RL_EMAILS_OIDC_AUTHORIZED_PARTIES to its "
                "origins, as https://mail.example.org"
            )
        if set(self.oidc_roles.values()) - {"owner", "admin", "member"}:
            raise ValueError("RL_EMAILS_OIDC_ROLES must lead to owner, admin or member")
        return self

    @property
    def oidc_algorithm_list(self) -> tuple[str, ...]:
        """What tokens may be signed with."""
        return _words(self.oidc_algorithms)

    @property
    def oidc_authorized_party_list(self) -> tuple[str, ...]:
        """The `azp` that bearer tokens may have."""
        return _words(self.oidc_authorized_parties)

    @property
    def clerk_webhook_secret_list(self) -> tuple[str, ...]:
        """The secrets that Clerk's webhooks may be signed with."""
        return _words(self.clerk_webhook_secrets)

    @property
    def allows_local_token(self) -> bool:
        """Whether the local access token opens anything."""
        return self.oidc_issuer is None or self.keep_local_token

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


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
