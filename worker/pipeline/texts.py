"""The texts of one batch: which were asked for, answered, refused, or have to be asked again."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.embed.port import Overlong
from worker.errors import FatalError, RecordError, Stage
from worker.pipeline.costs import Costs
from worker.pipeline.cutting import Measure, Size, cut, shortened
from worker.pipeline.errand import NeverAnsweredError, Order, OverBudgetError
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.patience import Interrupted
from worker.pipeline.sound import usable
from worker.spend.port import Part
from worker.telemetry.bill import Bill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

    from worker.embed.port import Embeddings
    from worker.model import Vector
    from worker.pipeline.caller import Caller
    from worker.pipeline.errand import Errand

_USUAL_BYTES_PER_TOKEN = 4
"""Of most languages in Latin letters; other scripts have fewer."""


@dataclass(slots=True, eq=False)
class Embedded:
    """What became of the texts of a batch, by index."""

    vectors: list[Vector | None]
    refused: dict[int, RecordError] = field(default_factory=dict)
    unpaid: dict[int, int] = field(default_factory=dict)
    """The day's budget does not cover them; the tokens that each may cost."""
    bill: Bill = field(default_factory=Bill)
    tokens_by_table: Counter[str] = field(default_factory=Counter)
    """The bill's tokens, divided by size of the texts; those of probes are no table's."""
    texts_by_table: Counter[str] = field(default_factory=Counter)
    """The bill's texts."""
    failure: BaseException | None = None
    """Why texts that are neither here nor there have no vector."""


