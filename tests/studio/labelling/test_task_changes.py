"""Queues written into settings that a person writes too, in ways of their own and meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.labelling.task_changes import delete, save
from studio.labelling.task_settings import Task
from studio.project import Project, open_project

TONE = Task("tone", reasons=("rude", 'says "I"'))


@pytest.fixture
def settings(project: Project) -> Path:
    """The settings file, with one queue."""
    path = project.folder / "studio.toml"
    path.write_text(f'{path.read_text()}\n[[tasks]] # mine\nname = "facts" # its name\norder = "random"\n')
    return path


def names(project: Project) -> list[str]:
    return [task.name for task in project.settings.tasks]


def test_a_list_that_was_written_in_one_line_is_changed_in_it(project: Project) -> None:
    path = project.folder / "studio.toml"
    path.write_text(f'tasks = [{{name = "facts", order = "random"}}, {{name = "style"}}] # mine\n{path.read_text()}')
    here = save(open_project(project.folder), TONE, before=None)
    assert here.settings.tasks == (Task("facts", order="random"), Task("style"), TONE)
    here = save(here, Task("true"), before=here.settings.tasks[0])
    here = delete(here, here.settings.tasks[1])
    assert here.settings.tasks == (Task("true"), TONE)
    assert path.read_text().splitlines()[0].endswith("] # mine")


def test_a_name_with_spaces_around_it_is_found(settings: Path) -> None:
    settings.write_text(settings.read_text().replace('"facts"', '" facts "'))
    here = open_project(settings.parent)
    here = save(here, replace(here.settings.tasks[0], planned=3), before=here.settings.tasks[0])
    assert here.settings.tasks == (Task("facts", order="random", planned=3),)


def test_what_another_program_wrote_meanwhile_is_not_written_over(settings: Path) -> None:
    before = open_project(settings.parent)
    meanwhile = f'{settings.read_text()}\n[[tasks]]\nname = "Tone"\nplanned = 9\n'
    settings.write_text(meanwhile)
    with pytest.raises(StudioError, match="two tasks are named 'Tone'"):
        save(before, TONE, before=None)
    assert settings.read_text() == meanwhile
    facts = before.settings.tasks[0]
    with pytest.raises(StudioError, match="two tasks"):
        save(before, TONE, before=facts)
    assert names(save(before, replace(facts, name="truth"), before=facts)) == ["truth", "Tone"]


def test_settings_that_broke_meanwhile_stay_as_they_are(settings: Path) -> None:
    before = open_project(settings.parent)
    for broken in (f"{settings.read_text()}[[tasks\n", settings.read_text().replace("order", "ordre")):
        settings.write_text(broken)
        with pytest.raises(StudioError):
            save(before, TONE, before=None)
        assert settings.read_text() == broken


def test_a_queue_that_is_gone_meanwhile_is_written_again(settings: Path) -> None:
    before = open_project(settings.parent)
    facts = before.settings.tasks[0]
    settings.write_text(settings.read_text().replace('"facts"', '"truth"'))
    assert names(save(before, replace(facts, planned=3), before=facts)) == ["truth", "facts"]
