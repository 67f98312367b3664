"""A connector's index: its model, its store, and what may be spent; shared by tasks and search."""

from __future__ import annotations

import logging
import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Self

from worker.clock import SystemClock
from worker.document.pattern import parse_namespace
from worker.embed.port import Overlong
from worker.errors import WorkerError
from worker.pipeline.caller import Caller
from worker.pipeline.embedding import Embedding
from worker.pipeline.errand import Errand
from worker.pipeline.exposure import Exposure
from worker.pipeline.parking import NAMESPACE as PARKED
from worker.pipeline.patience import Patience
from worker.plugins import EMBEDDERS, STORES, Registry
from worker.store.creation import Creation
from worker.store.measured import MeasuredStore
from worker.store.place import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from worker.config.connector import ConnectorConfig
    from worker.embed.port import Embedder
    from worker.model import TopicPartition, Vector
    from worker.spend.port import Purse, Report
    from worker.store.port import Store
    from worker.throttle.accounts import Accounts
    from worker.treasury import Counting, Treasury

_log = logging.getLogger(__name__)

_ASK_S = 10.0
"""How long a person waits for the vector of a question while the provider is away."""


class Index:
    """Embedder and store of a connector, made at first use, as that may import large libraries."""

    def __init__(
        self, config: ConnectorConfig, accounts: Accounts, treasury: Counting | Treasury
    ) -> None:
        self._config = config
        self._accounts = accounts
        self._treasury = treasury
        self._lock = threading.Lock()
        self._is_checked = False

    @cached_property
    def embedder(self) -> Embedder:
        """The chosen embedder."""
        plugin = Registry(EMBEDDERS).load(self._config.target.embedder)
        made: Embedder = plugin(self._config.embedder_config)
        return made

    @cached_property
    def purse(self) -> Purse:
        """What may be spent."""
        return self._treasury.open(self.embedder.terms.price)

    @cached_property
    def embedding(self) -> Embedding:
        """Texts to vectors, within the account's limits and the budget."""
        terms = self.embedder.terms
        caller = Caller(
            embedder=self.embedder,
            gate=self._accounts.gate(terms.account, terms.rates, self._config.name),
            purse=self.purse,
            overlong=Overlong(self._config.document.beyond_limit),
            exposure=Exposure.of(self.purse.report(), terms.price),
        )
        return Embedding(self._config.name, caller)

    @cached_property
    def store(self) -> MeasuredStore:
        """The chosen store."""
        name = self._config.target.store
        plugin = Registry(STORES).load(name)
        config = self._config.store_config
        made: Store = plugin(config)
        place = config.place if isinstance(config, Creation) else NOWHERE
        return MeasuredStore(made, name, place)

    def open(self) -> None:
        """Make everything, once, also if several tasks begin at the same time."""
        with self._lock:
            _ = self.embedding, self.store

    def check(
        self, patience: Patience, committed: Callable[[], Mapping[TopicPartition, int]]
    ) -> None:
        """Have a missing index made, if asked to, and look whether it takes the model's vectors.

        Once for all tasks. ``committed`` asks for the group's offsets, once an index was made.
        """
        with self._lock:
            if not self._is_checked:
                dimensions = self.embedder.model.dimensions
                if patience("making the index", lambda: self.store.create(dimensions)):
                    self._warn_of_rows_before(committed)
                patience("reaching the store", lambda: self.store.check(dimensions))
                self._is_checked = True

    def _warn_of_rows_before(self, committed: Callable[[], Mapping[TopicPartition, int]]) -> None:
        group = self._config.group_id
        try:
            if not any(offset > 0 for offset in committed().values()):
                return
            has = "has"
        except WorkerError as error:
            _log.info("Whether group %s has committed offsets is not known: %s", group, error)
            has = "may have"
        _log.warning(
            "The index was made anew, but group %s %s committed offsets: rows before them are not "
            "in it. Set the group back to fill it (docs/stores.md, An index that is gone).",
            group,
            has,
        )

    def question(self, text: str) -> Vector:
        """The vector of a question.

        Raises:
            FatalError: the provider refuses it, or has been away for some seconds.
        """
        patience = Patience(abort=threading.Event(), clock=SystemClock(), timeout_s=_ASK_S)
        return self.embedding.query(text, Errand(patience, _needed))

    def namespaces(self) -> list[str]:
        """Those of the store that ``store.namespace`` can have made for the connector's topics."""
        connector = self._config.connector
        regex = connector.topics_regex
        topics = [regex] if regex else [re.escape(topic) for topic in connector.topics]
        anything = {"topic": f"(?:{'|'.join(topics)})"}
        made = "".join(
            re.escape(part.literal) + (anything.get(part.variable, ".+") if part.variable else "")
            for part in parse_namespace(self._config.target.namespace).parts
        )
        ours = (name for name in self.store.namespaces() if name != PARKED)
        return [name for name in ours if re.fullmatch(made, name)]

    @property
    def opened_store(self) -> MeasuredStore | None:
        """The store if somebody opened it; does not make it."""
        found: MeasuredStore | None = self.__dict__.get("store")
        return found

    @property
    def opened(self) -> Embedding | None:
        """The embedding if somebody opened it; does not make it."""
        found: Embedding | None = self.__dict__.get("embedding")
        return found

    def spent(self) -> Report | None:
        """How the connector's spending stands; None if nothing was opened that could spend."""
        return self.purse.report() if "purse" in self.__dict__ else None

    def close(self) -> None:
        """Release what was made."""
        for part in ("embedding", "purse", "embedder", "store"):
            if part in self.__dict__:
                self.__dict__[part].close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _needed() -> None:
    """A person always waits for the answer."""
