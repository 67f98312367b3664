"""The console's API over a shop in memory, asked without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from tests.unit.console.shop import Shop, open_shop
from worker.config.load_worker import load_worker
from worker.serving import application

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shop() -> Shop:
    return open_shop()


@pytest.fixture
def console(shop: Shop) -> Iterator[TestClient]:
    app = application(shop.herder, load_worker(environ={}).require(), environ={}, watcher=shop)
    yield TestClient(app, base_url="http://pod:8083", follow_redirects=False)
    app.close()
