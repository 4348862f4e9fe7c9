"""Spans of time in words."""


def duration(seconds: float) -> str:
    """Return a span of time in words, as rough as it is known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours < 24 else f"{hours:,} h"
