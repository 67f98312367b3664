"""Money: what was spent today, and whether the next call still fits into the budget."""
