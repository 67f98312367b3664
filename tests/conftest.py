"""Holds for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("vecsink", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("vecsink")
