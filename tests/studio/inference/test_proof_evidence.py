"""Evidence is read back as it was kept, that of earlier versions too; conversations are read from files."""

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.inference.proof import Check, Evidence, Finding, read
from studio.inference.proof.conversations import of_file, varied
from studio.inference.proof.evidence import Difference, Piece, lines, write

TOKENS = Check("tokens", "equal", "2 texts, 9 tokens, none differs from llama.cpp's", (), {"texts": 2.0})


def test_it_is_read_back(tmp_path: Path) -> None:
    difference = Difference("the chat template", 3, "abc", (Piece("d\n", 7),), ())
    checks = (
        TOKENS,
        Check("template", "different", "no", (Finding("template", "It differs.", "Mend it."),), {}, difference),
    )
    evidence = Evidence("dpo-1", checks, {"gguf": "m.gguf"}, "2026-01-01T00:00:00+00:00")
    write(tmp_path, evidence)
    assert read(tmp_path) == evidence
    assert evidence.sentence == "DIFFERENT: template; It differs."
    shown = "\n".join(lines(evidence))
    assert "7 'd\\n' (U+0064 U+000A)" in shown
    assert "Mend it." in shown


def test_what_is_said_of_it(tmp_path: Path) -> None:
    assert Evidence("m", (TOKENS,)).sentence == "equal: 2 texts, 9 tokens, none differs from llama.cpp's"
    assert not Evidence("m", (Check("template", "equal", "the same"),)).equal, "without tokens nothing is proven"
    assert Evidence("m", ()).sentence == "not checked"
    assert read(tmp_path) is None
    (tmp_path / "parity.json").write_text('{"checks": 3}', encoding="utf-8")
    assert read(tmp_path) is None


@pytest.mark.parametrize(("unequal", "said"), [(0, "equal: 40 texts, 812 tokens"), (2, "DIFFERENT in 2 of 40 texts")])
def test_that_of_an_earlier_version_is_read(tmp_path: Path, unequal: int, said: str) -> None:
    difference = {"label": "example 7", "position": 3, "before": "a", "trained": ["b"], "llama": ["c", "d"]}
    kept = {"texts": 40, "tokens": 812, "unequal": unequal, "not_rendered": 0}
    document = {**kept, "first_difference": difference if unequal else None}
    (tmp_path / "parity.json").write_text(json.dumps(document), encoding="utf-8")
    found = read(tmp_path)
    assert found is not None
    assert found.sentence.startswith(said)
    assert found.equal is not bool(unequal)


def test_conversations_are_read_from_lines(tmp_path: Path) -> None:
    turn = {"role": "user", "content": "Hello"}
    path = tmp_path / "some.jsonl"
    path.write_text(f"{json.dumps([turn])}\n\n{json.dumps({'messages': [turn], 'tools': []})}\n", encoding="utf-8")
    assert [(each.label, each.messages) for each in of_file(path)] == [
        ("some.jsonl:1", [turn]),
        ("some.jsonl:3", [turn]),
    ]
    path.write_text('{"prompt": "Hello"}\n', encoding="utf-8")
    with pytest.raises(StudioError, match=r"some\.jsonl:1 holds no conversation"):
        list(of_file(path))


def test_the_varied_ones_have_names_of_their_own() -> None:
    labels = [each.label for each in varied()]
    assert len(labels) == len(set(labels)) > 40
