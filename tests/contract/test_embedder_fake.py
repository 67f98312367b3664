"""The fake embedder keeps the promises of an embedder."""

from __future__ import annotations

import pytest

from tests.contract.embedder_contract import EmbedderContract
from worker.embed.fake import FakeConfig, FakeEmbedder


class TestFakeEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> FakeEmbedder:
        return FakeEmbedder(FakeConfig())


class TestFakeEmbedderWithOddDimensions(EmbedderContract):
    @pytest.fixture(params=[3, 32, 1000])
    def embedder(self, request: pytest.FixtureRequest) -> FakeEmbedder:
        return FakeEmbedder(FakeConfig.model_validate({"embedder.dimensions": request.param}))
