"""What people do about alarms: kept in Redis, and told on the alarms topic."""
