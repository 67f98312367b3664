"""Holds for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("vecsink", deadline=None)
settings.load_profile("vecsink")
