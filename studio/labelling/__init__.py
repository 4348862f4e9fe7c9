"""Judging pairs: what comes next, what a verdict writes, how far it is, and what it all says."""
