"""The learner: labels in, models that keep learning out."""
