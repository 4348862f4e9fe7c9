"""Turns as a template in Ollama's language, which is Go's."""

import json

from studio.release.ollama.turns import Turns


def write(turns: Turns, bos: str, *, adds_bos: bool) -> str:
    """Return the template.

    Args:
        turns: what stands around each turn.
        bos: the token that begins a text.
        adds_bos: whether the GGUF says that this token is to be added to every text.
    """
    lead = bos if turns.begins_with_bos and not turns.default.startswith(bos) else ""
    question, said_bos = turns.before_question, bos if turns.begins_with_bos else ""
    lines = ["{{- range $i, $_ := .Messages }}", "{{- $last := eq (len (slice $.Messages $i)) 1 }}"]
    first_question = _plain(question)
    if said_bos and question.startswith(said_bos):
        # Each question has it, and only that of the first may be left to the GGUF.
        lead = ""
        rest = _plain(question.removeprefix(said_bos))
        first_question = f"{{{{ if gt $i 1 }}}}{_plain(said_bos)}{{{{ end }}}}{rest}" if adds_bos else first_question
    if lead and not adds_bos:
        lines.append(f"{{{{- if eq $i 0 }}}}{_plain(lead)}{{{{ end }}}}")
    if turns.default:
        lines.append(f'{{{{- if and (eq $i 0) (ne .Role "system") }}}}{_plain(turns.default)}{{{{ end }}}}')
    branches = [
        _branch("user", f"{first_question}{_folded(turns)}{{{{ .Content }}}}{_plain(turns.after_question)}"),
        _branch("assistant", _plain(turns.before_answer) + "{{ .Content }}" + _unless_last(turns.after_answer)),
    ]
    if turns.system == "turn":
        text = f"{_plain(turns.before_system)}{{{{ .Content }}}}{_plain(turns.after_system)}"
        branches.insert(0, _branch("system", text))
    lines.append("{{- " + "{{ else ".join(branches) + "{{ end }}")
    if turns.begins_answer:
        lines.append(
            f'{{{{- if and $last (ne .Role "assistant") }}}}{_plain(turns.begins_answer)}{{{{ end }}}}',
        )
    return "\n".join([*lines, "{{- end }}"])


def _branch(role: str, text: str) -> str:
    return f'if eq .Role "{role}" }}}}{text}'


def _unless_last(text: str) -> str:
    """An answer that comes last is one to go on with."""
    return f"{{{{ if not $last }}}}{_plain(text)}{{{{ end }}}}" if text else ""


def _folded(turns: Turns) -> str:
    where = {"first question": "(le $i 1)", "last question": "$last"}.get(turns.system)
    if where is None:
        return ""
    text = f"{_plain(turns.before_system)}{{{{ $.System }}}}{_plain(turns.after_system)}"
    return f"{{{{ if and $.System {where} }}}}{text}{{{{ end }}}}"


def _plain(text: str) -> str:
    """Return text as the template writes it unchanged."""
    return (
        f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if "{{" in text or "}}" in text or '"""' in text else text
    )