class Texts:
    """The texts of one batch and what is known of them."""

    def __init__(self, caller: Caller, texts: Sequence[str], tables: Sequence[str]) -> None:
        self._caller = caller
        self._texts = list(texts)
        self._tables = tables
        self._sizes = [Size.of(text) for text in texts]
        self._limits = caller.embedder.limits
        self._measure = _measure_of(caller)
        self.embedded = Embedded([None] * len(texts))
        self.costs = Costs(caller.embedder.terms.price)
        self.has_passed = False
        self.refusals = 0
        """Calls refused, or single texts without a usable vector, since a text last passed."""
        self._is_given_up = False
        self._is_hopeless = threading.Event()
        self._again: set[int] = set()
        self._calls: Counter[int] = Counter()
        self._cut: set[int] = set()
        most = self._usual_most
        for index, size in enumerate(self._sizes):
            if size.bytes > most:
                self._shorten(index, most)

    def pieces(self) -> Iterable[list[int]]:
        """Indexes of the texts, call by call."""
        return cut(self._sizes, self._measure)

    def order(self, piece: Sequence[int]) -> Order:
        """What to ask for a piece."""
        return Order(
            [self._texts[index] for index in piece],
            tokens=sum(self._measure.tokens_of(self._sizes[index]) for index in piece),
            most_tokens=sum(self._sizes[index].most_tokens for index in piece),
            parts=self._parts(piece),
        )

    def ask(self, order: Order, errand: Errand) -> Embeddings:
        """Make a call, in a thread of its own.

        Raises:
            WorkerError: see ``Caller``.
        """
        try:
            return self._caller(order, errand)
        except FatalError:
            self._is_hopeless.set()
            raise

    def check(self, others: Callable[[], None]) -> None:
        """Once a call has failed for good, those that were not sent yet are not.

        Raises:
            LeaseExpired: the answer would not be needed; or what ``others`` raises.
        """
        others()
        if self._is_hopeless.is_set():
            raise LeaseExpired

    def settle(self, piece: list[int], future: Future[Embeddings]) -> list[list[int]]:
        """Take in the end of a call; what of it has to be asked for again, in smaller pieces."""
        self._calls.update(piece)
        try:
            answer = future.result()
        except RecordError as error:
            return self._halve(piece, error)
        except OverBudgetError as error:
            return self._shrink(piece, error.left)
        except NeverAnsweredError:
            return _halves(piece)
        except BaseException as error:  # noqa: BLE001 - the batch's thread raises it later
            self.fail(error)
            return []
        return self._take(piece, answer)

    @property
    def is_over(self) -> bool:
        """Whether it failed, so that nobody can say who is at fault."""
        return self.embedded.failure is not None

    def passes(self) -> None:
        """A text passed: the provider works, with these parameters."""
        self.has_passed = True
        self.refusals = 0

    def ended(self) -> Embedded:
        """What became of the texts, with all that it cost."""
        embedded, costs = self.embedded, self.costs
        costs.charge_asides()
        embedded.bill = costs.bill
        embedded.tokens_by_table = costs.tokens_by_table
        embedded.texts_by_table = costs.texts_by_table
        return embedded

    def give_up(self, error: BaseException) -> None:
        """No text is at fault, and none has to be asked for in smaller pieces."""
        self._is_given_up = True
        self.embedded.refused.clear()
        self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Remember what has to end the task; an interruption is outdone by a failure."""
        known = self.embedded.failure
        if known is None or isinstance(known, Interrupted | LeaseExpired):
            self.embedded.failure = error

    def _take(self, piece: Sequence[int], answer: Embeddings) -> list[list[int]]:
        """Keep what can be used; texts whose vectors cannot are asked for once more."""
        embedded = self.embedded
        good = usable(answer.vectors)
        again: list[int] = []
        for row, index in enumerate(piece):
            if row in answer.refused:
                self._refuse(index, answer.refused[row])
            elif good[row]:
                embedded.vectors[index] = answer.vectors[row]
                self.passes()
            elif index in self._again:
                self._refuse(index, _unusable())
                self.refusals += 1
            else:
                again.append(index)
        truncated = answer.truncated + len(self._cut.intersection(piece))
        self.costs.embedded(self.order(piece), answer.tokens, truncated)
        self._again.update(again)
        return [again] if again else []

    def _parts(self, piece: Sequence[int]) -> dict[str, Part]:
        """By table; tokens are divided by the sizes of the texts."""
        inputs: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for index in piece:
            inputs[self._tables[index]] += 1
            sizes[self._tables[index]] += self._sizes[index].most_tokens
        return {table: Part(count, sizes[table]) for table, count in inputs.items()}

    def _halve(self, piece: list[int], error: RecordError) -> list[list[int]]:
        self.costs.refused()
        self.refusals += 1
        if self._is_given_up:
            return []
        if len(piece) == 1 and self._may_be_too_long(piece[0]):
            self._shorten(piece[0], self._sizes[piece[0]].bytes * 2 // 3)
            return [piece]
        if len(piece) == 1:
            self._refuse(piece[0], error)
            return []
        return _halves(piece)

    def _refuse(self, index: int, error: RecordError) -> None:
        error.attempts = self._calls[index]
        self.embedded.refused[index] = error

    @property
    def _usual_most(self) -> float:
        """Bytes of a text that is hardly ever too long; where it is, the provider says so."""
        longest = self._limits.text_tokens
        if longest is None or self._caller.overlong is not Overlong.TRUNCATE:
            return math.inf
        return _USUAL_BYTES_PER_TOKEN * longest

    def _may_be_too_long(self, index: int) -> bool:
        """Whether a refused text can have more tokens than the model takes, and may be cut."""
        longest = self._limits.text_tokens or math.inf
        return self._usual_most < math.inf and self._sizes[index].bytes > longest

    def _shorten(self, index: int, most_bytes: float) -> None:
        self._texts[index] = shortened(self._texts[index], int(most_bytes))
        self._sizes[index] = Size.of(self._texts[index])
        self._cut.add(index)

    def _shrink(self, piece: list[int], left: int) -> list[list[int]]:
        """As many texts as the rest of the budget covers; the others wait until there is more.

        A small text may go before a large one: else a large one would leave the rest unused.
        """
        covered: list[int] = []
        for index in piece:
            needs = self._sizes[index].most_tokens
            if needs <= left:
                left -= needs
                covered.append(index)
            else:
                self.embedded.unpaid[index] = needs
        return [covered] if covered else []


def _halves(piece: list[int]) -> list[list[int]]:
    middle = len(piece) // 2
    return [piece[:middle], piece[middle:]]


def _measure_of(caller: Caller) -> Measure:
    limits, gate, most_at_once = caller.embedder.limits, caller.gate, caller.exposure.most
    most_tokens = gate.largest_tokens
    if most_at_once is not None:
        most_tokens = min(most_tokens or most_at_once, int(most_at_once / limits.bytes_per_token))
    return Measure.of(limits, gate.largest_inputs, most_tokens)


def _unusable() -> RecordError:
    return RecordError(
        "the model makes no usable vector of the text", stage=Stage.EMBED, kind="VectorUnusable"
    )
