"""Chatbot Arena's published battles: two conversations, their models and who won."""

from store.pairs import Verdict
from studio.formats.pairing import check_prompt
from studio.formats.row import Candidate, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.trl_preference import prompt_and_answers
from studio.formats.turns import is_conversation, read_turns

VERDICTS: dict[str, Verdict] = {
    "model_a": "left",
    "model_b": "right",
    "tie": "tie",
    "tie (bothbad)": "both_bad",
    "bothbad": "both_bad",
}


def detect(sample: list[Fields]) -> bool:
    """Rows with `conversation_a`, `conversation_b` and a winner."""
    sides = ("conversation_a", "conversation_b")
    return every_row(sample, lambda f: "winner" in f and all(is_conversation(f.get(side)) for side in sides))


def read(fields: Fields) -> Row:
    """Read a battle whose conversations are alike up to their last answers."""
    first, second = (read_turns(fields.get(f"conversation_{side}"), f"conversation_{side}") for side in "ab")
    try:
        prompt, *both = prompt_and_answers(first, second)
    except RowError:
        raise RowError(
            "the two conversations part before their last answers, so they have no prompt in common"
        ) from None
    check_prompt(prompt)
    by = (str(fields.get(key) or "") for key in ("model_a", "model_b"))
    offered = tuple(Candidate(messages, author=author) for messages, author in zip(both, by, strict=True))
    winner = fields.get("winner")
    verdict = VERDICTS.get(winner) if isinstance(winner, str) else None
    problem = None if verdict else f"its winner {str(winner)[:20]!r} is no verdict"
    return Row(prompt, None, offered, verdict, rater=str(fields.get("judge") or ""), problem=problem)


ARENA = Format("arena", "Chatbot Arena's battles: conversation_a, conversation_b, winner", detect, read)

FORMATS = (ARENA,)
