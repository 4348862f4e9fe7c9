"""Chat templates: which one counts, what is known to go wrong with them, and that the project's reaches everything."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from store.database import Store
from studio import chat_templates
from studio.cli import main
from studio.errors import StudioError
from studio.models import BaseModel
from studio.project import Project, open_project
from studio.rendering import ChatTokenizer, load_tokenizer, render
from studio.template_traps import traps

PLAIN = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ASKED = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]


def names(tokenizer: ChatTokenizer, template: str, **named: str) -> set[str]:
    changed = replace(tokenizer, template=template, named_tokens={**tokenizer.named_tokens, **named})
    return {trap.name for trap in traps(changed)}


QUIET = {"no-tools", "no-assistant-mask"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (PLAIN, set()),
        (PLAIN.partition("{% if add")[0], {"no-generation-prompt"}),
        (PLAIN.replace("<|im_end|>\n", "\n"), {"no-end-of-turn"}),
        (PLAIN.replace("m['content']", "m['content'] | trim"), {"trims"}),
        ("{{ bos_token }}{{ bos_token }}" + PLAIN, {"double-bos"}),
        ("{{ strftime_now('%Y') }}" + PLAIN, {"clock"}),
        ("{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe good<|im_end|>\n{% endif %}" + PLAIN, {
            "default-system"
        }),
        ("{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}" + PLAIN, {"no-system"}),
        (PLAIN.replace("{{ m['content'] }}", "{{ m['content'] if m['role'] != 'system' else '' }}"), {"drops-system"}),
        (PLAIN.replace("<|im_start|>assistant\n", "<|im_start|>bot\n"), {"prompt-changes"}),
        (PLAIN.replace("in messages %}", "in messages[-2:] %}"), {"one-turn"}),
        ("{{ raise_exception('never') }}", {"refuses", "no-system", "one-turn", "alternates"}),
    ],
)  # fmt: skip
def test_each_trap_is_found(tokenizer: ChatTokenizer, template: str, expected: set[str]) -> None:
    assert names(tokenizer, template) - QUIET == expected


def test_an_end_of_text_that_ends_no_turn_is_found(tokenizer: ChatTokenizer) -> None:
    assert names(tokenizer, PLAIN, eos_token="<|endoftext|>") - QUIET == {"eos-is-another"}


def test_the_default_model_puts_a_system_prompt_in(tokenizer: ChatTokenizer) -> None:
    first = traps(tokenizer)[0]
    assert first.name == "default-system"
    assert "You are a helpful AI assistant named SmolLM" in first.meaning


def test_the_projects_template_takes_the_place_of_the_models(project: Project, base_model: BaseModel) -> None:
    own = chat_templates.chosen(project, base_model)
    assert own is not None
    assert own.origin == f"the GGUF {base_model.source.name}"
    comments = "# mine\n[project] # here\nname = 'x'\nmodel = \"smollm2\"\n"
    (project.folder / "studio.toml").write_text(comments)
    changed = chat_templates.set_override(project, PLAIN)
    assert chat_templates.chosen(changed, base_model) == chat_templates.ChatTemplate(
        PLAIN, "chat_template.jinja of the project"
    )
    reopened = open_project(project.folder)
    assert reopened.settings.chat_template == "chat_template.jinja"
    assert "# mine\n[project] # here\n" in (project.folder / "studio.toml").read_text()
    back = chat_templates.clear_override(changed)
    assert chat_templates.chosen(back, base_model) == own
    assert "chat_template" not in tomllib.loads((project.folder / "studio.toml").read_text())["project"]
    assert (project.folder / "chat_template.jinja").read_text() == PLAIN


def test_no_template_is_taken_that_is_none(project: Project) -> None:
    with pytest.raises(StudioError, match="Line 2 of the chat template is not valid Jinja"):
        chat_templates.set_override(project, "a\n{% for %}")
    with pytest.raises(StudioError, match="empty chat template"):
        chat_templates.set_override(project, " \n")
    with pytest.raises(StudioError, match="half of a character"):
        chat_templates.set_override(project, "{{ messages }} \ud800")
    assert not (project.folder / "chat_template.jinja").exists()


def test_only_the_override_in_use_is_written_over(project: Project, tmp_path: Path) -> None:
    first = chat_templates.set_override(project, PLAIN)
    second = chat_templates.set_override(chat_templates.clear_override(first), f"{PLAIN}2")
    assert second.settings.chat_template == "chat_template-2.jinja"
    assert (project.folder / "chat_template.jinja").read_text() == PLAIN
    again = chat_templates.set_override(chat_templates.clear_override(second), PLAIN)
    assert again.settings.chat_template == "chat_template.jinja"

    shared = tmp_path / "shared.jinja"
    shared.write_text("of many projects")
    outside = replace(again, settings=replace(again.settings, chat_template=str(shared)))
    assert chat_templates.set_override(outside, f"{PLAIN}3").settings.chat_template == "chat_template-3.jinja"
    assert shared.read_text() == "of many projects"


@pytest.mark.parametrize(
    "text", ["{{ 1 / 0 }}", "{{ 10.0 ** 999 }}", "{{ messages | nothing }}", "{{ (1, 2)[5:0:0] }}"]
)
def test_a_template_that_fails_is_refused_in_words(tokenizer: ChatTokenizer, text: str) -> None:
    with pytest.raises(StudioError, match=r"can't render this conversation \(user, assistant\): [^.]+\.") as refused:
        render(replace(tokenizer, template=text), ASKED)
    assert ".." not in str(refused.value)


def test_a_file_that_is_gone_is_said(project: Project, base_model: BaseModel) -> None:
    changed = chat_templates.set_override(project, PLAIN)
    (project.folder / "chat_template.jinja").unlink()
    with pytest.raises(StudioError, match=r"chat_template in studio\.toml names, can't be read"):
        chat_templates.chosen(changed, base_model)


def test_a_tokenizer_without_a_template_takes_the_projects(tmp_path: Path, model_folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((model_folder / name).read_bytes())
    with pytest.raises(StudioError, match="has no chat template"):
        load_tokenizer(tmp_path)
    rendering = render(load_tokenizer(tmp_path, PLAIN), ASKED)
    assert rendering.text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>\n"


def test_the_command_shows_and_sets_it(
    project: Project, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], base_model: BaseModel
) -> None:
    file = tmp_path / "t.jinja"
    file.write_text(PLAIN)
    folder = ["--project", str(project.folder)]
    for arguments, origin in (([], f"the GGUF {base_model.source.name}"), (["--set", str(file)], "of the project")):
        with pytest.raises(SystemExit) as ended:
            main(["chat-template", "--json", *arguments, *folder])
        assert ended.value.code == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["origin"].endswith(origin)
    assert shown["text"] == PLAIN
    assert {trap["name"] for trap in shown["traps"]} == QUIET
