"""Candidate replies: who says them, for which prompts, and which of them are compared."""
