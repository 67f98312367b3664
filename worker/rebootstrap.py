"""A librdkafka client that knows no broker any more asks ``bootstrap.servers`` again.

A broker that is about to stop may answer that the cluster has no brokers. librdkafka (2.10 to 2.16)
then forgets the last one, and may never ask anybody again (its issue 5301). Its C interface has
what mends that, ``rd_kafka_brokers_add``; confluent-kafka does not offer it.
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol

from confluent_kafka import cimpl

from worker.clock import SystemClock

if TYPE_CHECKING:
    from worker.clock import Clock

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
_SURE_S = 3.0
"""By then nothing that the last broker answered is still being read."""
_AGAIN_S = 30.0
"""Each telling takes some bytes until the client is closed."""
_TRIED_WITH: Final = "2.16."
"""confluent-kafka's objects begin with the handle of librdkafka, which nobody promises."""
_LEFT_ALONE = "when all of Kafka was away, the worker may have to be restarted"


class Native(Protocol):
    """What is needed of librdkafka itself."""

    def knows_brokers(self, client: object) -> bool:
        """Whether the cluster told the client of brokers that are not gone again; asks nobody."""
        ...

    def add_brokers(self, client: object, servers: str) -> None:
        """Have the client ask these, beside the brokers that it knows."""
        ...


class Rebootstrap:
    """Looks after one client."""

    def __init__(
        self, servers: str, native: Native | None = None, clock: Clock | None = None
    ) -> None:
        self._servers = servers
        self._native = native or librdkafka()
        self._clock = clock or SystemClock()
        self._look_s = self._clock.now_s()
        self._tell_s = self._look_s + _AGAIN_S

    def look(self, client: object) -> None:
        """Called often, by who uses the client; costs next to nothing, and waits for nobody."""
        now_s = self._clock.now_s()
        if now_s < self._look_s:
            return
        self._look_s = now_s + _EVERY_S
        if self._native.knows_brokers(client):
            self._tell_s = now_s + _SURE_S
        elif now_s >= self._tell_s:
            self._tell_s = now_s + _AGAIN_S
            _log.debug("A Kafka client knows no broker: it is told of %s again.", self._servers)
            self._native.add_brokers(client, self._servers)


class Librdkafka:
    """The library that confluent-kafka has loaded, by its C interface.

    Raises:
        AttributeError: it is another one.
    """

    def __init__(self) -> None:
        library = ctypes.CDLL(cimpl.__file__)
        handle = ctypes.c_void_p
        self._learned_ids = library.rd_kafka_brokers_learned_ids
        self._learned_ids.argtypes = [handle, ctypes.POINTER(ctypes.c_size_t)]
        self._learned_ids.restype = ctypes.c_void_p
        self._free = library.rd_kafka_mem_free
        self._free.argtypes = [handle, ctypes.c_void_p]
        self._free.restype = None
        self._add = library.rd_kafka_brokers_add
        self._add.argtypes = [handle, ctypes.c_char_p]

    def knows_brokers(self, client: object) -> bool:
        """Of a client that is closed, too, nothing has to be asked."""
        handle = handle_of(client)
        if handle is None:
            return True
        count = ctypes.c_size_t()
        self._free(handle, self._learned_ids(handle, ctypes.byref(count)))
        return count.value > 0

    def add_brokers(self, client: object, servers: str) -> None:
        """As at its start."""
        handle = handle_of(client)
        if handle is not None:
            self._add(handle, servers.encode())


class NotTried:
    """A release whose objects nobody has looked into is left alone."""

    def knows_brokers(self, client: object) -> bool:  # noqa: ARG002 - a port
        """Nobody can tell."""
        return True

    def add_brokers(self, client: object, servers: str) -> None:
        """Nothing is done."""


@cache
def librdkafka() -> Native:
    """That of this process."""
    release = version("confluent-kafka")
    if release.startswith(_TRIED_WITH):
        return Librdkafka()
    _log.warning("confluent-kafka %s was not tried: %s.", release, _LEFT_ALONE)
    return NotTried()


def handle_of(client: object) -> int | None:
    """Its ``rd_kafka_t``; None if the client is closed."""
    return ctypes.c_void_p.from_address(id(client) + object.__basicsize__).value
