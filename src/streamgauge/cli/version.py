"""``streamgauge version``."""

from __future__ import annotations

from streamgauge.cli.options import FormatOption
from streamgauge.cli.output import print_rows

_PARTS = (
    "streamgauge",
    "streamgauge-client",
    "faust-streaming",
    "river",
    "confluent-kafka",
    "redis",
    "numpy",
    "pydantic",
)


def version(output: FormatOption = "table") -> None:
    """Print the versions of Streamgauge and of what it stands on.

    Example: `streamgauge version -o json`
    """
    import platform
    from importlib import metadata

    rows: list[dict[str, object]] = []
    for part in _PARTS:
        try:
            rows.append({"part": part, "version": metadata.version(part)})
        except metadata.PackageNotFoundError:
            rows.append({"part": part, "version": "not installed"})
    rows.append({"part": "python", "version": platform.python_version()})
    print_rows(rows, columns=("part", "version"), output=output)
