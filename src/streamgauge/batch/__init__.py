"""From the log's bytes to columns: decoding, the limits before it, and why records are refused."""
