"""What a Weaviate collection takes, which is looked at once and then remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import FatalError
from worker.store.weaviate_points import vector_of
from worker.store.weaviate_schema import STORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Point
    from worker.store.weaviate_config import WeaviateConfig
    from worker.store.weaviate_protocol import Protocol
    from worker.store.weaviate_schema import Collection, Schema


class Shape:
    """Of the collection that the settings name. Failures of the client pass as they are."""

    def __init__(self, config: WeaviateConfig, schema: Schema, protocol: Protocol) -> None:
        self._config = config
        self._name = config.index
        self._schema = schema
        self._protocol = protocol
        self._dimensions: int | None = None
        self._distance: str | None = None

    def check(self, dimensions: int) -> Collection:
        """Look at the collection as it is now.

        Raises:
            FatalError: there is none, or it takes something else.
        """
        held = self._expect_collection()
        self._expect_kind(held)
        tenants = self._protocol.tenants()  # gRPC may be out of reach on its own
        self._dimensions = self._measured(held, tenants) or dimensions
        self._distance = held.distance
        if self._dimensions != dimensions:
            raise FatalError(
                f"the Weaviate collection {self._name!r} has {self._dimensions} dimensions, "
                f"the model makes {dimensions}: choose another collection or another model"
            )
        return held

    def expect(self, points: Sequence[Point]) -> None:
        """What is written into a collection that does not exist makes one, of another kind.

        Raises:
            FatalError: there is no collection, or a vector has another length.
        """
        for point in points:
            if self._dimensions is None:
                held = self._measured(self._expect_collection(), self._protocol.tenants())
                self._dimensions = held or point.vector.size
            if point.vector.size != self._dimensions:
                raise FatalError(
                    f"the Weaviate collection {self._name!r} has {self._dimensions} dimensions, a "
                    f"vector has {point.vector.size}"
                )

    def score_of_equals(self) -> float:
        """Weaviate answers with distances, from which only those of cosines end somewhere."""
        if self._distance is None:
            self._distance = self._expect_collection().distance
        return 1.0 if self._distance == "cosine" else 0.0

    def _expect_collection(self) -> Collection:
        held = self._schema.collection()
        if held is None:
            existing = ", ".join(self._schema.names()) or "none"
            raise self._config.missing(
                f"the collection {self._name!r}",
                f"Weaviate has no collection {self._name!r} (store.index); it has: {existing}",
            )
        return held

    def _expect_kind(self, held: Collection) -> None:
        wanted = {STORED, *self._config.typed}
        coming = self._config.typed.keys() if self._config.create else set()
        has_tenants = held.is_multi_tenant and held.makes_tenants
        if wanted - held.properties - coming or not has_tenants or held.vectors != 1:
            raise FatalError(
                f"the Weaviate collection {self._name!r} needs multi-tenancy with automatic tenant "
                f"creation, a single vector and the properties {', '.join(sorted(wanted))} "
                "(see docs/stores.md): name another one, or delete this one if nobody needs it, as "
                "store.create=true makes what does not exist"
            )

    def _measured(self, held: Collection, tenants: Sequence[str]) -> int | None:
        """As the description says, or else as long as the vector of a point that is there."""
        if held.dimensions is not None:
            return held.dimensions
        for tenant in tenants:
            for hit in self._protocol.page(tenant, "", 1):
                return vector_of(hit).size
        return None
