"""Ollama's template writes what the chat template does, byte for byte, or there is none and it is said why."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.release.ollama.evaluation import evaluate
from studio.release.ollama.modelfile import write as write_modelfile
from studio.release.ollama.proof import OllamaTemplate, expected, rendered, template_for
from studio.release.ollama.turns import Source
from studio.rendering import load_tokenizer, render_prompt

NAMED = {"bos_token": "<s>", "eos_token": "</s>"}

MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
MISTRAL_3 = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- endif %}
{%- endfor %}
"""
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
OWN = {"mistral": MISTRAL, "mistral 3": MISTRAL_3, "llama 2": LLAMA_2, "zephyr": ZEPHYR, "chatml": CHATML}
SHIPPED = ("llama3", "llama3_1", "gemma", "gemma3", "phi3", "phi3_5", "qwen2_5", "qwen3", "deepseekv3", "cohere2")

WITHOUT = {"llama3_2": "the day's date", "smolvlm": "each text once"}
"""Templates that Ollama's language can't say, and a word of the reason."""

SYSTEM, ASK = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}
ANSWER, MORE = (
    {"role": "assistant", "content": "There.\n\n- and there"},
    {"role": "user", "content": "{{ .Why }} “é” 漢"},
)


def shipped(name: str) -> str:
    spec = find_spec("trl")
    assert spec
    assert spec.origin
    return (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


@pytest.mark.parametrize("adds_bos", [False, True])
@pytest.mark.parametrize("name", [*OWN, *SHIPPED])
def test_the_common_shapes_are_said_byte_for_byte(name: str, adds_bos: bool) -> None:
    source = Source(OWN.get(name) or shipped(name), NAMED)
    found = template_for(source, adds_bos=adds_bos)
    takes_system = name not in ("mistral", "gemma")
    assert (found.tried, found.takes_system) == (48 if takes_system else 24, takes_system)
    system = [SYSTEM] if takes_system else []
    for messages in ([ASK], [*system, ASK], [ASK, ANSWER, MORE], [*system, ASK, ANSWER, MORE, ANSWER, ASK]):
        text = source.render(messages)
        ours = rendered(found.text, messages)
        is_added = adds_bos and "bos_token" in source.text
        assert ours == (text.removeprefix("<s>") if is_added else text)


def test_the_default_model_s_own_is_what_the_one_renderer_writes(model_folder: Path) -> None:
    tokenizer = load_tokenizer(model_folder)
    found = template_for(Source(tokenizer.template, tokenizer.named_tokens), adds_bos=False)
    for messages in ([ASK], [SYSTEM, ASK, ANSWER, MORE]):
        assert rendered(found.text, messages) == render_prompt(tokenizer, messages).text
    assert found.notes == ("Two questions in a row become one; the chat template does otherwise.",)


@pytest.mark.parametrize("name", WITHOUT)
def test_what_can_not_be_said_is_not_said(name: str) -> None:
    found = template_for(Source(shipped(name), NAMED), adds_bos=False)
    assert found.text == ""
    assert WITHOUT[name] in found.notes[0]
    text = write_modelfile("gguf/m.gguf", found, "Be brief.", ["</s>"], 4096)
    assert "TEMPLATE" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "takes the nearest that it knows" in text
    assert 'SYSTEM """Be brief."""' in text


@pytest.mark.parametrize(
    "template",
    [
        CHATML.replace("message.content +", "message.content | upper +"),
        CHATML.replace("message.content +", "message.content | replace('-', '~') +"),
        CHATML.replace("message.role +", "(message.role if loop.index0 < 3 else 'later') +"),
        "{{ raise_exception('never') }}",
        "no turns at all",
    ],
)
def test_a_template_that_does_more_than_join_is_found_out(template: str) -> None:
    assert template_for(Source(template, NAMED), adds_bos=False).text == ""


def test_differences_without_harm_are_named() -> None:
    notes = " ".join(template_for(Source(shipped("gemma3"), NAMED), adds_bos=True).notes)
    assert "White space at the ends of a text is kept" in notes
    assert "Two questions in a row become one; the chat template refuses that." in notes
    assert "Ollama puts <s> before every text" in " ".join(template_for(Source(CHATML, NAMED), adds_bos=True).notes)
    assert "Tools and tool calls are left out" in " ".join(
        template_for(Source(shipped("qwen2_5"), NAMED), adds_bos=False).notes
    )
    with pytest.raises(StudioError):
        expected(Source(MISTRAL, NAMED), [SYSTEM, ASK], adds_bos=False)


def test_texts_that_no_modelfile_can_hold_are_left_to_the_file_beside_it() -> None:
    template = OllamaTemplate("{{ .Content }}", (), 1)
    assert "SYSTEM" not in write_modelfile("m.gguf", template, 'Say """ often.', [], 64).split("FROM")[1]
    text = write_modelfile("m.gguf", OllamaTemplate("x", (), 1, takes_system=False), "Be brief.", ["<e>", 'a"b'], 64)
    assert text.endswith('PARAMETER stop "<e>"\nPARAMETER num_ctx 64\n')
    assert "system text is left out" in text
    braces = CHATML.replace("<|im_start|>", "{{")
    found = template_for(Source(braces, NAMED), adds_bos=False)
    assert rendered(found.text, [ASK]).startswith("{{user\n")


def test_the_evaluator_follows_go() -> None:
    given: dict[str, Any] = {"System": "s", "Messages": [{"Role": "a", "Content": "1"}, {"Role": "b", "Content": "2"}]}
    assert evaluate("a {{- if .System }} b {{- else }} c {{ end -}}\n d", given) == "a bd"
    assert (
        evaluate('{{ range $i, $_ := .Messages }}{{ if eq $i 1 }}{{ .Content }}{{ "\\n}}" }}{{ end }}{{ end }}', given)
        == "2\n}}"
    )
    for broken in ("{{ if .System }}", "{{ unknown .System }}", "{{ .System .System }}"):
        with pytest.raises(ValueError, match=r"end|known|expected"):
            evaluate(broken, given)
