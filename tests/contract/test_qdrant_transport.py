"""What the Qdrant store makes of a connection that fails, and of answers that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.qdrant_engine import EdgeEngine
from tests.contract.qdrant_front import Fault, Front
from tests.contract.qdrant_rest import rest_server
from worker.errors import FatalError, RetriableError
from worker.store.qdrant import QdrantStore
from worker.store.qdrant_config import QdrantConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with rest_server(EdgeEngine(tmp_path)) as running:
        yield running


def opened(front: Front, **others: object) -> QdrantStore:
    keys = {"store.index": "shop", "store.create": True, "store.url": front.url}
    return QdrantStore(QdrantConfig.model_validate(keys | others))


def failure(store: QdrantStore) -> RetriableError:
    with pytest.raises(RetriableError) as raised:
        store.fetch("n", ["a"])
    return raised.value


def test_a_connection_that_closes_is_retriable_and_the_client_asks_once(front: Front) -> None:
    front.faults.append(Fault(0))
    failure(opened(front))
    assert len(front.asked) == 1


def test_no_answer_in_time_is_retriable(front: Front) -> None:
    front.faults.append(Fault(503, delay_s=1.5))
    assert failure(opened(front, **{"store.timeout.ms": 1000})).code == "ReadTimeout"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_overloaded_server_is_retriable_after_the_wait_that_it_asks_for(
    front: Front, status: int
) -> None:
    front.faults.append(Fault(status, {"Retry-After": "3"}, b"<html>busy</html>"))
    assert failure(opened(front)).retry_after_s == 3


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon"])
def test_a_retry_after_that_is_no_number_of_seconds_counts_as_none(front: Front, said: str) -> None:
    front.faults.append(Fault(429, {"Retry-After": said}))
    assert failure(opened(front)).retry_after_s is None


def test_a_page_that_is_no_qdrant_is_fatal(front: Front) -> None:
    front.faults.append(Fault(200, body=b"<html>welcome</html>"))
    with pytest.raises(FatalError, match=r"store\.url"):
        opened(front).fetch("n", ["a"])


def test_an_answer_of_another_shape_is_fatal_and_not_quoted(front: Front) -> None:
    front.faults.append(Fault(200, body=b'{"result": [{"payload": "secret row"}]}'))
    with pytest.raises(FatalError) as raised:
        opened(front).fetch("n", ["a"])
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "held", [b'"payload": null, "vector": [1.0]', b'"payload": {"_ns": "n", "_id": "a"}']
)
def test_what_has_no_payload_or_no_vector_is_no_point(front: Front, held: bytes) -> None:
    front.faults.append(Fault(200, body=b'{"result": [{"id": 1, %s}]}' % held))
    assert opened(front).fetch("n", ["a"]) == {}


def test_an_error_that_quotes_a_row_is_blanked(front: Front) -> None:
    said = b'{"status": {"error": "Format error: expected a point, found `secret row`"}}'
    front.faults.append(Fault(400, body=said))
    with pytest.raises(FatalError, match="Format error") as raised:
        opened(front).fetch("n", ["a"])
    assert "secret" not in str(raised.value)


def test_tls_where_nobody_speaks_it_is_fatal(front: Front) -> None:
    with pytest.raises(FatalError, match="https"):
        opened(front, **{"store.url": front.url.replace("http", "https")}).fetch("n", ["a"])
