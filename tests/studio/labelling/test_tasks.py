"""`[[tasks]]` in studio.toml: what it may say, what it may leave out, and how a mistake in it is told."""

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.labelling.tasks import ALL_PAIRS, Task, task_named, tasks_of
from studio.project import Project, create_project

WHOLE = """
[[tasks]]
name = "tone"
instructions = "Which reply would you rather get?"
query = "tag:letters"
order = "uncertain"
pairs = "tuned against base"
planned = 200
repeats = 0.2
anchors = 3
strength = true
reasons = ["too long", "  wrong   tone "]
criteria = ["kind", "correct"]
seed = 7

[[tasks]]
name = "best of all"
ranking = true
order = "random"
"""


def project_with(folder: Path, text: str) -> Project:
    return create_project(folder / "project", f'[project]\nname = "x"\n{text}')


def test_every_setting_of_a_task_is_read(tmp_path) -> None:
    assert tasks_of(project_with(tmp_path, WHOLE)) == (
        Task(
            "tone",
            instructions="Which reply would you rather get?",
            query="tag:letters",
            order="uncertain",
            pairs="tuned against base",
            planned=200,
            repeats=0.2,
            anchors=3,
            strength=True,
            reasons=("too long", "wrong tone"),
            criteria=("kind", "correct"),
            seed=7,
        ),
        Task("best of all", ranking=True, order="random"),
    )


def test_a_project_without_tasks_has_one_of_all_pairs(project) -> None:
    assert tasks_of(project) == (ALL_PAIRS,)
    assert task_named(project, "All Pairs ") == ALL_PAIRS


def test_a_name_that_is_nearly_right_is_told(tmp_path) -> None:
    project = project_with(tmp_path, WHOLE)
    assert task_named(project, "Tone").order == "uncertain"
    with pytest.raises(StudioError, match=r"There is no task 'tome' in this project\. Did you mean tone\?"):
        task_named(project, "tome")
    with pytest.raises(StudioError, match=r"It knows tone, best of all\."):
        task_named(project, "zzz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('tasks = "tone"', "tasks must be a list of tables. Begin each with [[tasks]]."),
        ('[tasks]\nname = "tone"', "tasks must be a list of tables. Begin each with [[tasks]]."),
        ("[[tasks]]\nseed = 1", 'task 1 has no name. Give it one: name = "..."'),
        ('[[tasks]]\nname = " "', "task 1 has no name."),
        ('[[tasks]]\nname = "a\\nb"', "the name of task 1 is no single line of 60 characters at most."),
        ('[[tasks]]\nname = "a"\n[[tasks]]\nname = "A"', "two tasks are named 'a'. Give each a name of its own."),
        ('[[tasks]]\nname = "a"\norders = "random"', "task 'a' has no setting 'orders'. Did you mean order?"),
        ('[[tasks]]\nname = "a"\norder = "randon"', "task 'a': order is never 'randon'. Did you mean random?"),
        ('[[tasks]]\nname = "a"\norder = 3', "order is never 3. It knows imported, random, fewest, uncertain,"),
        ('[[tasks]]\nname = "a"\npairs = "temperature"', "pairs is never 'temperature'. Did you mean temperatures?"),
        ('[[tasks]]\nname = "a"\nplanned = -1', "task 'a': planned must be a whole number of 0 or more, not -1."),
        ('[[tasks]]\nname = "a"\nplanned = true', "planned must be a whole number of 0 or more, not True."),
        ('[[tasks]]\nname = "a"\nrepeats = 10', "repeats must be a share from 0 to 1, not 10. 0.1 is one pair in ten."),
        ('[[tasks]]\nname = "a"\nstrength = "yes"', "strength must be true or false, not 'yes'."),
        ('[[tasks]]\nname = "a"\nquery = 3', "query must be a text, not 3."),
        ('[[tasks]]\nname = "a"\nreasons = "long"', "reasons must be a list of texts, not 'long'."),
        ('[[tasks]]\nname = "a"\ncriteria = ["kind", ""]', "criteria must be a list of texts,"),
        ('[[tasks]]\nname = "a"\ncriteria = ["kind", " kind"]', "criteria has a text twice."),
        (f'[[tasks]]\nname = "a"\nreasons = {[str(n) for n in range(10)]}', "task 'a' has 10 reasons; there are keys"),
        (
            '[[tasks]]\nname = "a"\nranking = true\norder = "fewest"',
            "task 'a': a task with ranking can't have the order fewest.",
        ),
        ('[[tasks]]\nname = "a"\nranking = true\npairs = "temperatures"', "with ranking can't choose its pairs."),
    ],
)
def test_a_mistake_is_told_with_the_file_the_task_and_what_is_right(tmp_path, text, message) -> None:
    # Before the first section, or the text would belong to it.
    with pytest.raises(StudioError) as raised:
        create_project(tmp_path / "project", f"{text}\n")
    assert str(raised.value).startswith(f"{tmp_path / 'project' / 'studio.toml'}: ")
    assert message in str(raised.value)
