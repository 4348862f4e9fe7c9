"""What verdicts are called on screens and in reports."""

from store.pairs import Verdict

VERDICT_WORDS: dict[Verdict, str] = {
    "left": "left better",
    "right": "right better",
    "tie": "tie",
    "both_bad": "both bad",
    "skip": "skipped",
}
