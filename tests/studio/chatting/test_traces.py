"""Tokens sent and received are kept exactly, beside the answer."""

from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer
from studio.chatting.traces import Likely, Received, Trace, trace_of
from studio.project import Project


def test_a_trace_is_kept_with_its_answer_to_the_last_digit(project: Project, store: Store) -> None:
    likely = (Likely(5, "\udcff".encode(errors="replace").decode(), -0.1), Likely(7, "", -1 / 3))
    trace = Trace((1, 2, 3), (Received(5, "a\x1b", -0.1, likely), Received(6, "b")), Received(2, "<|im_end|>", -0.5))
    chat = keeping.new_chat(project, ["smollm2"])
    question = keeping.ask(store, chat, "one")
    kept = keeping.keep_answer(store, chat, question, 0, Answer("ab", trace=trace))
    plain = keeping.keep_answer(store, chat, question, 0, Answer("cd"))
    assert kept is not None
    assert plain is not None
    assert (kept.trace, trace_of(store, kept.id)) == (None, trace)
    assert trace_of(store, plain.id) is None
    stopped = Trace((1,), ())
    kept = keeping.keep_answer(store, chat, question, 0, Answer("", trace=stopped))
    assert kept is not None
    assert trace_of(store, kept.id) == stopped
