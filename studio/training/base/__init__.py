"""Base models made ready to be trained and read."""
