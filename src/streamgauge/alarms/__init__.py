"""From findings to alarms: one cause, one alarm, in words that a person understands."""
