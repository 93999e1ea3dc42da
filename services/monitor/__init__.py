"""The monitor: predictions in, judgements and alarms out."""
