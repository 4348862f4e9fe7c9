"""Column statistics: what the columns of the rows in sight hold, and from a value to its rows."""

import pytest
from letters import add_source, new_record
from reading import screen_text, until

from screens.app import StudioApp
from screens.column_statistics import ColumnsWindow
from screens.data import DataScreen
from screens.query_text import added, field_term
from store import records
from store.database import Store
from studio.project import Project


@pytest.fixture
def orders(project: Project, store: Store) -> Project:
    """Forty orders; the lighter ones without a country, one row unreadable."""
    rows = [
        new_record(n, {"weight": n / 2, "to": {"land": "de" if n % 4 else "fr"} if n > 10 else {}, "note": ""})
        for n in range(1, 41)
    ]
    rows.append(new_record(41, None, raw=b"{", error="the row ends"))
    records.add(store, add_source(store, "orders.jsonl"), rows)
    return project


def window(app: StudioApp) -> ColumnsWindow:
    assert isinstance(app.screen, ColumnsWindow)
    return app.screen


async def test_columns_are_counted_and_charted(orders: Project) -> None:
    app = StudioApp(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(window(app).columns.ids) == 4)
        text = screen_text(app)
        assert "Columns of all 41 rows, 1 of them unreadable" in text
        assert " to.land " in text
        await until(pilot, lambda: "numbers: 0.5 to 20" in window(app).text.plain)
        assert "█" in screen_text(app)
        await pilot.press("j", "j")
        await until(pilot, lambda: "in 30 of 40 rows, missing in 10" in " ".join(window(app).text.plain.split()))


async def test_charts_fit_after_a_resize(orders: Project) -> None:
    app = StudioApp(orders)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: "numbers: 0.5 to 20" in window(app).text.plain)
        await pilot.resize_terminal(60, 20)

        def widest() -> int:
            return max(len(line) for line in window(app).text.plain.splitlines() if "█" in line)

        await until(pilot, lambda: widest() <= window(app).text.size.width)


async def test_a_value_leads_to_its_rows(orders: Project) -> None:
    app = StudioApp(orders)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(window(app).columns.ids) == 4)
        await pilot.press("j", "j", "enter", "j", "enter")
        assert isinstance(app.screen, DataScreen)
        assert app.screen.query_text == "to.land:fr"
        await until(pilot, lambda: "1/8 of 41 records" in screen_text(app))


async def test_only_the_rows_of_the_query_are_counted(orders: Project) -> None:
    app = StudioApp(orders)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("slash", *"to.land:fr", "enter", "C")
        await until(pilot, lambda: bool(window(app).columns.ids))
        assert "Columns of all 8 rows    query: to.land:fr" in screen_text(app)


async def test_an_empty_value_can_not_be_asked_for(orders: Project) -> None:
    app = StudioApp(orders)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(window(app).columns.ids) == 4)
        await pilot.press("G", "enter", "enter")
        assert "(empty)" in screen_text(app)
        assert "A query can't ask for this value" in screen_text(app)


async def test_no_rows_and_leaving_at_once_are_no_trouble(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("C", "enter", "escape", "C")
        await until(pilot, lambda: "These rows have no columns." in screen_text(app))
        await pilot.press("j", "enter", "tab", "enter", "escape", "escape")
        assert isinstance(app.screen, DataScreen)


async def test_hostile_columns_are_shown_as_they_are(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(window(app).columns.ids) == 4)
        await pilot.press("G")
        await until(pilot, lambda: "[i]not italic[/i]" in screen_text(app))
        assert "\x1b" not in screen_text(app)


@pytest.mark.parametrize(
    ("path", "value", "term"),
    [
        (["country"], "de", "country:de"),
        (["to", "land"], "New York", 'to.land:"New York"'),
        (["source"], "web", ".source:web"),
        (["my field"], "5", '"my field":5'),
        (["note"], "--", None),
        (["note"], "", None),
        (["to x", "land"], "de", None),
    ],
)
def test_a_value_becomes_a_term_of_the_query_language(path: list[str], value: str, term: str | None) -> None:
    assert field_term(path, value) == term


def test_a_term_joins_the_query_once() -> None:
    assert added("a OR b", "c:d") == "(a OR b) c:d"
    assert added("a c:d", "c:d") == "a c:d"
