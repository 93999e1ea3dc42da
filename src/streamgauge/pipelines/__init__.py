"""River pipelines by name: scaling, encoding, an estimator; one example learned at a time."""
