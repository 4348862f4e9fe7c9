"""Settings: what a file says, what it may leave out, and how a mistake in it is told."""

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.project import create_project, open_project
from studio.settings import (
    DEFAULT_MODEL,
    ResponseTemplate,
    Settings,
    SplitSettings,
    TemplateSettings,
    TrainSettings,
    TurnTemplate,
    read_settings,
)

WHOLE = """
[project]
name = "Letters"
model = "other.gguf"

[splits]
validation = 0.25
test = 0
seed = 7

[template]
name = "mail"
verdict = "{{ verdict }}"
comment = "{{ remark }}"
rater = "Ruth"

[[template.turns]]
role = "system"
content = "Be kind."

[[template.turns]]
role = "user"
content = "{{ body }}"

[[template.responses]]
content = "{{ first }}"
author = "{{ agent }}"

[[template.responses]]
content = "{{ second }}"

[train]
at_once = 2

[keys]
judge_left = "h"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studio.toml"


def test_every_setting_is_read(file) -> None:
    file.write_text(WHOLE)
    assert read_settings(file) == Settings(
        name="Letters",
        model="other.gguf",
        splits=SplitSettings(validation=0.25, test=0, seed=7),
        template=TemplateSettings(
            name="mail",
            turns=(TurnTemplate("system", "Be kind."), TurnTemplate("user", "{{ body }}")),
            responses=(ResponseTemplate("{{ first }}", "{{ agent }}"), ResponseTemplate("{{ second }}")),
            verdict="{{ verdict }}",
            comment="{{ remark }}",
            rater="Ruth",
        ),
        train=TrainSettings(at_once=2),
        keys={"judge_left": "h"},
    )


def test_what_is_left_out_has_a_default(file) -> None:
    file.write_text("")
    assert read_settings(file) == Settings(name="", model=DEFAULT_MODEL, splits=SplitSettings(0.2, 0.1, 1))


def test_a_new_projects_file_says_the_defaults(tmp_path) -> None:
    made = create_project(tmp_path / "letters")
    assert made.settings == Settings(name="letters")
    assert open_project(tmp_path / "letters") == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project", "is not valid TOML"),
        ("[projects]", "there is no section [projects]"),
        ("nonsense = 1", "there is no section [nonsense]"),
        ("[project]\nnmae = 'x'", "[project] has no setting 'nmae'"),
        ("[project]\nname = 3", "project.name must be a text, not 3"),
        ("[splits]\ntrain = 0.7", "[splits] has no setting 'train'"),
        ("[splits]\ntest = 'much'", "splits.test must be a number, not 'much'"),
        ("[splits]\nseed = 1.5", "splits.seed must be a whole number, not 1.5"),
        ("[splits]\nseed = true", "splits.seed must be a whole number, not True"),
        ("[splits]\ntest = -0.1", "shares from 0 to 1"),
        ("[splits]\ntest = nan", "shares from 0 to 1"),
        ("[splits]\ntest = 0.6\nvalidation = 0.6", "1 at most together"),
        ("[[template.turns]]\nrole = 'user'", "[template.turns] is not complete"),
        ("[[template.turns]]\nrole = 'user'\ncontent = 3", "template.turns.content must be a text, not 3"),
        ("[template]\nturn = 'x'", "[template] has no setting 'turn'"),
        ("[template]\nturns = 'x'", "template.turns must be a list of tables"),
        ("[template]\nturns = ['x']", "template.turns must be a table, not 'x'"),
        ("[template]\nresponses = {content = 'x'}", "template.responses must be a list of tables"),
        ("template = 'x'", "template must be a table, not 'x'"),
        ("project = 'x'", "project must be a table, not 'x'"),
        ("splits = 3", "splits must be a table, not 3"),
        ("[[splits]]\ntest = 0.1", "splits must be a table"),
        ("[train]\nat_once = 0", "train.at_once must be 1 or more, not 0"),
        ("keys = 'x'", "keys must be a table, not 'x'"),
        ("[keys]\nquit = 3", "keys.quit must be a text"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_place(file, text, said) -> None:
    file.write_text(text)
    with pytest.raises(StudioError) as caught:
        read_settings(file)
    assert caught.value.message.startswith(str(file))
    assert said in caught.value.message


def test_an_absent_file_says_how_to_make_one(file) -> None:
    with pytest.raises(StudioError, match=r"is not there\. .*studio new"):
        read_settings(file)


def test_a_file_that_is_no_text_is_told(file) -> None:
    file.write_bytes(b"[project]\nname = '\xff\xfe'\n")
    with pytest.raises(StudioError, match="can't be read"):
        read_settings(file)
