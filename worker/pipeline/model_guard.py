"""An index never mixes two models: a namespace that holds another one's vectors is refused.

Nor whole texts and chunks, which would show rows twice.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from worker.document.identity import is_chunk
from worker.errors import FatalError

if TYPE_CHECKING:
    from worker.model import ModelId, Point
    from worker.store.port import Store


class Form(Enum):
    """What the points of a namespace are."""

    WHOLE = "whole texts"
    CHUNKS = "chunks"


class ModelGuard:
    """Compares a namespace's points with the connector's model and form, once per namespace.

    Safe to call from several threads; at the beginning some may look at the same time.
    """

    def __init__(self, store: Store, model: ModelId, form: Form = Form.WHOLE) -> None:
        self._store = store
        self._form = form
        self._model = str(model)
        self._checked: set[str] = set()

    def check(self, namespace: str) -> None:
        """Look at one point of a namespace before the first write to it.

        Raises:
            FatalError: it was made by another model or with other dimensions, or it is a chunk and
                the connector's texts stay whole, or the other way round.
            RetriableError: the store does not answer.
        """
        if namespace in self._checked:
            return
        sample = next(iter(self._store.scan(namespace)), None)
        if sample is not None:
            self.compare(namespace, sample)
            self._compare_form(namespace, sample)
        self._checked.add(namespace)

    def _compare_form(self, namespace: str, point: Point) -> None:
        if point.stamp is None:
            return
        form = Form.CHUNKS if is_chunk(point.id) else Form.WHOLE
        if form is not self._form:
            raise FatalError(
                f"namespace {namespace!r} holds {form.value}, but this connector writes "
                f"{self._form.value}, and readers would find rows twice: write to another "
                "namespace (store.namespace) or index (store.index), or delete the namespace and "
                "reset the group's offsets so that all rows are written again, or set "
                "document.chunk.tokens back"
            )

    def compare(self, namespace: str, point: Point) -> None:
        """Refuse a point of another model.

        Raises:
            FatalError: it was made by another model or with other dimensions.
        """
        if point.stamp is None or point.stamp.model == self._model:
            return
        raise FatalError(
            f"namespace {namespace!r} holds vectors of {point.stamp.model}, but this connector "
            f"makes vectors of {self._model}, and the two cannot be compared: write to another "
            "namespace (store.namespace) or index (store.index), or delete the namespace and "
            "reset the group's offsets so that all rows are embedded again, or set embedder, "
            "embedder.model and embedder.dimensions back"
        )
