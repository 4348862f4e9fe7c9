"""Versions of templates, and writing one into studio.toml without losing what a person wrote there."""

from dataclasses import replace

import pytest

from store import templates as stored
from studio.errors import StudioError
from studio.project import open_project
from studio.settings import FewShot, FewShotTurn, ResponseTemplate, TemplateSettings, TurnTemplate
from studio.templating import versions
from studio.templating.saving import save_in_settings

PLAIN = TemplateSettings(name="mail", turns=(TurnTemplate("user", "{{ body }}"),))
RICH = TemplateSettings(
    name="mail",
    turns=(TurnTemplate("user", "Subject: {{ s }}\n\n{{ body }}"), TurnTemplate("assistant", '"{{ a }}"\\n')),
    responses=(ResponseTemplate("{{ x }}", "{{ who }}", "true"), ResponseTemplate("{{ y }}")),
    verdict="left",
    system="Be kind.",
    few_shot=(FewShot((FewShotTurn("user", "Q '''"), FewShotTurn("assistant", "A")), 3),),
    tools='[{"name": "f"}]',
    schema='{\n  "type": "object"\n}',
)


def test_versions_are_numbered_under_their_name(store) -> None:
    first, other = versions.save(store, PLAIN), versions.save(store, TemplateSettings("x", PLAIN.turns))
    second = versions.save(store, RICH)
    assert [(v.name, v.number) for v in (first, other, second)] == [("mail", 1), ("x", 1), ("mail", 2)]
    assert versions.save(store, PLAIN) == first
    assert versions.of_project(store) == [second, other, first]
    assert versions.get(store, second.id).template == RICH


def test_a_version_is_named_as_people_say_it(store) -> None:
    versions.save(store, PLAIN)
    versions.save(store, RICH)
    assert versions.named(store, "mail").number == 2
    assert versions.named(store, "mail:1").template == PLAIN
    assert versions.named(store, "1").template == PLAIN
    versions.save(store, TemplateSettings("x", PLAIN.turns))
    with pytest.raises(StudioError, match="can be several"):
        versions.named(store, "1")
    with pytest.raises(StudioError, match=r"no template version 'mail:9'.*mail:2"):
        versions.named(store, "mail:9")


def test_a_template_that_an_earlier_version_of_the_program_kept_is_the_same_one(store) -> None:
    body = (
        '{"name": "mail", "turns": [{"role": "user", "content": "{{ body }}"}],'
        ' "responses": [{"content": "{{ x }}", "author": ""}], "verdict": "", "comment": "", "rater": ""}'
    )
    before = stored.add(store, "mail", body)
    template = TemplateSettings("mail", PLAIN.turns, (ResponseTemplate("{{ x }}"),))
    assert versions.save(store, template).id == before
    assert versions.get(store, before).template == template


def test_a_difference_shows_the_lines_that_differ() -> None:
    lines = versions.difference(PLAIN, TemplateSettings("mail", PLAIN.turns, system="Be kind."))
    assert [line for line in lines if line[0] in "+-"] == ['+system = "Be kind."']
    assert versions.difference(PLAIN, PLAIN) == []


def test_what_is_written_is_read_again(project) -> None:
    for template in (RICH, PLAIN, RICH):
        written = save_in_settings(project, template)
        assert open_project(project.folder) == written
        assert written.settings.template == template


def test_comments_of_a_person_stay(project) -> None:
    path = project.folder / "studio.toml"
    path.write_text(
        '# mine\n[project]\nname = "x" # the name\n\n# how mails become examples\n[template]\nname = "mail" # kept\n\n'
        '# what is asked\n[[template.turns]]\nrole = "user" # they\ncontent = "{{ body }}"\n\n'
        '# the answer\n[[template.turns]]\nrole = "assistant"\ncontent = "{{ a }}"\n\n[keys]\nquit = "Q" # far away\n'
    )
    changed = TemplateSettings(
        "mail", (TurnTemplate("user", "Mail: {{ body }}"), TurnTemplate("assistant", "{{ a }}")), system="S"
    )
    save_in_settings(project, changed)
    text = path.read_text()
    for comment in ("# mine", "# the name", "# how mails", "# kept", "# what is asked", "# they", "# the answer"):
        assert comment in text
    assert "# far away" in text
    assert open_project(project.folder).settings.template == changed
    save_in_settings(project, PLAIN)
    assert "{{ a }}" not in path.read_text()
    assert open_project(project.folder).settings.template == PLAIN


def test_a_text_that_stands_in_a_file_stays_there(project) -> None:
    (project.folder / "tools.json").write_text('[{"name": "f"}]')
    template = TemplateSettings("mail", PLAIN.turns, tools='[{"name": "f"}]', tools_file="tools.json")
    save_in_settings(project, template)
    assert 'tools_file = "tools.json"' in (project.folder / "studio.toml").read_text()
    assert open_project(project.folder).settings.template == template


def test_a_file_that_says_another_thing_by_now_is_not_named(project) -> None:
    file = project.folder / "tools.json"
    old, new = (
        TemplateSettings("mail", PLAIN.turns, tools=f'[{{"name": "{name}"}}]', tools_file="tools.json") for name in "fg"
    )
    assert any('\\"g\\"' in line for line in versions.difference(old, new))
    file.write_text(new.tools)
    written = save_in_settings(project, old)
    assert written.settings.template == replace(old, tools_file="")
    assert open_project(project.folder) == written
    assert file.read_text() == new.tools


def test_half_a_character_is_refused_before_anything_is_written(project) -> None:
    before = (project.folder / "studio.toml").read_text()
    with pytest.raises(StudioError, match=r"half of a character \(U\+D83D\)"):
        save_in_settings(project, replace(PLAIN, system="a \ud83d"))
    assert (project.folder / "studio.toml").read_text() == before
