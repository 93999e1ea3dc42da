"""The ingest service: takes events over HTTP and puts them on the log."""
