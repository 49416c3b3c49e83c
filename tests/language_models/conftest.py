"""A language model that stands in for one, and the settings that lead to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rl_emails_assets.settings import Settings
from tests.language_models.model_standin import ModelStandin, model_standin


@pytest.fixture
def model() -> Iterator[ModelStandin]:
    """A model of the test's own."""
    with model_standin() as standin:
        yield standin


@pytest.fixture
def with_model(settings: Settings, model: ModelStandin) -> Callable[..., Settings]:
    """The test's settings with the stand-in as its model, and anything else."""

    def make(**more: Any) -> Settings:
        given = {
            "language_model": "standin-1",
            "openai_url": model.url,
            "openai_key": "key-of-the-test",
            "language_model_input_usd": 1.0,
            "language_model_output_usd": 10.0,
            "language_model_timeout_seconds": 5.0,
        }
        return settings.model_copy(update=given | more)

    return make
