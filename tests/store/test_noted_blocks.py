"""What is noted of examples: kept by columns in blocks, read back in order, whatever block an example is in."""

from store import findings_writing, noted_blocks
from store.noted_blocks import BLOCK

MANY = range(1, 2 * BLOCK + 11)


def noted(example_id: int, text: str = "a") -> list[object]:
    return [example_id, text, [[1.5, None]]]


def test_examples_come_back_in_order_of_their_ids(store) -> None:
    with findings_writing.writing(store) as file:
        assert noted_blocks.read(store, ()) == []
        for part in (MANY[BLOCK // 2 :], MANY[: BLOCK // 2]):
            noted_blocks.keep(file, {each: noted(each) for each in part})
        noted_blocks.keep(file, {3: noted(3, "b"), 2 * BLOCK: noted(2 * BLOCK, "b"), 5: None})
    ids, texts, numbers = noted_blocks.read(store, ())
    assert ids == [each for each in MANY if each != 5]
    assert [each for each, text in zip(ids, texts, strict=True) if text == "b"] == [3, 2 * BLOCK]
    assert numbers[0] == [[1.5, None]]


def test_examples_can_be_left_out(store) -> None:
    with findings_writing.writing(store) as file:
        noted_blocks.keep(file, {each: noted(each) for each in MANY})
    everything_of_a_block = set(range(BLOCK, 2 * BLOCK))
    ids, texts, _ = noted_blocks.read(store, everything_of_a_block | {1})
    assert ids == [*range(2, BLOCK), *range(2 * BLOCK, MANY[-1] + 1)]
    assert len(texts) == len(ids)


def test_those_beyond_a_number_are_forgotten(store) -> None:
    with findings_writing.writing(store) as file:
        noted_blocks.keep(file, {each: noted(each) for each in MANY})
        assert not noted_blocks.forget_after(file, MANY[-1])
        assert noted_blocks.forget_after(file, BLOCK + 1)
        assert noted_blocks.read(store, ())[0] == list(range(1, BLOCK + 2))
        assert noted_blocks.forget_after(file, 0)
        assert noted_blocks.read(store, ()) == []
