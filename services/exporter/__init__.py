"""The exporter: shows the views as metrics and as the console."""
