"""Getting in over HTTP: events in any of their forms, checked, made private, put on the log."""
