"""An index never mixes two models: a namespace that holds another one's vectors is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import FatalError

if TYPE_CHECKING:
    from worker.model import ModelId, Point
    from worker.store.port import Store


class ModelGuard:
    """Compares a namespace's points with the connector's model, once per namespace.

    Safe to call from several threads; at the beginning some may look at the same time.
    """

    def __init__(self, store: Store, model: ModelId) -> None:
        self._store = store
        self._model = str(model)
        self._checked: set[str] = set()

    def check(self, namespace: str) -> None:
        """Look at one point of a namespace before the first write to it.

        Raises:
            FatalError: it was made by another model or with other dimensions.
            RetriableError: the store does not answer.
        """
        if namespace in self._checked:
            return
        sample = next(iter(self._store.scan(namespace)), None)
        if sample is not None:
            self.compare(namespace, sample)
        self._checked.add(namespace)

    def compare(self, namespace: str, point: Point) -> None:
        """Refuse a point of another model.

        Raises:
            FatalError: as for ``check``.
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
