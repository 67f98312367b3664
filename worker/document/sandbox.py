"""Jinja2 as rows need it: sandboxed, deterministic, strict at start, null as in SQL.

Templates come from the connector's author, values from the database. Nothing in here may depend on
time or chance, as the same row must always give the same text.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jinja2 import (
    ChainableUndefined,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
    pass_environment,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.filters import make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment

from worker.document.values import text_of
from worker.errors import ConfigError, RecordError, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import Environment

    from worker.model import Value


class Null(ChainableUndefined):
    """A null column: prints nothing, ``is none``, takes ``default``, no comparison holds."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Undefined)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(None)

    def _holds_never(self, _: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _holds_never  # type: ignore[assignment]  # raise in base


NULL = Null()


def _printed(value: Any) -> str:  # noqa: ANN401 - any value of an expression
    """What ``{{ … }}`` prints; strings keep their blanks, as they may be parts of a sentence."""
    if isinstance(value, str):
        return value
    return "" if isinstance(value, Undefined) else text_of(value)


@pass_environment
def _joined(
    environment: Environment,
    values: Iterable[Any],
    separator: str = "",
    attribute: str | int | None = None,
) -> str:
    """Jinja's ``join`` with texts as ``{{ … }}`` prints them; what has no text is left out."""
    if attribute is not None:
        values = map(make_attrgetter(environment, attribute), values)
    return separator.join(filter(None, map(_printed, values)))


class _Concatenation(CodeGenerator):
    """Compiles ``a ~ b`` so that it joins what ``{{ a }}{{ b }}`` would print."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("''.join((")
        for part in node.nodes:
            self.write("environment.finalize(")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=Null, finalize=_printed, autoescape=False)
    made.globals.clear()  # lipsum is chance, and a column may be called range or dict
    del made.filters["random"]
    made.filters["join"] = _joined
    made.filters["string"] = _printed
    made.code_generator_class = _Concatenation
    made.tests["none"] = lambda value: value is None or isinstance(value, Undefined)
    return made


ENVIRONMENT = _environment()


def variables(row: Mapping[str, Value], columns: Iterable[str]) -> dict[str, Value]:
    """What a template sees of a row."""
    seen = {}
    for column in columns:
        value = row.get(column)
        seen[column] = NULL if value is None else value
    return seen


def columns_of(key: str, source: str) -> frozenset[str]:
    """Check a template as far as possible without a row, and say which columns it reads.

    Raises:
        ConfigError: syntax, unknown filters or tests, other templates; with the line.
    """
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise syntax_error(key, error) from error
    _check_names(key, tree)
    if any(meta.find_referenced_templates(tree)):
        raise ConfigError(f"{key}: cannot include, import or extend other templates")
    return frozenset(meta.find_undeclared_variables(tree))


def syntax_error(key: str, error: TemplateSyntaxError) -> ConfigError:
    """Jinja's complaint in our form."""
    return ConfigError(f"{key}, line {error.lineno}: {(error.message or '').rstrip('.')}")


def row_error(key: str, error: Exception, line: int | None) -> RecordError:
    """Why a template failed for a row: the kind of the error and the line, nothing of the row."""
    where = f"{key}, line {line}" if line else key
    return RecordError(
        f"{where}: {type(error).__name__} for this row; test for null and for the column's type "
        "in the template",
        stage=Stage.DOCUMENT,
        kind="TemplateError",
    )


def line_of(error: Exception) -> int | None:
    """The line of a template at which it failed for a row; Jinja rewrites the traceback so."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _check_names(key: str, tree: nodes.Template) -> None:
    # Jinja itself finds unknown names inside a branch only when a row takes that branch.
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        known, what = (
            (ENVIRONMENT.filters, "filter")
            if isinstance(node, nodes.Filter)
            else (ENVIRONMENT.tests, "test")
        )
        if node.name in known:
            continue
        near = get_close_matches(node.name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{key}, line {node.lineno}: no {what} named {node.name!r}{hint}")
