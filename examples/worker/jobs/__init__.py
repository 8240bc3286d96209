"""Jobs that a queue hands out."""
