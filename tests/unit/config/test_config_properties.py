"""The Java properties format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.config.properties import parse_properties
from worker.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", {"a": "1"}),
        ("a:1", {"a": "1"}),
        ("a 1", {"a": "1"}),
        ("  a \t=\f 1 ", {"a": "1 "}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a==1", {"a": "=1"}),
        ("a = b = c", {"a": "b = c"}),
        ("# a=1\n ! b=2\n\nc=3", {"c": "3"}),
        ("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=x\\\n    y", {"a": "xy"}),
        ("a=x\\\n#y", {"a": "x#y"}),
        ("a=x\\\\\nb=2", {"a": "x\\", "b": "2"}),
        ("a=x\\", {"a": "x"}),
        ("a\\=b\\:c\\ d=1", {"a=b:c d": "1"}),
        ("a=\\t\\n\\r\\f\\q\\\\", {"a": "\t\n\r\fq\\"}),
        ("a=\\u00e9", {"a": "é"}),
        ("a=\\ud83d\\ude00", {"a": "😀"}),
        ("=1", {"": "1"}),
        ("", {}),
    ],
)
def test_a_text_is_read_as_java_reads_it(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


def test_an_incomplete_unicode_escape_is_an_error_that_names_the_line() -> None:
    with pytest.raises(ConfigError, match="line 2"):
        parse_properties("a=1\nb=\\u12")


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(_TEXT, _TEXT, max_size=6))
def test_what_was_escaped_comes_back(entries: dict[str, str]) -> None:
    text = "\n".join(f"{_escaped(key)}={_escaped(value)}" for key, value in entries.items())
    assert parse_properties(text) == entries


_PLAIN = st.text(st.sampled_from("abc.-_01"), min_size=1, max_size=10)


@given(
    st.dictionaries(_PLAIN, _PLAIN, max_size=6),
    st.sampled_from(["=", " = ", ":", " ", "\t:\t"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n# note\n"]),
)
def test_separators_and_line_ends_do_not_matter(
    entries: dict[str, str], separator: str, line_end: str
) -> None:
    text = line_end.join(f"{key}{separator}{value}" for key, value in entries.items())
    assert parse_properties(text) == entries


@given(st.text(max_size=200).filter(lambda text: "\\u" not in text))
def test_any_other_text_is_read_without_an_error(text: str) -> None:
    parse_properties(text)
