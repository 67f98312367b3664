"""The server: in a thread of this process (``ProviderLocal``), or until a signal (``serve``)."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from dataclasses import field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

import uvicorn

from worker.clock import SystemClock
from worker.immutable import immutable
from worker.provider_local.app import application
from worker.provider_local.counters import Counters
from worker.provider_local.faults import HEALTHY, FaultInjector, Faults
from worker.provider_local.gateway import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from worker.clock import Clock

_log = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"
_GRACE_S = 1


@immutable
class Settings:
    """How to serve. Port 0 is any free port."""

    host: str = LOCALHOST
    port: int = 0
    api_key: str = ""
    """The only key that is accepted; empty: any key, but there has to be one."""
    faults: Faults = HEALTHY
    clock: Clock = field(default_factory=SystemClock)

    def url(self, port: int) -> str:
        """The address of a port as clients should see it."""
        name = LOCALHOST if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{name}:{port}"


class ProviderLocal:
    """A running server; ``with ProviderLocal() as local:`` starts it and stops it cleanly."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._injector = FaultInjector(self._settings.faults, self._settings.clock)
        self._counters = Counters()
        self._thread = threading.Thread(target=self._run, name="provider-local")
        self._server: uvicorn.Server | None = None
        self._bound: socket.socket | None = None
        self._ready = threading.Event()
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server; add a provider's path, such as ``/cohere``."""
        return self._settings.url(self._port)

    @property
    def faults(self) -> Faults:
        """The faults that are on; assign to change them."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._injector.configure(faults)

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """Numbers by provider, as ``/_local/stats`` has them."""
        return self._counters.snapshot()

    def texts(self, above: int = 0) -> dict[str, dict[str, int]]:
        """By provider: how often each text was billed, where that is more than ``above``."""
        return self._counters.texts(above)

    def reset(self) -> None:
        """Begin to count at zero."""
        self._counters.reset()

    def start(self) -> None:
        """Start and wait until it listens.

        Raises:
            OSError: the address cannot be bound.
        """
        bound = socket.create_server((self._settings.host, self._settings.port), backlog=256)
        # Connections inherit it; without it each answer waits 40 ms for a delayed acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bound = bound
        self._port = int(bound.getsockname()[1])
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop listening, close connections, end the thread."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join()
        if self._bound is not None:
            self._bound.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        around = Surroundings(
            self._injector, self._counters, self._settings.clock, self._settings.api_key
        )
        config = uvicorn.Config(
            application(around),
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        serving = asyncio.create_task(
            self._server.serve(sockets=[self._bound] if self._bound else None)
        )
        while not self._server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        self._ready.set()
        await serving


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the address when it listens.

    Call it from the main thread, as only that one may set signal handlers.
    """
    came: SimpleQueue[int] = SimpleQueue()  # an event may be locked by whom the handler interrupts

    def stop(number: int, _frame: FrameType | None) -> None:
        came.put(number)

    previous = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        with ProviderLocal(settings) as local:
            _log.info("listening on %s", local.url)
            announce(local.url)
            came.get()
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)
