"""What the store in memory is like, as the real ones differ."""

from __future__ import annotations

from worker.immutable import immutable
from worker.store.port import Capabilities


@immutable
class MemoryBehaviour:
    """What a store can be like."""

    guarded: bool = True
    """Refuse to replace a point, or to undo a deletion, of a higher comparable Position."""
    settle_s: float = 0.0
    """Reads see a write only after this time."""
    write_timeout_s: float = 0.0
    """How long a write may be on its way."""
    latency_s: float = 0.0
    """Every call takes this long."""
    numbers_writes: bool = False
    """Say how much of what was written is shown."""
    transactional: bool = False
    """Write rows of several points at once."""
    shows_s: float | None = None
    """When readers really see a write, if that is sooner."""

    @property
    def capabilities(self) -> Capabilities:
        """As the port has them."""
        return Capabilities(self.guarded, self.settle_s, self.write_timeout_s)

    @property
    def delay_s(self) -> float:
        """After which readers really see a write."""
        return self.settle_s if self.shows_s is None else self.shows_s
