"""Voyage's text embedding models, as published.

Lengths and tokens: https://docs.voyageai.com/docs/embeddings, prices:
https://docs.voyageai.com/docs/pricing, rates (of usage tier 1):
https://docs.voyageai.com/docs/rate-limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.embed.known_model import KnownModel
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF: Final = "2026-11-26"
"""When prices and rates were looked up."""

_LARGE = Rates(requests=2000, tokens=3_000_000)
_BASE = Rates(requests=2000, tokens=8_000_000)
_LITE = Rates(requests=2000, tokens=16_000_000)
_ANY = (256, 512, 1024, 2048)
_ONE = (1024,)

# fmt: off
MODELS: Final[Mapping[str, KnownModel]] = {
    "voyage-4-large":   KnownModel(_ANY, 1024, 32_000,   120_000, usd=0.12, rates=_LARGE),
    "voyage-4":         KnownModel(_ANY, 1024, 32_000,   320_000, usd=0.06, rates=_BASE),
    "voyage-4-lite":    KnownModel(_ANY, 1024, 32_000, 1_000_000, usd=0.02, rates=_LITE),
    "voyage-3-large":   KnownModel(_ANY, 1024, 32_000,   120_000, usd=0.18, rates=_LARGE),
    "voyage-3.5":       KnownModel(_ANY, 1024, 32_000,   320_000, usd=0.06, rates=_BASE),
    "voyage-3.5-lite":  KnownModel(_ANY, 1024, 32_000, 1_000_000, usd=0.02, rates=_LITE),
    "voyage-code-3":    KnownModel(_ANY, 1024, 32_000,   120_000, usd=0.18, rates=_LARGE),
    "voyage-finance-2": KnownModel(_ONE, 1024, 32_000,   120_000, usd=0.12, rates=_LARGE),
    "voyage-law-2":     KnownModel(_ONE, 1024, 16_000,   120_000, usd=0.12, rates=_LARGE),
}
# fmt: on
