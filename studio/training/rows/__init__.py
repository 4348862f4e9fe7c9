"""Rows of a run: which ones, how they are written, and what tokens they become."""
