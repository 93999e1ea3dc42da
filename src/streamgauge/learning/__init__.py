"""Models that learn: which of two is better, who is promoted, when to train anew."""
