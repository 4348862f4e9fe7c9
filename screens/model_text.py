"""What the window on the model's view says: rows as trained, batches as collated, two renderings side by side."""

from difflib import SequenceMatcher
from itertools import zip_longest

from screens.token_text import LEGEND, Token, counts_words, cut_words, rest_spans, tokens_of, tokens_spans
from screens.widgets.text_view import Span
from studio.as_trained import RowSeen
from studio.preview import Seen
from studio.rendering import ChatTokenizer, Rendering
from studio.training.plan import batch_words
from studio.training.plan.batch import Batch, BatchRow, Part

FEW_TOKENS = 6
"""How many are quoted where two renderings part."""


# As trained


def rows_spans(rows: list[RowSeen], *, with_ids: bool) -> list[Span]:
    """Return every row in full, with what is trained of it and where it is cut."""
    spans = [Span(f"{LEGEND}\n\n", "italic")]
    for row in rows:
        spans += _row_spans(row, with_ids=with_ids)
    return spans


def _row_spans(row: RowSeen, *, with_ids: bool) -> list[Span]:
    title = f"Example {row.example}, {row.method}"
    left_out = row.left_out or (row.sequences[0].left_out if row.sequences else "")
    spans = [Span(f"{title}\n", "bold underline")]
    if left_out:
        spans.append(Span(f"Training leaves it out: {left_out}\n", "bold"))
    if len(row.sequences) == 2:
        return spans + _pair_spans(row.sequences, with_ids=with_ids)
    for seen in row.sequences:
        tokens = tokens_of(seen.rendering, seen.special, seen.max_length)
        spans.append(Span(f"{counts_words(seen)}\n\n"))
        spans += [*tokens_spans(tokens, cut_words(seen), with_ids=with_ids), *rest_spans(seen), Span("\n\n")]
    return spans if row.sequences else [*spans, Span("\n")]


def _pair_spans(pair: list[Seen], *, with_ids: bool) -> list[Span]:
    """Return prompt_ids, chosen_ids and rejected_ids, as DPO takes them."""
    start = pair[0].rendering.prompt_length
    whole_cut = cut_words(pair[0])
    parts: list[tuple[str, list[Token], str, list[Span]]] = [
        ("prompt_ids", _all_tokens(pair[0])[:start], whole_cut, [])
    ]
    parts += [(f"{seen.side}_ids", _all_tokens(seen)[start:], cut_words(seen), rest_spans(seen)) for seen in pair]
    spans = []
    for name, tokens, cut, rest in parts:
        kept = sum(not token.is_lost for token in tokens)
        spans.append(Span(f"\n{name}: {kept:,} tokens\n", "underline"))
        spans += [*tokens_spans(tokens, cut, with_ids=with_ids), *rest, Span("\n")]
    return [*spans, Span("\n")]


def _all_tokens(seen: Seen) -> list[Token]:
    return tokens_of(seen.rendering, seen.special, seen.max_length)


# The batch


def batch_spans(batch: Batch, tokenizer: ChatTokenizer, *, first: bool, with_ids: bool) -> list[Span]:
    """Return a batch: what it is, a drawing of its rows, then their tokens."""
    spans = [
        Span(f"{batch_words.title(batch, first=first)}\n", "bold underline"),
        Span(f"{batch_words.facts(batch)}\n\n"),
    ]
    for number, row in enumerate(batch.rows, start=1):
        spans.append(Span(f"row {number:<3} |{batch_words.bar(row)}|  {batch_words.of_row(row)}\n"))
    spans.append(Span(f"{batch_words.BAR_LEGEND}\n\n{LEGEND}\n", "italic"))
    for number, row in enumerate(batch.rows, start=1):
        for part in row.parts:
            spans.append(Span(f"\nrow {number}, {batch_words.of_part(part)}\n", "underline"))
            spans += [*tokens_spans(_batch_tokens(row, part, tokenizer), with_ids=with_ids), Span("\n")]
        if row.padding:
            pad = row.ids[row.present.index(False)]
            spans.append(Span(f"then {row.padding:,} of padding, each {tokenizer.decode([pad])}/{pad}\n", "dim"))
    return spans


def _batch_tokens(row: BatchRow, part: Part, tokenizer: ChatTokenizer) -> list[Token]:
    places = range(part.start, part.end)
    return [
        Token(row.ids[i], _piece(tokenizer, row.ids[i]), row.ids[i] in tokenizer.special_ids, row.trained[i])
        for i in places
    ]


def _piece(tokenizer: ChatTokenizer, token: int) -> str:
    """Return a token's text by itself; a part of a character is no text."""
    piece = tokenizer.decode([token])
    name = tokenizer.tokenizer.id_to_token(token) or ""
    # Decoders of the SentencePiece kind drop the space before the first word.
    space = " " if name.startswith("\N{LOWER ONE EIGHTH BLOCK}") and not piece.startswith(" ") else ""
    return space + piece.replace("\N{REPLACEMENT CHARACTER}", "")


# Two renderings


def compare(first: Seen, second: Seen, *, with_ids: bool) -> tuple[list[Span], list[Span]]:
    """Return two renderings; lines that differ begin with - in the first and with + in the second."""
    left, right = (_lines(seen, with_ids=with_ids) for seen in (first, second))
    in_left, in_right = _different(left, right)
    return _marked(left, in_left, "-"), _marked(right, in_right, "+")


def difference(first: Seen, second: Seen) -> str:
    """Return in words how two renderings differ: in their counts, and where their tokens part."""
    one, two = first.rendering, second.rendering
    counts = (
        f"{len(one.ids):,} and {len(two.ids):,} tokens, {sum(one.trained):,} and {sum(two.trained):,} of them trained."
    )
    texts = "The texts are equal" if one.text == two.text else "The texts differ"
    if one.ids == two.ids:
        return f"{counts} {texts}, and so are all tokens." if one.text == two.text else f"{counts} {texts}."
    at = next(n for n, (a, b) in enumerate(zip_longest(one.ids, two.ids)) if a != b)
    return f"{counts} {texts}; the tokens part at {at:,}: {_quoted(one, at)} and {_quoted(two, at)}."


def _marked(lines: list[str], differing: set[int], sign: str) -> list[Span]:
    return [
        Span(f"{sign} {line}\n", "bold") if number in differing else Span(f"  {line}\n")
        for number, line in enumerate(lines)
    ]


def _lines(seen: Seen, *, with_ids: bool) -> list[str]:
    if not with_ids:
        return seen.rendering.text.split("\n")
    tokens = tokens_of(seen.rendering, seen.special)
    return "".join(span.text for span in tokens_spans(tokens, with_ids=True)).split("\n")


def _different(left: list[str], right: list[str]) -> tuple[set[int], set[int]]:
    found: tuple[set[int], set[int]] = (set(), set())
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            found[0].update(range(a, b))
            found[1].update(range(c, d))
    return found


def _quoted(rendering: Rendering, at: int) -> str:
    return repr("".join(rendering.pieces[at : at + FEW_TOKENS])) if at < len(rendering.ids) else "the end"
