"""What the model sees: as trained, as a batch, beside another template; and what the token view marks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from letters import HOSTILE, turns
from reading import screen_text, until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.choose import ChooseLine
from screens.model_view import ModelView, OtherModel
from store import examples
from store.database import Store
from studio.project import Project
from studio.settings import TemplateSettings, TurnTemplate
from studio.templating import versions
from studio.text import BEGIN, END

pytestmark = pytest.mark.model

PLAIN = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
PLAIN += "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"


def first(app: StudioApp) -> str:
    assert isinstance(app.screen, ModelView)
    return app.screen.first.plain


async def seen(pilot: Pilot[Any], words: str, where: Callable[[StudioApp], str] = screen_text) -> str:
    app = pilot.app
    assert isinstance(app, StudioApp)
    await until(pilot, lambda: words in where(app))
    return where(app)


async def open_view(pilot: Pilot[Any], example_id: int) -> None:
    """Open the window on one example."""
    app = pilot.app
    assert isinstance(app, StudioApp)
    await pilot.press("2")
    await app.push_screen(ModelView([example_id]))
    await until(pilot, lambda: isinstance(app.screen, ModelView) and "Example" in app.screen.first.plain)


async def compare_with(pilot: Pilot[Any], path: str) -> None:
    """Name a folder or a file; the list before that is there where other packaged models are installed."""
    await pilot.press("o")
    await seen(pilot, "Compare with")
    if isinstance(pilot.app.screen, ChooseLine):
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, OtherModel))
    await pilot.press(*path, "enter")


async def test_trained_tokens_stand_between_marks_and_ids_come_on_request(
    filled: Project, base_model: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "v", "v")
        text = await seen(pilot, f"{BEGIN}It|")
        assert f"|{END}" in text
        await pilot.press("i")
        assert "<|im_start|>/1|" in await seen(pilot, "<|im_start|>/1|")
        await pilot.press("v", "v")
        assert f"{BEGIN}It is on its way" in await seen(pilot, f"{BEGIN}It is on its way")


async def test_the_cut_is_shown_where_it_falls(filled: Project, store: Store, base_model: object) -> None:
    number = examples.add(store, record_id=None, messages=turns("How far?", "far " * 1200), split="train")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "G", "v", "v")
        assert " cut  |" in await seen(pilot, f" cut  |  example {number}")
        detail = app.screen.query_one("#detail").plain  # type: ignore[attr-defined]
        flat = detail.replace("\n", " ")
        before, _, after = flat.partition("--- cut here: ")
        assert "tokens, " in after
        assert "of them trained, are lost at max_length 1024 ---" in after
        assert before.rstrip().endswith(END), "the mark ends where the cut is"
        kept = before.split("space.", 1)[1]
        assert kept.count("|") - kept.count("|>") - kept.count("<|") == 1024


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([*turns("Well?"), {"role": "assistant", "content": "No.", "weight": 0}], "has the weight 0"),
        (turns("long " * 1100, "Yes."), "fills max_length=1024"),
        (turns("Well?"), "without an answer"),
    ],
)
async def test_what_training_leaves_out_is_said(
    filled: Project, store: Store, base_model: object, messages: Any, reason: str
) -> None:
    number = examples.add(store, record_id=None, messages=messages, split="train")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_view(pilot, number)
        assert reason in (await seen(pilot, "Training leaves it out:", first)).replace("\n", " ")


async def test_both_sides_of_a_pair_are_shown_as_dpo_takes_them(filled: Project, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_view(pilot, 13)
        text = await seen(pilot, "rejected_ids:", first)
        assert text.index("prompt_ids:") < text.index("chosen_ids:") < text.index("rejected_ids:")
        assert f"{BEGIN}Yes|" in text
        assert f"{BEGIN}No|" in text


@pytest.mark.parametrize(("size", "stacked"), [((80, 24), True), ((160, 40), False)])
async def test_two_templates_are_compared_beside_or_over_each_other(
    filled: Project, base_model: object, tmp_path: Path, size: tuple[int, int], stacked: bool
) -> None:
    template = tmp_path / "plain.jinja"
    template.write_text(PLAIN)
    app = StudioApp(filled)
    async with app.run_test(size=size) as pilot:
        await open_view(pilot, 1)
        await compare_with(pilot, str(template))
        await seen(pilot, "- <|im_start|>system")
        assert isinstance(app.screen, ModelView)
        window = app.screen
        assert "49 and 28 tokens" in str(window.summary.content)
        assert "The texts differ; the tokens part at 1" in str(window.summary.content)
        assert "- <|im_start|>system" in window.first.plain
        assert "  <|im_start|>user" in window.second.plain
        assert (window.first.region.x == window.second.region.x) == stacked


async def test_a_template_version_is_compared_on_the_record(filled: Project, store: Store, base_model: object) -> None:
    texts = TurnTemplate("user", "Letter: {{ body }}"), TurnTemplate("assistant", "Soon.")
    versions.save(store, TemplateSettings("letters", texts))
    versions.save(store, TemplateSettings("letters", (TurnTemplate("user", "{{ nothing }}"),)))
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_view(pilot, 1)
        await pilot.press("o")
        await until(pilot, lambda: "2 template letters:1" in screen_text(app))
        await pilot.press("2")
        await seen(pilot, "+ Letter: ")
        await pilot.press("o")
        await until(pilot, lambda: "1 template letters:2" in screen_text(app))
        await pilot.press("1")
        await seen(pilot, "letters version 2 can't be applied")


async def test_what_can_not_be_compared_with_is_said(filled: Project, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_view(pilot, 1)
        await compare_with(pilot, "nowhere")
        await seen(pilot, "There is no model 'nowhere'", first)


async def test_selected_examples_become_a_batch_and_then_a_packed_one(filled: Project, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("2", "space", "space", "m")
        await seen(pilot, "Example 2, sft", first)
        await pilot.press("b")
        batch = await seen(pilot, "The selected examples as one batch, sft", first)
        assert "Not packed" in batch
        assert "row 1, example 2: 49 tokens" in batch
        assert re.search(r"row 1 +\|=+#+\|=+#+\|  examples 1, 2", batch)
        await pilot.press("P")
        packed = await seen(pilot, "Packed: 2 examples in 1 row", first)
        assert "row 1, example 2" in packed
        assert "0% is padding" in packed
        await pilot.press("c")
        await seen(pilot, "Chat template")


async def test_every_hostile_example_is_shown(filled: Project, store: Store, base_model: object) -> None:
    last = len(examples.span(store))
    hostile = list(range(last - len(HOSTILE) + 1, last + 1))
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await app.push_screen(ModelView(hostile))
        await until(pilot, lambda: isinstance(app.screen, ModelView) and f"Example {last}" in app.screen.first.plain)
        text = first(app)
        assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"]
