"""Numbers about the model: deterministic, mergeable counts, one kind a file."""
