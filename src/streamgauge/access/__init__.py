"""How Kafka and Redis are reached: options for each library, and why one of them refuses us."""
