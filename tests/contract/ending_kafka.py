"""A Kafka of one broker, which ends as clients of librdkafka take worst."""

from __future__ import annotations

import ctypes
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer, cimpl

from tests.contract.relay import Relay
from worker.rebootstrap import handle_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

HOST = "127.0.0.1"
OFTEN = {"topic.metadata.refresh.interval.ms": 20}
"""So that a client asks while the broker ends."""

_ANSWER_S = 10.0
_ENDING_S = 2.0
_AWAY_S = 1.0
_METADATA, _VERSION = 3, 13
_LEADER_NOT_AVAILABLE = 5
_NOT_ASKED_FOR = -(2**31)
_TOPICS = 3000
"""librdkafka forgets the broker, whose thread starts the timer of asking ``bootstrap.servers``
again; reads what is said of topics; stops the timer. Mostly a few topics are read too soon."""


class EndingKafka(Relay):
    """librdkafka's mock cluster, whose broker can say that there are no brokers."""

    def __init__(self) -> None:
        properties: dict[str, Any] = {"test.mock.num.brokers": 1, "log_level": 2}
        self._owner = Producer(properties)
        (broker,) = self._owner.list_topics(timeout=_ANSWER_S).brokers.values()
        self._says_none = False
        self._sending = threading.Lock()
        super().__init__(broker.port)
        self.bootstrap = f"{HOST}:{self.port}"
        library = ctypes.CDLL(cimpl.__file__)
        library.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
        mock = ctypes.c_void_p(
            library.rd_kafka_handle_mock_cluster(ctypes.c_void_p(handle_of(self._owner)))
        )
        library.rd_kafka_mock_broker_set_host_port(mock, broker.id, HOST.encode(), self.port)

    @contextmanager
    def away(self) -> Iterator[None]:
        """First it says that there are no brokers, then it is not there until the end."""
        self._says_none = True
        time.sleep(_ENDING_S)
        self.close()
        time.sleep(_AWAY_S)
        yield
        self._says_none = False
        self.open()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            if source.getpeername()[1] == self._target:
                self._answer(source, sink)
            else:
                self._ask(source, sink)
        super()._pass(source, sink)

    def _ask(self, client: socket.socket, broker: socket.socket) -> None:
        for request in _frames(client):
            kind, version, number = struct.unpack_from(">hhi", request)
            if self._says_none and kind == _METADATA:
                assert version == _VERSION
                self._send(client, _no_brokers(number))
            else:
                self._send(broker, request)

    def _answer(self, broker: socket.socket, client: socket.socket) -> None:
        for answer in _frames(broker):
            self._send(client, answer)

    def _send(self, sink: socket.socket, frame: bytes) -> None:
        with self._sending:
            sink.sendall(struct.pack(">i", len(frame)) + frame)


def _frames(source: socket.socket) -> Iterator[bytes]:
    while size := _received(source, 4):
        yield _received(source, *struct.unpack(">i", size))


def _received(source: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = source.recv(count - len(found))
        if not part:
            return b""
        found += part
    return found


def _no_brokers(number: int) -> bytes:
    """An answer to a question for metadata (version 13)."""
    topics = b"".join(map(_topic, range(_TOPICS)))
    head = struct.pack(">i b i b b i", number, 0, 0, 1, 0, -1)  # no brokers, cluster, controller
    return head + _varint(_TOPICS + 1) + topics + struct.pack(">h b", 0, 0)


def _topic(number: int) -> bytes:
    name = b"none-%d" % number
    told = struct.pack(">h", _LEADER_NOT_AVAILABLE) + _varint(len(name) + 1) + name
    return told + bytes(16) + struct.pack(">b b i b", 0, 1, _NOT_ASKED_FOR, 0)


def _varint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    return bytes([number % 128 | 128]) + _varint(number // 128)


@contextmanager
def ending_kafka() -> Iterator[EndingKafka]:
    """One of its own."""
    made = EndingKafka()
    try:
        yield made
    finally:
        made.close()
