"""``/`` and ``/health``: who answers here, and whether it is well."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from worker import __version__
from worker.rest.call import Answer
from worker.rest.router import Route

if TYPE_CHECKING:
    from worker.rest.call import Call
    from worker.runtime.port import Herder

CONNECT_VERSION = "4.3.1"
"""The Kafka Connect that we answer like; clients choose by it what they ask for."""
_OK, _UNAVAILABLE, _ILL = (
    HTTPStatus.OK,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
_HEALTHY = "Worker has completed startup and is ready to handle requests."
_STARTS = "Worker is still starting up."
_UNHEALTHY = "Worker was unable to handle this request and may be unable to handle other requests."


class Root:
    """The worker itself."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        status = "WorkerStatus"
        return (
            Route("GET", "/", self.server_info, "Versions and the cluster.", {_OK: "ServerInfo"}),
            Route(
                "GET",
                "/health",
                self.health,
                "Whether it is alive and ready.",
                {_OK: status, _UNAVAILABLE: status, _ILL: status},
                is_urgent=True,
            ),
            Route(
                "GET",
                "/health/live",
                self.live,
                "Whether a new process would not help; it may wait for others.",
                {_OK: status, _UNAVAILABLE: status},
                is_urgent=True,
            ),
            Route(
                "GET",
                "/health/ready",
                self.ready,
                "Whether it has read the connectors and answers for them.",
                {_OK: status, _UNAVAILABLE: status},
                is_urgent=True,
            ),
        )

    def server_info(self, _call: Call) -> Answer:
        """Our own version stands where Connect has its commit."""
        return Answer(
            body={
                "version": f"{CONNECT_VERSION}+vecsink.{__version__}",
                "commit": f"vecsink-{__version__}",
                "kafka_cluster_id": self._herder.kafka_cluster_id(),
            }
        )

    def health(self, _call: Call) -> Answer:
        """Alive and started."""
        return self._answer(ill=_ILL)

    def ready(self, _call: Call) -> Answer:
        """The same, with the status that load balancers know."""
        return self._answer(ill=_UNAVAILABLE)

    def live(self, _call: Call) -> Answer:
        """Alive, started or not."""
        health = self._herder.health()
        if health.is_alive:
            return _said(_OK, "healthy", "Worker is alive.", "")
        return _said(_UNAVAILABLE, "unhealthy", _UNHEALTHY, health.detail)

    def _answer(self, *, ill: HTTPStatus) -> Answer:
        health = self._herder.health()
        if not health.is_alive:
            return _said(ill, "unhealthy", _UNHEALTHY, health.detail)
        if not health.is_started:
            return _said(_UNAVAILABLE, "starting", _STARTS, health.detail)
        return _said(_OK, "healthy", _HEALTHY, health.detail)


def _said(status: HTTPStatus, word: str, message: str, detail: str) -> Answer:
    return Answer(status, {"status": word, "message": f"{message} {detail}".rstrip()})
