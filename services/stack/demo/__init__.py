"""The demo: a real prediction service that something happens to, and a model that stays well."""

from __future__ import annotations
