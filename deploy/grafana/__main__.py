"""``python -m deploy.grafana``: write every dashboard anew, and remove those that are no more."""

from __future__ import annotations

from deploy.grafana.written import DIRECTORY, documents


def main() -> None:
    """Write the files that Grafana reads."""
    written = documents()
    for path in DIRECTORY.glob("*.json"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
