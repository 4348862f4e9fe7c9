"""What the columns of records hold: counted exactly while values are few, honestly said where they are not."""

import pytest

from studio.columns.distribution import Bar, Distribution, bars
from studio.columns.statistics import Columns, ColumnStatistics, beginning
from studio.columns.tally import Counted, Tally
from studio.columns.words import bar_lines, look_words, range_words, spreads

Rows = list[dict[str, object] | None]


def statistics_of(rows: Rows) -> dict[str, ColumnStatistics]:
    columns = Columns()
    for row in rows:
        columns.add(row)
    return {column.name: column for column in columns.look(len(rows)).columns}


def test_missing_empty_and_unreadable_are_told_apart() -> None:
    columns = Columns()
    for row in ({"a": "x"}, {"a": ""}, {"a": " \n"}, {"a": None}, {"b": 1}, None):
        columns.add(row)
    look = columns.look(10)
    first = look.columns[0]
    assert (look.rows, look.of, look.unreadable, look.is_sample) == (6, 10, 1, True)
    assert (first.present, first.missing, first.empty) == (4, 1, 3)
    assert first.types == {"text": 3, "null": 1}
    assert first.values == 3


def test_nested_fields_and_the_items_of_lists_are_columns() -> None:
    turn = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    found = statistics_of(
        [{"meta": {"lang": "de"}, "turns": turn, "tags": ["a", "b"]}, {"turns": turn[:1], "tags": []}]
    )
    assert list(found) == ["meta", "meta.lang", "turns", "turns.role", "turns.content", "tags"]
    assert found["turns.role"].present == 2
    assert found["turns.role"].missing == 0
    assert found["turns.role"].top == [Counted("user", 2, 2), Counted("assistant", 1, 1)]
    assert found["meta.lang"].missing == 1
    assert found["tags"].types == {"list": 2}
    assert found["tags"].empty == 1
    assert found["tags"].distinct == 2
    items = found["turns"].items
    assert items is not None
    assert (items.least, items.most) == (1, 2)


def test_numbers_in_a_table_of_texts_have_a_distribution() -> None:
    found = statistics_of([{"weight": str(n / 2), "price": n} for n in range(101)])
    assert found["weight"].types == {"number as text": 101}
    numbers = found["weight"].numbers
    assert numbers is not None
    assert (numbers.least, numbers.median, numbers.most, numbers.mean) == (0, 25, 50, 25)
    assert [title for title, _ in spreads(found["weight"])] == ["numbers"]
    assert found["price"].types == {"number": 101}


def test_numbers_that_are_none_harm_nothing() -> None:
    found = statistics_of([{"n": float("nan")}, {"n": float("inf")}, {"n": 10**400}, {"n": "1e999"}, {"n": 3}])
    numbers = found["n"].numbers
    assert numbers is not None
    assert (numbers.count, numbers.most) == (1, 3)


def test_numbers_as_large_as_there_are_harm_nothing() -> None:
    rows: Rows = [{"n": number} for number in (-1.7e308, 1.7e308, 9e307, 0, 7)]
    found = statistics_of(rows)
    numbers = found["n"].numbers
    assert numbers is not None
    assert (numbers.least, numbers.most) == (0, 7)


def test_a_column_without_a_name_can_be_seen() -> None:
    assert list(statistics_of([{"": 1}])) == ['""']


def test_numbers_that_are_close_are_told_apart() -> None:
    numbers = statistics_of([{"latitude": 48.8566 + n / 100_000} for n in range(60)])["latitude"].numbers
    assert numbers is not None
    labels = [bar.label for bar in numbers.bars]
    assert len(labels) == len(set(labels)) > 5
    assert labels[0] == "48.8566 to 48.8567"
    assert range_words(numbers) == "48.8566 to 48.85719"
    assert [bar.label for bar in bars([48.85661, 48.85662])] == ["48.85661", "48.85662"]


def test_data_with_keys_like_ids_ends_at_a_bound() -> None:
    columns = Columns()
    for number in range(300):
        columns.add({f"id{number}": 1})
    look = columns.look(300)
    assert len(look.columns) == 100
    assert look.more_columns
    assert "only the first 100 columns" in look_words(look)


def test_deep_nesting_ends_at_a_bound() -> None:
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"a": deep, "b": [[[[[[[[[deep]]]]]]]]]}
    assert 0 < len(statistics_of([deep])) <= 100


def test_of_too_many_values_the_frequent_ones_keep_their_counts() -> None:
    tally = Tally(most=100)
    for number in range(10_000):
        tally.add(f"rare {number}")
        if number % 4 == 0:
            tally.add("frequent")
        if number >= 5_000 and number % 2:
            tally.add("late")
    first, second = tally.top(2)
    assert tally.is_over
    assert tally.distinct == 100
    assert first == Counted("frequent", 2_500, 2_500) or (first.value == "late" and first.count <= 2_500)
    assert {first.value, second.value} == {"frequent", "late"}
    for counted, true in ((c, 2_500) for c in (first, second)):
        assert counted.count <= true <= counted.at_most


def test_where_all_values_are_rare_none_is_named() -> None:
    tally = Tally(most=100)
    for number in range(1_000):
        tally.add(str(number))
    assert tally.top(5) == []


def test_a_sample_gives_the_quantiles_of_all() -> None:
    distribution = Distribution(kept=2_000)
    for number in range(200_000):
        distribution.add(number)
    spread = distribution.spread()
    assert spread is not None
    assert spread.is_sampled
    assert (spread.least, spread.most, spread.mean) == (0, 199_999, 99_999.5)
    assert spread.median == pytest.approx(100_000, rel=0.1)
    assert spread.lower == pytest.approx(50_000, rel=0.15)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 2, 4], [Bar("1", 0.5), Bar("2", 0.25), Bar("4", 0.25)]),
        ([True, False], [Bar("0", 0.5), Bar("1", 0.5)]),
        (range(100), [Bar(f"{n} to {n + 9}", 0.1) for n in range(0, 100, 10)]),
        ([0.5, 0.5], [Bar("0.5", 1.0)]),
    ],
)
def test_a_chart_has_round_edges(values: list[float], expected: list[Bar]) -> None:
    assert bars(sorted(values)) == expected


def test_few_numbers_that_lie_far_out_do_not_flatten_the_chart() -> None:
    found = bars(sorted([*range(1_000), 10**9]))
    assert len(found) > 5
    assert found[-1].label == "1,000 and over"
    assert 0 < found[-1].share < 0.01


@pytest.mark.parametrize(
    "values",
    [
        [n * 1e307 for n in range(-9, 9)],
        [n * 1e-300 for n in range(50)],
        [0.1 * n for n in range(50)],
        [-5.5, *range(50), 7e15],
    ],
)
def test_a_chart_counts_every_number_once(values: list[float]) -> None:
    assert sum(bar.share for bar in bars(sorted(values))) == pytest.approx(1)


def test_bars_fit_their_width_and_show_the_least_share() -> None:
    lines = bar_lines([Bar("few", 0.001), Bar("many", 0.999)], 40)
    assert all(len(line) <= 40 for line in lines)
    assert "▌" in lines[0]
    assert lines[1].endswith(" 99.9%")


def test_a_long_text_is_named_by_its_beginning() -> None:
    text = "one two " * 40
    column = statistics_of([{"t": text}, {"t": text}])["t"]
    [top] = column.top
    assert top.count == 2
    assert top.value.endswith("… (320 characters)")
    assert text.startswith(beginning(top.value))
    assert beginning(top.value).endswith(("one", "two"))
    assert range_words(spreads(column)[0][1]) == "always 320"
