"""The console: what people see of all models, in a browser, fed by the views."""

from __future__ import annotations
