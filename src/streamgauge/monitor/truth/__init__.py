"""Truth: predictions that met their labels, how good they were, and whether that changed."""
