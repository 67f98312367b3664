"""``/connector-plugins``: what a connector can be, and whether a config is right."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from worker import __version__
from worker.config.connector import CONNECTOR_CLASS
from worker.config.converter import CONVERTER_CLASSES
from worker.rest import shapes
from worker.rest.call import Answer
from worker.rest.definitions import converter_definitions
from worker.rest.router import Route
from worker.rest.validation import is_our_class, normalized
from worker.runtime.refusals import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.rest.call import Call
    from worker.rest.masking import Masking
    from worker.rest.validation import Validator
    from worker.runtime.port import Herder

_OK, _BAD, _MISSING = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
_CONVERTERS = {*CONVERTER_CLASSES, *(name.rpartition(".")[2] for name in CONVERTER_CLASSES)}
_ONLY = {"connectorsOnly": "`false`: converters too."}


class ConnectorPlugins:
    """The one kind of connector, its settings and its converters."""

    def __init__(self, herder: Herder, validator: Validator, masking: Masking) -> None:
        self._herder = herder
        self._validator = validator
        self._masking = masking

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        one = "/connector-plugins/{plugin}/config"
        return (
            Route(
                "GET",
                "/connector-plugins",
                self.all,
                "What a connector can be.",
                {_OK: "PluginInfos"},
                query=_ONLY,
            ),
            Route(
                "GET",
                one,
                self.definitions,
                "Every setting.",
                {_OK: "ConfigKeyInfos", _MISSING: "ErrorMessage"},
            ),
            Route(
                "PUT",
                f"{one}/validate",
                self.validate,
                "Every mistake of a config; 200 also where there are some.",
                {_OK: "ConfigInfos", _BAD: "ErrorMessage"},
                takes="Config",
            ),
        )

    def all(self, call: Call) -> Answer:
        """The connector, and converters where they are asked for."""
        found = [_plugin(CONNECTOR_CLASS, shapes.SINK)]
        if call.query.get("connectorsOnly", "true").lower() != "true":
            found += [_plugin(name, "converter") for name in CONVERTER_CLASSES]
        return Answer(body=found)

    def definitions(self, call: Call) -> Answer:
        """Every setting, of a converter too."""
        name = call.arguments["plugin"]
        if name in _CONVERTERS:
            found = converter_definitions()
        elif is_our_class(name):
            found = self._validator.definitions()
        else:
            raise NotFoundError(f"Unknown plugin {name}.")
        return Answer(body=[shapes.config_key_info(one) for one in found])

    def validate(self, call: Call) -> Answer:
        """The mistakes of a config, whether or not there is such a connector."""
        plugin, config = call.arguments["plugin"], call.config()
        given = config.get("connector.class")
        if given is not None and not normalized(given).endswith(normalized(plugin)):
            raise BadRequestError(
                f"Included connector type {given} does not match request type {plugin}"
            )
        meant = self._masking.restored(config, self._stored(config.get("name")))
        verdict = self._validator.verdict(meant)
        return Answer(body=shapes.config_infos(str(given), verdict))

    def _stored(self, name: str | None) -> Mapping[str, str]:
        """What masks in the config of an existing connector stand for."""
        try:
            return self._herder.connector(name).config if name else {}
        except NotFoundError:
            return {}


def _plugin(name: str, kind: str) -> dict[str, Any]:
    return {"class": name, "type": kind, "version": __version__}
