"""Ratios taken side by side in one run: each step, and the whole engine, against the bare loop."""
