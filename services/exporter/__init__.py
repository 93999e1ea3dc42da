"""The exporter: shows the views as metrics and as a status page."""
