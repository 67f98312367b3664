"""The ASGI application: a path for each provider, and ``/_local`` for this server's switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from worker.provider_local.cohere import CohereDialect
from worker.provider_local.faults import HEALTHY, Faults
from worker.provider_local.gateway import Gateway, Surroundings
from worker.provider_local.openai import CompatibleDialect, OpenAIDialect
from worker.provider_local.voyage import VoyageDialect

if TYPE_CHECKING:
    from starlette.requests import Request

    from worker.provider_local.counters import Counters
    from worker.provider_local.faults import FaultInjector

_DEPLOYMENT = "/azure/openai/deployments/{deployment}/embeddings"


def application(around: Surroundings) -> Starlette:
    """``/cohere``, ``/openai/v1``, ``/azure``, ``/voyage/v1``, ``/compatible/v1``, ``/_local``."""
    gateway = Gateway(around)
    cohere, openai, voyage = CohereDialect(), OpenAIDialect(), VoyageDialect()
    compatible = CompatibleDialect()
    local = _LocalApi(around.injector, around.counters)
    post, get = ["POST"], ["GET"]
    return Starlette(
        routes=[
            Route("/cohere/v2/embed", gateway.embed(cohere), methods=post),
            Route("/cohere/v1/models", gateway.models(cohere), methods=get),
            Route("/openai/v1/embeddings", gateway.embed(openai), methods=post),
            Route("/openai/v1/models", gateway.models(openai), methods=get),
            Route(_DEPLOYMENT, gateway.embed(openai), methods=post),
            Route("/azure/openai/v1/embeddings", gateway.embed(openai), methods=post),
            Route("/voyage/v1/embeddings", gateway.embed(voyage), methods=post),
            Route("/voyage/v1/models", gateway.models(voyage), methods=get),
            Route("/compatible/v1/embeddings", gateway.embed(compatible), methods=post),
            Route("/compatible/v1/models", gateway.models(compatible), methods=get),
            Route("/_local/health", local.health, methods=get),
            Route("/_local/faults", local.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/_local/stats", local.counts, methods=["GET", "DELETE"]),
            Route("/_local/texts", local.texts, methods=get),
        ]
    )


class _LocalApi:
    """What this server offers beside the providers' interfaces."""

    def __init__(self, injector: FaultInjector, counters: Counters) -> None:
        self._injector = injector
        self._counters = counters

    async def health(self, _request: Request) -> Response:
        """Say that the server runs."""
        return _json({"status": "ok"})

    async def faults(self, request: Request) -> Response:
        """Read (GET), set (PUT) or clear (DELETE) the faults."""
        if request.method == "PUT":
            try:
                self._injector.configure(Faults.model_validate_json(await request.body()))
            except ValidationError as error:
                return _json({"message": str(error)}, 400)
        elif request.method == "DELETE":
            self._injector.configure(HEALTHY)
        return _json(self._injector.faults.model_dump())

    async def counts(self, request: Request) -> Response:
        """Read (GET) the counts; DELETE reads them and begins at zero."""
        counts = self._counters.snapshot()
        if request.method == "DELETE":
            self._counters.reset()
        return _json(counts)

    async def texts(self, request: Request) -> Response:
        """How often each text was billed, where that is more than ``?above=``."""
        above = request.query_params.get("above", "0")
        return _json(self._counters.texts(int(above) if above.isdecimal() else 0))


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
