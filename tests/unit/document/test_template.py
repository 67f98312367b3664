"""document.template and document.when."""

from __future__ import annotations

import traceback
from decimal import Decimal
from typing import Any

import pytest

from worker.document.template import Condition, TemplateText
from worker.errors import ConfigError, RecordError, Stage


def test_a_template_reads_the_columns_it_names() -> None:
    text = TemplateText("{{ name }}{% if price %} for {{ price }} EUR{% endif %}{% set x = 1 %}")
    assert text.columns == {"name", "price"}
    assert text.render({"name": "Chair", "price": Decimal("12.50")}) == "Chair for 12.50 EUR"
    assert text.render({"name": "Chair", "price": None}) == "Chair"


def test_columns_inside_branches_and_loops_count() -> None:
    text = TemplateText("{% for t in tags %}{{ t }} {% else %}{{ fallback }}{% endfor %}")
    assert text.columns == {"tags", "fallback"}


def test_joined_values_print_as_by_themselves_and_nulls_are_left_out() -> None:
    row = {"a": True, "b": ["x", None, 2.0], "c": 2.0, "d": None}
    assert TemplateText("{{ b | join(', ') }}").render(row) == "x, 2"
    assert TemplateText("{{ [a, d, c] | join('-') }}").render(row) == "true-2"
    assert TemplateText("{{ a ~ ' ' ~ c ~ d }}{{ '' }}").render(row) == "true 2"
    assert TemplateText("{{ a | string | upper }}").render(row) == "TRUE"


def test_a_list_of_structs_is_joined_by_an_attribute() -> None:
    row = {"parts": [{"name": "leg"}, {"name": None}, {"name": "seat"}]}
    assert TemplateText("{{ parts | join(', ', attribute='name') }}").render(row) == "leg, seat"


def test_values_print_as_in_document_fields() -> None:
    text = TemplateText("{{ a }}|{{ b }}|{{ c }}|{{ d }}")
    row = {"a": True, "b": ["x", "y"], "c": 2.0, "d": None}
    assert text.render(row) == "true|x, y|2|"


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("x | default('none given')", "none given"),
        ("x | upper", ""),
        ("'yes' if x is none else 'no'", "yes"),
        ("'yes' if x == none else 'no'", "yes"),
        ("'yes' if x is not none else 'no'", "no"),
        ("'yes' if x > 5 or x <= 5 else 'no'", "no"),
        ("x.inner.deep", ""),
    ],
)
def test_null_behaves_as_in_sql_and_prints_nothing(expression: str, printed: str) -> None:
    text = TemplateText(f"-{{{{ {expression} }}}}-")
    assert text.render({"x": None}) == f"-{printed}-"
    assert text.render({}) == f"-{printed}-"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("line\n{{ name", "document.template, line 2"),
        (
            "{{ name }}\n{% if a %}{{ b | uper }}{% endif %}",
            "line 2: no filter.*did you mean 'upper'",
        ),
        ("{% if a is blnk %}{% endif %}", "no test named 'blnk'"),
        ("{{ a | random }}", "no filter named 'random'"),
        ("{% include 'other' %}{{ a }}", "cannot include"),
        ("only words", "uses no column"),
    ],
)
def test_what_is_wrong_for_every_row_is_found_at_start(source: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        TemplateText(source)


SECRET = "hush " * 2


def test_a_failing_row_is_told_without_its_content() -> None:
    text = TemplateText("{{ name }}\n{{ 10 / (price - 1) }}{{ name + 5 }}")
    with pytest.raises(RecordError) as caught:
        text.render({"name": SECRET, "price": 3})
    assert caught.value.stage is Stage.DOCUMENT
    assert caught.value.kind == "TemplateError"
    assert "document.template, line 2: TypeError" in str(caught.value)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_a_template_cannot_reach_python() -> None:
    text = TemplateText("{{ name.__class__.__mro__ }}{{ ''.__class__ }}-{{ name }}")
    assert text.render({"name": "x"}) == "-x"
    with pytest.raises(RecordError, match="SecurityError"):
        TemplateText("{{ tags.append(1) }}").render({"tags": []})


@pytest.mark.parametrize(
    ("expression", "row", "wanted"),
    [
        ("deleted_at is none", {"deleted_at": None}, True),
        ("deleted_at is none", {"deleted_at": "2026"}, False),
        ("active", {"active": 1}, True),
        ("active == true", {"active": 1}, True),
        ("not active", {"active": False}, True),
        ("price > 9.99 and status in ['a', 'b']", {"price": Decimal(10), "status": "b"}, True),
        ("price > 9.99", {"price": None}, False),
        ("missing", {}, False),
    ],
)
def test_a_condition_decides_about_a_row(
    expression: str,
    row: dict[str, Any],
    wanted: bool,  # noqa: FBT001 - the expected answer
) -> None:
    assert Condition(expression).holds(row) is wanted


def test_jinjas_sentence_goes_on_in_ours() -> None:
    with pytest.raises(ConfigError, match=r"'if'$"):
        TemplateText("{% if name %}{{ name }}{% endfor %}")


def test_a_condition_names_its_columns() -> None:
    assert Condition("a > 1 and (b or '}}' == c)").columns == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("a >", "document.when, line 1"),
        ("{{ a == 1 }}", "without braces"),
        ("a = 1", "such as 'status == "),
        ("a is not null", "deleted_at is none"),
        ("a }} {{ b", "document.when, line 1"),
        (" ", "is empty"),
        ("true", "uses no column"),
        ("a | trimm", "did you mean 'trim'"),
    ],
)
def test_a_wrong_condition_is_found_at_start(source: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Condition(source)


def test_a_condition_that_fails_for_a_row_is_told_without_its_content() -> None:
    with pytest.raises(RecordError, match=r"document.when: TypeError") as caught:
        Condition("price > 5").holds({"price": SECRET})
    assert "hush" not in "".join(traceback.format_exception(caught.value))
