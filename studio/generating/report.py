"""What came of a job that makes candidates, in words."""

from store.jobs import Job
from studio.generating.pairing import KINDS

REPLIES, PROMPTS = ("reply", "replies"), ("prompt", "prompts")
COUNTED = {
    "pairs": (("pair", "pairs"), "to compare"),
    "duplicates": (REPLIES, "dropped, equal to another of the prompt"),
    "near duplicates": (REPLIES, "dropped, nearly equal to another of the prompt"),
    "empty": (REPLIES, "dropped, empty"),
    "given up": (REPLIES, "left unmade, after trying other seeds"),
    "cut at the length": (REPLIES, "kept and marked, cut at the length"),
    "prompts too long": (PROMPTS, "left out, too long"),
    "prompts refused": (PROMPTS, "left out, refused"),
    "prompts without a prompt": (("example", "examples"), "left out, nothing to ask"),
}
LISTED = {"too long": "too long", "refused": "refused", "without a prompt": "nothing to ask"}
SHOWN = 20
"""Examples named in a line; the job has them all."""


def lines(job: Job) -> list[str]:
    """Say what was made, dropped and left out, a line each."""
    counts: dict[str, int] = job.facts.get("counts", {})
    said = [_counted(job.made, REPLIES, "made")]
    said += [_counted(counts[name], *words) for name, words in COUNTED.items() if counts.get(name)]
    kind = job.request.get("pairs", "none")
    if job.made and kind != "none" and not counts.get("pairs"):
        said.append(f"no pair to compare: no two replies to one prompt are {KINDS[kind]}")
    for name, words in LISTED.items():
        ids: list[int] = job.facts.get(name, [])
        if ids:
            more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
            said.append(f"{words}: example {', '.join(map(str, ids[:SHOWN]))}{more}")
    if refusal := job.facts.get("refusal"):
        said.append(f"why the last was refused: {refusal}")
    return said


def _counted(number: int, nouns: tuple[str, str], what: str) -> str:
    return f"{number:,} {nouns[number != 1]} {what}"
