"""One converted model for all of these tests: conversion takes a second, and it is the same bytes every time."""

import pytest

from rl_emails_assets.embedding.minilm import MiniLmEncoder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def minilm(model_cache):
    return MiniLmEncoder(model_cache, workers=2)
