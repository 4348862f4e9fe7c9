"""What came of varying prompts, in words."""

from store.jobs import Job

REVIEW = "is:synthetic status:draft"
"""The query that finds what waits to be reviewed."""


def lines(job: Job) -> list[str]:
    """Say how many prompts a job made, and how many were dropped for which reason."""
    dropped = sorted(job.facts.get("dropped", {}).items(), key=lambda each: (-each[1], each[0]))
    found = [f"{job.made:,} of {job.total:,} prompts made."]
    if dropped:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in dropped)
        found.append(f"{sum(number for _, number in dropped):,} dropped: {reasons}.")
    if job.made:
        found.append(
            "They are drafts, tagged synthetic, and used for nothing until somebody approves them:"
            f" Examples (2), query {REVIEW}."
        )
    return found
