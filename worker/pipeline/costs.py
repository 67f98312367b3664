"""What the calls of one batch cost: answers, probes, and answers that could not be used."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from worker.spend.totals import shares
from worker.telemetry.bill import Bill

if TYPE_CHECKING:
    from worker.embed.port import Price
    from worker.pipeline.errand import Order


class Costs:
    """Adds up in the batch's thread; other threads only say what came aside."""

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._asides: deque[tuple[Order, int]] = deque()
        self.bill = Bill()
        self.tokens_by_table: Counter[str] = Counter()
        self.texts_by_table: Counter[str] = Counter()

    def refused(self) -> None:
        """The provider refused a call, and billed nothing."""
        self.bill += Bill(requests=1)

    def embedded(self, order: Order, tokens: int, truncated: int) -> None:
        """A call was answered with vectors."""
        self.charge(order, tokens)
        self.texts_by_table.update({table: part.inputs for table, part in order.parts.items()})
        self.bill += Bill(texts=len(order.texts), truncated=truncated)

    def charge(self, order: Order, said: int) -> None:
        """A call is billed; by its estimate where the provider does not say how much (0)."""
        tokens = said or order.tokens
        sizes = {table: part.size for table, part in order.parts.items()}
        self.tokens_by_table.update(shares(tokens, sizes))
        self.bill += Bill(
            requests=1,
            tokens=tokens,
            usd=0.0 if self._price is None else self._price.usd(tokens),
            estimated=0 if said else tokens,
        )

    def aside(self, order: Order, said: int) -> None:
        """The tries of a call cost this beside its answer. From any thread."""
        self._asides.append((order, said))

    def charge_asides(self) -> None:
        """Add what came aside so far."""
        while self._asides:
            self.charge(*self._asides.popleft())
