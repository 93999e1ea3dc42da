"""The notifier: brings alarms to people."""
