"""What is looked up for a question is found once, kept with it, and given to every model the same."""

from store import examples
from store.database import Store
from studio.chatting import keeping, lookup
from studio.chatting.conversation import Answer
from studio.chatting.exporting import as_markdown
from studio.chatting.settings import ChatSettings
from studio.project import Project, open_project


def test_passages_and_examples_go_with_the_question(project: Project, store: Store) -> None:
    (project.folder / "papers").mkdir()
    (project.folder / "papers" / "post.txt").write_text("Post in Britain costs 2.95 and takes four days.\n")
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + '[documents]\nfolders = ["papers"]\n')
    shown = [{"role": "user", "content": "What does post to Ireland cost?"}, {"role": "assistant", "content": "4.50"}]
    near = examples.add(store, record_id=None, messages=shown, split="train")
    examples.set_status(store, near, "approved")
    told = open_project(project.folder)
    chat = keeping.new_chat(told, ["smollm2", "dpo-1"], ChatSettings(documents=True, examples=1))
    question = keeping.ask(store, chat, "What does post cost in Britain?")
    assert lookup.is_wanted(chat, question)
    lookup.keep_found(store, question, lookup.look_up(told, chat.settings, question.text, store))
    assert not lookup.is_wanted(chat, question)
    given = chat.messages(0)
    assert [m["content"] for m in given[:-1]] == ["What does post to Ireland cost?", "4.50"]
    assert "2.95" in given[-1]["content"]
    assert chat.messages(1) == given
    assert question.notes["passages"][0]["file"] == "papers/post.txt"
    assert "> Given with it: papers/post.txt, lines 1\n" in as_markdown(chat)
    keeping.keep_answer(store, chat, question, 0, Answer("2.95"))
    keeping.ask(store, chat, "And abroad?")
    reopened = keeping.open_chat(told, store, chat.chat_id or 0)
    assert reopened.messages(0)[: len(given)] == given
    assert [m["content"] for m in reopened.messages(0, plain=True)] == [question.text, "2.95", "And abroad?"]


def test_nothing_is_looked_up_where_nothing_was_asked_for(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    assert not lookup.is_wanted(chat, keeping.ask(store, chat, "Where?"))
