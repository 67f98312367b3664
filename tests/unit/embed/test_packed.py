"""From the vectors of an answer to an array."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import pytest

from worker.embed.packed import unpacked
from worker.errors import FatalError, UnansweredError

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
PACKED = [b64encode(row.astype("<f4").tobytes()).decode() for row in ROWS]


@pytest.mark.parametrize("rows", [PACKED, ROWS.tolist()])
def test_base64_and_numbers_give_the_same_array(rows: list[object]) -> None:
    found = unpacked(rows, texts=2, length=3, provider="P")
    assert found.dtype == np.float32
    assert found.flags.writeable
    np.testing.assert_array_equal(found, ROWS)


@pytest.mark.parametrize("length", [*range(1, 14), 384, 1024])
@pytest.mark.parametrize("texts", [1, 2, 3, 96])
def test_vectors_of_any_length_are_read(texts: int, length: int) -> None:
    rows = np.random.default_rng(length).normal(size=(texts, length)).astype(np.float32)
    packed = [b64encode(row.astype("<f4").tobytes()).decode() for row in rows]
    found = unpacked(packed, texts=texts, length=length, provider="P")
    assert found.flags.writeable
    np.testing.assert_array_equal(found, rows)


def test_no_texts_give_an_empty_array() -> None:
    assert unpacked([], texts=0, length=3, provider="P").shape == (0, 3)


def test_null_is_not_a_number() -> None:
    assert np.isnan(unpacked([[None, 1.0]], texts=1, length=2, provider="P")[0, 0])


@pytest.mark.parametrize(
    "rows",
    [
        [PACKED[0]],
        [PACKED[0], PACKED[1][:-4]],
        [PACKED[0], "?"],
        [PACKED[0], PACKED[1][:-2]],
        [PACKED[0], "schön"],
        [PACKED[0], None],
        [PACKED[0], [1.0, 2.0, 3.0]],
        ["AAA=", "AAA="],
        ["AAAAAAAAAAA=", "AAAAAAAAAA=="],
        ["AAAAAAAAAA==", "AAAAAAAAAAAA"],
        ["AAAAAAAAAAAA", "AAAAAAAAAA=="],
        ["AAAAAA==", "AA==AA=="],
        ["AAAAA===", "AAAAA==="],
        ["AAAA====", "AAAA===="],
        ["AAAAAA", "AAAAAA"],
        ["AAAAAAAAAAA\u00e4", "AAAAAAAAAAA\u00e4"],
        [[1.0, 2.0, 3.0], [1.0, 2.0]],
        [1.0, 2.0],
        [[10**400, 2.0, 3.0], [1.0, 2.0, 3.0]],
        [None, None],
        [{}, {}],
    ],
)
def test_what_cannot_be_read_may_have_been_billed(rows: list[object]) -> None:
    with pytest.raises(UnansweredError):
        unpacked(rows, texts=2, length=3, provider="P")


@pytest.mark.parametrize("rows", [PACKED, ROWS.tolist()])
def test_another_length_is_fatal(rows: list[object]) -> None:
    with pytest.raises(FatalError, match=r"3 dimensions, 4 were expected.*embedder\.dimensions"):
        unpacked(rows, texts=2, length=4, provider="P")
