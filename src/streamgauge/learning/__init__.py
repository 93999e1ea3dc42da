"""Models that keep learning: River pipelines by name, what guards them, who takes over when."""
