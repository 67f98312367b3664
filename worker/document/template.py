"""The text of a row from ``document.template``, and whether it is in the index at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError

from worker.document.sandbox import (
    ENVIRONMENT,
    columns_of,
    line_of,
    row_error,
    syntax_error,
    variables,
)
from worker.document.spec import TEMPLATE_KEY
from worker.document.values import clean
from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Value

WHEN_KEY = "document.when"
_AS_JINJA = (
    "a condition is a Jinja expression without braces, such as "
    "'status == \"live\" and deleted_at is none'"
)


class TemplateText:
    """Renders rows by a Jinja2 template; ``columns`` are those that it reads."""

    def __init__(self, source: str) -> None:
        """Compile.

        Raises:
            ConfigError: the template is wrong, whatever the row.
        """
        self.columns = columns_of(TEMPLATE_KEY, source)
        if not self.columns:
            raise ConfigError(f"{TEMPLATE_KEY}: uses no column; write such as '{{{{ name }}}}'")
        self._template = ENVIRONMENT.from_string(source)

    def render(self, row: Mapping[str, Value]) -> str:
        """The row's text, without blanks at its ends.

        Raises:
            RecordError: the template failed for this row (``TemplateError``).
        """
        try:
            text = self._template.render(variables(row, self.columns))
        except Exception as error:  # noqa: BLE001 - whatever a template can do to a value
            # Without the cause, as its message may quote the row.
            raise row_error(TEMPLATE_KEY, error, line_of(error)) from None
        return clean(text).strip()


class Condition:
    """``document.when``: a Jinja2 expression over the columns of a row."""

    def __init__(self, source: str) -> None:
        """Compile.

        Raises:
            ConfigError: the expression is wrong, whatever the row.
        """
        if not source.strip():
            raise ConfigError(f"{WHEN_KEY}: is empty; expected such as 'deleted_at is none'")
        self.columns = _columns_of_condition(source)
        if not self.columns:
            raise ConfigError(f"{WHEN_KEY}: uses no column, so it says the same of every row")
        try:
            self._expression = ENVIRONMENT.compile_expression(source)
        except TemplateSyntaxError as error:
            raise syntax_error(WHEN_KEY, error) from error

    def holds(self, row: Mapping[str, Value]) -> bool:
        """Whether the row belongs into the index.

        Raises:
            RecordError: the expression failed for this row (``TemplateError``).
        """
        try:
            return bool(self._expression(variables(row, self.columns)))
        except Exception as error:  # noqa: BLE001 - whatever an expression can do to a value
            raise row_error(WHEN_KEY, error, None) from None


def _columns_of_condition(source: str) -> frozenset[str]:
    try:
        return columns_of(WHEN_KEY, f"{{{{ {source} }}}}")
    except ConfigError as error:
        raise ConfigError(f"{error}; {_AS_JINJA}") from error
