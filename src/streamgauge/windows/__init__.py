"""Event time: watermarks, panes, and the windows that are judged."""
