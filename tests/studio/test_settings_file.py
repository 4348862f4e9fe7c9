"""Changing studio.toml for a person: what they wrote around it stays."""

import tomllib

import pytest

from studio.errors import StudioError
from studio.settings_file import change_named

BEFORE = """# mine
[project]
name = "letters"  # kept

# the first queue
[[tasks]]
name = "tone"
order = "random"  # shuffled

[[tasks]]
name = "facts"

[lint]
longest = 9
"""


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "studio.toml"
    found.write_text(BEFORE, encoding="utf-8")
    return found


def test_only_what_differs_of_the_named_table_is_changed(path) -> None:
    change_named(path, "tasks", "tone", {"name": "tone", "order": "random", "reasons": ["wrong", "rude"]})
    assert path.read_text() == BEFORE.replace("# shuffled\n", '# shuffled\nreasons = ["wrong", "rude"]\n')
    change_named(path, "tasks", "tone", {"name": "kindness", "reasons": None})
    assert path.read_text() == BEFORE.replace('"tone"', '"kindness"')


def test_a_table_is_added_and_taken_out(path) -> None:
    change_named(path, "tasks", "style", {"name": "style", "instructions": "Two\nlines."})
    known = tomllib.loads(path.read_text())
    assert [task["name"] for task in known["tasks"]] == ["tone", "facts", "style"]
    assert known["tasks"][2]["instructions"] == "Two\nlines."
    assert known["lint"] == {"longest": 9}
    change_named(path, "tasks", "tone", None)
    change_named(path, "tasks", "nobody", None)
    text = path.read_text()
    assert [task["name"] for task in tomllib.loads(text)["tasks"]] == ["facts", "style"]
    assert text.startswith('# mine\n[project]\nname = "letters"  # kept\n')


def test_the_first_table_of_a_list(tmp_path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text('[project]\nname = "a"\n', encoding="utf-8")
    change_named(path, "tasks", "tone", {"name": "tone"})
    assert tomllib.loads(path.read_text()) == {"project": {"name": "a"}, "tasks": [{"name": "tone"}]}
    change_named(path, "tasks", "tone", None)
    assert not tomllib.loads(path.read_text()).get("tasks")


def test_a_file_that_can_not_be_read_is_named(tmp_path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text("[project", encoding="utf-8")
    with pytest.raises(StudioError, match="not valid TOML"):
        change_named(path, "tasks", "tone", {"name": "tone"})
    assert path.read_text() == "[project"
