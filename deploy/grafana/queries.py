"""PromQL that several dashboards share."""

from __future__ import annotations

PREDICTIONS = "streamgauge_predictions_total"
RATE = "[$__rate_interval]"
#: Leaves the series of the chosen services; they keep the labels ``job`` and ``instance``.
CHOSEN = 'and on (job, instance) streamgauge_build_info{service=~"$service"}'


def error_ratio(where: str = "", *, by: str) -> str:
    """Share of predictions that ended in an error. NaN where nothing came."""
    errors = f'{f"{where}, " if where else ""}status="error"'
    return (
        f"sum by ({by}) (rate({PREDICTIONS}{{{errors}}}{RATE}))"
        f" / sum by ({by}) (rate({PREDICTIONS}{{{where}}}{RATE}))"
    )


def quantile(q: float, histogram: str, where: str = "", *, by: str = "") -> str:
    """A quantile of a histogram, over what ``by`` names (all of it where it names nothing)."""
    labels = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({q:g}, sum by ({labels}) (rate({histogram}_bucket{{{where}}}{RATE})))"
    )


def named(expr: str, *, services: str = "$service") -> str:
    """A process's series with the name of its service, whatever the scrape's job is called.

    ``expr`` must keep the labels ``job`` and ``instance``.
    """
    info = f'streamgauge_build_info{{service=~"{services}"}}'
    return f"{expr} * on (job, instance) group_left (service) {info}"


def or_zero(expr: str) -> str:
    """0 where there is no series because nothing of it ever happened."""
    return f"({expr}) or vector(0)"
