"""Runs that wait their turn, and the process that starts them."""
