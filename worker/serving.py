"""Puts the REST API together: the herder behind it, and what it says about configs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson

from worker.checks import CHECKS
from worker.config.read import Surroundings
from worker.console import pages as console
from worker.console.connectors import Overseer
from worker.console.letters import LetterRoutes
from worker.rest.app import RestApp
from worker.rest.connectors import Connectors
from worker.rest.guard import Guard
from worker.rest.lifecycle import Lifecycle
from worker.rest.loggers import Loggers
from worker.rest.manual import manual
from worker.rest.masking import Masking
from worker.rest.offsets import Offsets
from worker.rest.openapi import description
from worker.rest.plugins import ConnectorPlugins
from worker.rest.root import Root
from worker.rest.router import Router
from worker.rest.server import RestServer
from worker.rest.validation import Validator
from worker.telemetry.exposition import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.config.worker import WorkerConfig
    from worker.console.port import Watcher
    from worker.rest.router import Route
    from worker.runtime.port import Herder

_HTML = "text/html; charset=utf-8"


def serve(
    herder: Herder,
    worker: WorkerConfig,
    pages: Mapping[str, Page] | None = None,
    watcher: Watcher | None = None,
) -> RestServer:
    """A server on the worker's ``listeners``; its ``start`` raises what is wrong with them.

    ``pages`` are answered beside the REST API, by path, such as ``/metrics``; with a ``watcher``
    there is a console, too.
    """
    app = application(herder, worker, pages, watcher=watcher)
    return RestServer(app, worker.listeners, worker.settings)


def application(
    herder: Herder,
    worker: WorkerConfig,
    pages: Mapping[str, Page] | None = None,
    environ: Mapping[str, str] = os.environ,
    watcher: Watcher | None = None,
) -> RestApp:
    """The ASGI application alone; ``environ`` is where ``${env:NAME}`` looks."""
    around = Surroundings(worker, environ, checks=CHECKS)
    masking = Masking(around.plugins)
    validator = Validator(around, masking)
    connect = (
        *Root(herder).routes(),
        *Connectors(herder, validator, masking).routes(),
        *Lifecycle(herder).routes(),
        *Offsets(herder).routes(),
        *ConnectorPlugins(herder, validator, masking).routes(),
        *Loggers(herder).routes(),
    )
    described = description(connect)
    own = {
        "/openapi.json": Page("application/json", lambda: orjson.dumps(described)),
        "/docs": Page(_HTML, lambda: manual(described).encode()),
    }
    guard, shown = Guard(worker.settings.user_info), {**own, **(pages or {})}
    if watcher is None:
        return RestApp(Router(connect), guard, shown)
    routes: tuple[Route, ...] = (
        *connect,
        *Overseer(herder, watcher, masking).routes(),
        *LetterRoutes(watcher).routes(),
    )
    return RestApp(Router(routes), guard, {**shown, **console.pages()}, home=console.HOME)
