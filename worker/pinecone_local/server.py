"""The server: in a thread of this process (``PineconeLocal``), or until a signal (``serve``)."""

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
from worker.pinecone_local.apps import control_app, data_app
from worker.pinecone_local.catalog import Catalog
from worker.pinecone_local.control_api import ControlApi
from worker.pinecone_local.faults import HEALTHY, FaultInjector, Faults
from worker.pinecone_local.gateway import Gateway
from worker.pinecone_local.stats import Stats
from worker.pinecone_local.wire import Refusal, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import FrameType, TracebackType

    from starlette.applications import Starlette

    from worker.clock import Clock
    from worker.pinecone_local.index import Index

_log = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"
_GRACE_S = 1
_HEAD_BYTES_MAX = 1024 * 1024
"""Room for a thousand ids of 512 characters in the address of a fetch."""


@immutable
class Settings:
    """How to serve. Port 0 is any free port; without data ports each index gets a free one."""

    host: str = LOCALHOST
    control_port: int = 0
    data_ports: Sequence[int] = ()
    advertise: str = ""
    """The host name that index descriptions carry, where it is not ``host``."""
    data_dir: Path | None = None
    api_key: str = ""
    """The only key that is accepted; empty: any key, but there has to be one."""
    faults: Faults = HEALTHY
    clock: Clock = field(default_factory=SystemClock)

    def url(self, port: int) -> str:
        """The address of a port as clients should see it."""
        name = self.advertise or (LOCALHOST if self.host in ("0.0.0.0", "::") else self.host)  # noqa: S104 - compared, not bound
        return f"http://{name}:{port}"


class PineconeLocal:
    """A running server; ``with PineconeLocal() as local:`` starts it and stops it cleanly."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._injector = FaultInjector(self._settings.faults, self._settings.clock)
        self._stats = Stats()
        self._thread = threading.Thread(target=self._run, name="pinecone-local")
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
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
        """Address of the control plane."""
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
        """Calls, errors, records and bytes by operation."""
        return self._stats.snapshot()

    def start(self) -> None:
        """Start and wait until the control plane listens.

        Raises:
            OSError: The address cannot be bound, or the data folder cannot be used.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Stop listening, close connections and files, end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (OSError, Refusal) as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listeners = _Listeners(self._settings.host)
        gateway = Gateway(self._injector, self._stats, self._settings.api_key)
        catalog = Catalog(
            _IndexPorts(listeners, gateway, self._settings.data_ports),
            clock=self._settings.clock,
            visibility_s=lambda: self._injector.faults.visibility_s,
            folder=self._settings.data_dir,
        )
        try:
            catalog.restore()
            api = ControlApi(catalog, self._settings.url)
            app = control_app(api, gateway, self._injector, self._stats)
            self._port = listeners.open(app, self._settings.control_port)
            await listeners.started()
            self._ready.set()
            await self._stop.wait()
        finally:
            await listeners.close_all()
            catalog.close()


class _Listeners:
    """uvicorn servers on this event loop, one for each port."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._servers: dict[int, uvicorn.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, app: Starlette, port: int) -> int:
        """Listen on a port (0: any); connections are taken at once, answered soon."""
        bound = socket.create_server((self._host, port), backlog=256)
        # Connections inherit it; without it each answer waits 40 ms for a delayed acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            log_level="critical",
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=60,
            h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        )
        server = uvicorn.Server(config)
        actual = int(bound.getsockname()[1])
        self._servers[actual] = server
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[bound]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return actual

    async def started(self) -> None:
        """Wait until every server answers."""
        while not all(server.started for server in self._servers.values()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)

    def close(self, port: int) -> None:
        """Stop listening at once; open connections end soon."""
        server = self._servers.pop(port)
        for listening in getattr(server, "servers", []):
            listening.close()
        server.should_exit = True

    async def close_all(self) -> None:
        """Stop everything and wait for it."""
        for port in list(self._servers):
            self.close(port)
        if self._tasks:
            await asyncio.wait(self._tasks)


class _IndexPorts:
    """Gives each index a port: the wanted one, else the first free one of those allowed."""

    def __init__(self, listeners: _Listeners, gateway: Gateway, allowed: Sequence[int]) -> None:
        self._listeners = listeners
        self._gateway = gateway
        self._allowed = list(allowed) or [0]

    def open(self, name: str, index: Index, wanted: int | None) -> int:
        """Serve an index."""
        app = data_app(name, index, self._gateway)
        for port in ([wanted] if wanted else []) + self._allowed:
            try:
                return self._listeners.open(app, port)
            except OSError:
                continue
        raise Refusal(
            Status.FORBIDDEN,
            "Request failed. You've reached the max serverless indexes allowed: "
            f"this server has {len(self._allowed)} data ports.",
        )

    def close(self, port: int) -> None:
        """Stop serving."""
        self._listeners.close(port)


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the address when it listens.

    Call it from the main thread, as only that one may set signal handlers.
    """
    came: SimpleQueue[int] = SimpleQueue()  # an event may be locked by whom the handler interrupts

    def stop(number: int, _frame: FrameType | None) -> None:
        came.put(number)

    previous = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        with PineconeLocal(settings) as local:
            _log.info("listening on %s", local.url)
            announce(local.url)
            came.get()
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)
