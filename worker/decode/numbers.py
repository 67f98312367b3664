"""Debezium's numbers and bit strings as a person expects them."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EXACT = Context(prec=100_000)
"""Room for every numeric: PostgreSQL's have up to 131072 digits before the point, in practice."""


_NO_LIMIT = 2**31 - 1


def unscaled(data: bytes, scale: int) -> Decimal:
    """Connect's Decimal: a big-endian two's-complement integer and a scale (may be negative)."""
    number = int.from_bytes(data, "big", signed=True)
    if number.bit_length() < 64:  # noqa: PLR2004 - within the default context's 28 digits
        return Decimal(number).scaleb(-scale)
    return Decimal(number).scaleb(-scale, _EXACT)


def decimal(scale: int) -> Callable[[bytes | Decimal], Decimal]:
    """Converts the columns of one scale; a Decimal (from JSON) is brought to the scale."""

    def convert(value: bytes | Decimal) -> Decimal:
        if isinstance(value, Decimal):
            return value.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
        return unscaled(value, scale)

    return convert


def variable_scale(struct: Mapping[str, Any]) -> Decimal:
    """``io.debezium.data.VariableScaleDecimal``: a numeric without a declared scale."""
    return unscaled(struct["value"], struct["scale"])


def shortest_float32(value: float) -> float:
    """The double that prints like the 32-bit number: 0.1, not 0.10000000149011612."""
    return float(str(np.float32(value)))


def bits(length: int | None) -> Callable[[bytes], str]:
    """Converts ``io.debezium.data.Bits``, little-endian bytes, to 0 and 1, highest bit first.

    Debezium leaves out zeros at the high end, so ``bit varying(n)`` is filled up to n as well, for
    nobody knows how many there were. Without a limit ``length`` is 2³¹-1 or absent.
    """
    limit = None if length == _NO_LIMIT else length

    def convert(data: bytes) -> str:
        width = 8 * len(data) if limit is None else limit
        return format(int.from_bytes(data, "little"), f"0{width}b") if width else ""

    return convert
