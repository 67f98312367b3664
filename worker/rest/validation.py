"""What is wrong with a connector's config, setting by setting, in Connect's words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.config.connector import CONNECTOR_CLASS
from worker.config.parse import UNMASKED
from worker.config.problem import HIDDEN, Problem
from worker.config.read import read_connector
from worker.immutable import immutable
from worker.rest.definitions import (
    Definition,
    all_definitions,
    chosen_definitions,
    unknown_definition,
)
from worker.rest.wording import sentence
from worker.runtime.refusals import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.config.read import Surroundings
    from worker.rest.masking import Masking

_NULL = "Null value can not be supplied as the configuration value."
_CLASS_KEY = "connector.class"
_SUFFIX = "Connector"


class UnknownClassError(BadRequestError):
    """No connector of this class is here; kcctl knows the beginning of the sentence."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "Failed to find any class that implements Connector and which name matches "
            f"{name}, available connectors are: {CONNECTOR_CLASS}"
        )


@immutable
class Setting:
    """A setting, its value as it may be shown, and what is wrong with it."""

    definition: Definition
    value: str | None
    errors: tuple[str, ...] = ()


@immutable
class Verdict:
    """All settings of a config."""

    settings: Sequence[Setting]

    @property
    def errors(self) -> list[str]:
        """Every mistake."""
        return [error for one in self.settings for error in one.errors]

    @property
    def groups(self) -> list[str]:
        """Headings in the order of the settings."""
        return list(dict.fromkeys(one.definition.group for one in self.settings))

    def require(self) -> None:
        """Do nothing if there is no mistake.

        Raises:
            BadRequestError: in the wording that kcctl and kafka-ui take apart.
        """
        if self.errors:
            raise BadRequestError(
                "Connector configuration is invalid and contains the following "
                f"{len(self.errors)} error(s):\n" + "\n".join(self.errors) + "\nYou can also find "
                "the above list of errors at the endpoint "
                "`/connector-plugins/{connectorType}/config/validate`"
            )


def is_our_class(name: str) -> bool:
    """Whether it names our connector: fully, simply, or with ``Connector`` behind it."""
    return normalized(name).rpartition(".")[2] == CONNECTOR_CLASS


def normalized(name: str) -> str:
    """A class name without Connect's suffix."""
    return name if name == _SUFFIX else name.removesuffix(_SUFFIX)


class Validator:
    """Checks configs as ``vecsink validate`` does."""

    def __init__(self, around: Surroundings, masking: Masking) -> None:
        self._around = around
        self._masking = masking

    def definitions(self) -> list[Definition]:
        """Every setting that a connector of ours can have."""
        return all_definitions(self._around.plugins)

    def verdict(self, config: Mapping[str, str | None]) -> Verdict:
        """Check a config; its values are text, or null.

        Raises:
            BadRequestError: it has no ``connector.class``.
            UnknownClassError: its class is not ours.
        """
        name = config.get(_CLASS_KEY)
        if name is None:
            raise BadRequestError("Connector config contains no connector type")
        if not is_our_class(name.strip()):
            raise UnknownClassError(name)
        given = {key: text for key, text in config.items() if text is not None}
        errors = self._errors(given)
        for key in config.keys() - given.keys():
            errors[key] = [*errors.get(key, ()), _NULL]
        return Verdict(self._settings(given, errors))

    def _errors(self, given: Mapping[str, str]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        for problem in read_connector(given, self._around).problems:
            if problem.is_error:
                errors.setdefault(problem.key or "name", []).append(sentence(problem))
        for key in self._masking.masked(given):
            errors.setdefault(key, [sentence(Problem("", key, HIDDEN, UNMASKED))])
        return errors

    def _settings(
        self, given: Mapping[str, str], errors: Mapping[str, Sequence[str]]
    ) -> list[Setting]:
        plugins = self._around.plugins
        chosen = [given.get(kind, "").strip() for kind in ("embedder", "store")]
        known = chosen_definitions(plugins, *chosen)
        names = {one.name for one in known}
        others = [unknown_definition(key) for key in errors if key not in names]
        numbered = [replace(one, order=order) for order, one in enumerate(others, 1)]
        shown = self._masking.shown(given)
        return [
            Setting(one, shown.get(one.name, one.default), tuple(errors.get(one.name, ())))
            for one in (*known, *numbered)
        ]
