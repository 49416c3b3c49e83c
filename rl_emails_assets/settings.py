"""Every setting of rl-emails, typed. Entry points read them once; nothing reads them at import."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """`~/.rl-emails`; for root `/var/lib/rl-emails`, where the unprivileged user that runs Postgres can reach it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/rl-emails")
    return Path.home() / ".rl-emails"


class Settings(BaseSettings):
    """Read from environment variables named `RL_EMAILS_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="RL_EMAILS_", extra="ignore", frozen=True)

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

    @property
    def cache_dir(self) -> Path:
        """Where unpacked programs and converted models are kept."""
        return self.cache if self.cache is not None else self.home / "cache"

    @property
    def models_dir(self) -> Path:
        """Where the encoder keeps the files that it makes."""
        return self.cache_dir / "models"
