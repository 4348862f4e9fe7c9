"""What came of a job that makes candidates, in words."""

from store.jobs import Job

COUNTED = {
    "pairs": "pairs to compare",
    "duplicates": "replies dropped, equal to another of the prompt",
    "near duplicates": "replies dropped, nearly equal to another of the prompt",
    "empty": "replies dropped, empty",
    "given up": "left unmade, after trying other seeds",
    "cut at the length": "kept and marked, cut at the length",
    "prompts too long": "prompts left out, too long",
    "prompts refused": "prompts left out, refused",
    "prompts without a prompt": "examples left out, nothing to ask",
}
LISTED = {"too long": "too long", "refused": "refused", "without a prompt": "nothing to ask"}
SHOWN = 20
"""Examples named in a line; the job has them all."""


def lines(job: Job) -> list[str]:
    """Say what was made, dropped and left out, a line each."""
    counts: dict[str, int] = job.facts.get("counts", {})
    said = [f"{job.made:,} {'reply' if job.made == 1 else 'replies'} made"]
    said += [f"{counts[name]:,} {words}" for name, words in COUNTED.items() if counts.get(name)]
    for name, words in LISTED.items():
        ids: list[int] = job.facts.get(name, [])
        if ids:
            more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
            said.append(f"{words}: example {', '.join(map(str, ids[:SHOWN]))}{more}")
    return said
