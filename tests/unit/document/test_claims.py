"""Topics that a regex finds at run time, and whose rows could meet in one namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.document.builder import DocumentBuilder
from worker.document.spec import parse_spec
from worker.errors import FatalError
from worker.model import Op

if TYPE_CHECKING:
    from tests.unit.document.conftest import MakeChange
    from worker.model import ModelId

ROW = {"name": "Oslo chair"}


def test_rows_of_two_topics_that_would_share_points_stop_the_task(
    make_change: MakeChange, model: ModelId
) -> None:
    spec = parse_spec(fields="name", namespace="all", point_id="${table}:${key}")
    builder = DocumentBuilder(spec, model)
    builder.build(make_change(ROW, topic="shop.public.items"))

    with pytest.raises(FatalError, match=r"shop\.public\.items and shop\.archive\.items") as raised:
        builder.target(make_change(op=Op.DELETE, topic="shop.archive.items"))

    assert "add ${topic} to store.id" in str(raised.value)


@pytest.mark.parametrize(
    ("namespace", "point_id"),
    [
        ("${topic}", "${key}"),
        ("${schema}.${table}", "${key}"),
        ("all", "${schema}/${table}:${key}"),
    ],
)
def test_names_that_tell_the_topics_apart_are_fine(
    make_change: MakeChange, model: ModelId, namespace: str, point_id: str
) -> None:
    spec = parse_spec(fields="name", namespace=namespace, point_id=point_id)
    builder = DocumentBuilder(spec, model)
    documents = [
        builder.build(make_change(ROW, topic=topic))
        for topic in ("shop.public.items", "shop.archive.items", "shop.public.items")
    ]
    targets = {(each.namespace, each.id) for each in documents if each is not None}

    assert len(targets) == 2
