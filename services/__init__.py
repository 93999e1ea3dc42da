"""The processes: wiring only, each started with ``python -m services.<name>``."""
