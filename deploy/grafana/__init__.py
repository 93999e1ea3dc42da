"""Grafana dashboards as code: ``python -m deploy.grafana`` writes what ``dashboards/`` holds."""

from __future__ import annotations
