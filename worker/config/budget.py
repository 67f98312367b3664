"""What a connector may spend in a day."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from worker.config.section import Section
from worker.config.values import Count

PRICE_KEY = "embedder.price.usd.per.million.tokens"
"""Of embedders whose calls are billed."""

Usd = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class BudgetSettings(Section):
    """Limits of a UTC day; where both are set, the one that is reached first counts."""

    usd_per_day: Usd | None = Field(
        None,
        alias="budget.usd.per.day",
        description="Dollars that all pods of the connector may spend in a day (UTC); then it "
        f"pauses until the day turns. Counted by the embedder's price (`{PRICE_KEY}`). What was "
        "reserved for a call under way stays spent for the day if its worker dies.",
    )
    tokens_per_day: Count | None = Field(
        None,
        alias="budget.tokens.per.day",
        description="The same in tokens, as the provider bills them.",
    )
