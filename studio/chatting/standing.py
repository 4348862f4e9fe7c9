"""What stands of the verdicts on a chat's answers: they can be undone, and given anew, elsewhere."""

from store import journal, responses
from store.database import Store
from store.journal import Entry
from studio.chatting.conversation import Conversation, Question
from studio.chatting.keeping import note


def look_again(store: Store, chat: Conversation) -> bool:
    """Note of each judged question what the journal says now; return whether that differs from what was noted."""
    changed = False
    for question in chat.questions.values():
        if "verdict" in question.notes and (stands := _standing(store, question)) != question.notes["verdict"]:
            # Whose the answers are is known, whatever becomes of the verdict.
            note(store, question, verdict=stands, revealed=True)
            changed = True
    return changed


def _standing(store: Store, question: Question) -> int | str | None:
    """Return the side that is better in all pairs of a verdict, or what is said of all; None where that is nothing."""
    entries = [journal.current_verdict(store, pair_id) for pair_id in question.notes.get("pairs", ())]
    said = {_said(store, question, entry) for entry in entries}
    return said.pop() if len(said) == 1 else None


def _said(store: Store, question: Question, entry: Entry | None) -> int | str | None:
    if entry is None or entry.chosen_and_rejected is None:
        return entry.verdict if entry else None
    turn = responses.get(store, entry.chosen_and_rejected[0]).parameters.get("turn")
    return next((answer.side for answer in question.answers if answer.id == turn), None)
