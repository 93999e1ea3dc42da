"""How often a challenger that is no better is promoted, and how soon one that is."""
