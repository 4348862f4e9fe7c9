"""The Textual app: one module a screen; holds no SQL and no training."""
