"""All generated pages, and whether those on disk are fresh."""

from __future__ import annotations

from pathlib import Path

from streamgauge.manual.detectors_page import detectors_page
from streamgauge.manual.examples import examples
from streamgauge.manual.metrics_page import metrics_page
from streamgauge.manual.settings_page import settings_page
from streamgauge.manual.spec_page import spec_page

#: The one spec that says everything, from the top of the checkout.
EXAMPLE = Path("deploy/specs/fraud.yaml")


def generate(checkout: Path) -> dict[str, str]:
    """The pages' texts by file name. Raises ``OSError`` where the checkout has no example."""
    return {
        "detectors.md": detectors_page(),
        "metrics.md": metrics_page(),
        "settings.md": settings_page(),
        "spec.md": spec_page(examples((checkout / EXAMPLE).read_text(encoding="utf-8"))),
    }


def stale(checkout: Path) -> dict[Path, str]:
    """The pages that are missing or say something else, with what they should say."""
    texts = {checkout / "docs" / name: text for name, text in generate(checkout).items()}
    return {
        path: text
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
