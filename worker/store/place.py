"""Where a store's calls go, in OpenTelemetry's words for databases.

https://github.com/open-telemetry/semantic-conventions/blob/main/docs/db/database-spans.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping


@immutable
class Place:
    """What there is none of, or is not known, is empty."""

    collection: str = ""
    """What the vendor calls a table, a collection or an index: ``db.collection.name``."""
    database: str = ""
    """What the collection is in: ``db.namespace``."""
    url: str = ""
    """Of the server."""

    @property
    def attributes(self) -> Mapping[str, str | int]:
        """Of a span. Where a URL names several servers, the one that answers is not known."""
        found: dict[str, str | int | None] = {
            "db.collection.name": self.collection,
            "db.namespace": self.database,
        }
        parts = urlsplit(self.url)
        if "," not in parts.netloc:
            found |= {"server.address": parts.hostname, "server.port": parts.port}
        return {name: value for name, value in found.items() if value}


NOWHERE = Place()
