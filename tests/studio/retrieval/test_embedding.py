"""Passages found by meaning as well as by words, with a real model."""

import pytest

from studio.errors import StudioError
from studio.models import BaseModel, chat_gguf, prepare
from studio.project import Project, open_project
from studio.retrieval.documents import passages_for
from studio.retrieval.fusion import fused

LEAVE = "Ask for holidays two weeks before."


def with_documents(project: Project, embedding: str) -> Project:
    folder = project.folder / "documents"
    folder.mkdir()
    (folder / "rules.md").write_text(f"# Leave\n\n{LEAVE}\n\n# Illness\n\nCall the desk.\n\n# Travel\n\nGo by train.\n")
    with (project.folder / "studio.toml").open("a") as settings:
        settings.write(f'\n[documents]\nfolders = ["documents"]\nembedding = "{embedding}"\n')
    return open_project(project.folder)


@pytest.mark.model
def test_a_passage_without_a_word_of_the_question_is_found_by_its_vector(
    project: Project, base_model: BaseModel
) -> None:
    prepare(base_model, "gguf")
    documented = with_documents(project, str(chat_gguf(base_model)))
    found = passages_for(documented, "When may I take a vacation?")
    assert (found[0].text, len(found)) == (LEAVE, 3)
    assert passages_for(documented, "Whom do I call at the desk?")[0].text == "Call the desk."


def test_an_absent_model_is_named(project: Project) -> None:
    with pytest.raises(StudioError, match=r"nowhere\.gguf is not there"):
        passages_for(with_documents(project, "nowhere.gguf"), "holidays")


def test_fusion_puts_first_what_several_rankings_have() -> None:
    assert [number for number, _ in fused([[(1, 9.0), (2, 8.0)], [(3, 0.9), (2, 0.8)]])] == [2, 1, 3]
