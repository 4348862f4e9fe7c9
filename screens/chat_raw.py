"""A reply token by token: how likely each was, what else might have stood there; and the prompt's ids as sent."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, message_of
from screens.chance_text import alternatives, bar, flow, is_unsure, percent, rank, visible
from screens.list_over_text import ListOverText
from screens.token_text import Token, tokens_spans
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.chatting.conversation import Answer, Prompt
from studio.chatting.traces import Received, Trace, trace_of
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line

View = Literal["tokens", "text", "sent"]
VIEWS: tuple[View, ...] = ("tokens", "text", "sent")

COLUMNS = (Column("#", 5), Column("Token", 22), Column("Chance", 8), Column("", 10), Column("Rank", 4), Column("Id"))
NO_TRACE = "What this reply was made of was not kept, token by token: it is of an earlier version, or was cut short."


@dataclass(frozen=True)
class _Sent:
    """A prompt as it was sent."""

    trace: Trace | None
    spans: list[Span]
    count: int


class _TokenTable(RecordTable):
    """Tokens, which are not opened: all about one stands below."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave enter out of the line of keys."""
        return action != "open"


class RawTurn(ListOverText[None]):
    """The tokens of a reply over what else might have stood in the place of the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.RAW_TURN, *HELP_KEYS]

    heading = query_one("#heading", Static)

    def __init__(self, prompt: Prompt, answer: Answer | None, name: str) -> None:
        super().__init__()
        self._prompt = prompt
        self._answer = answer
        self._name = name
        self._view: View = "tokens" if answer is not None else "sent"
        self._sent: _Sent | None = None
        self._tokens: list[Received] = []

    def compose(self) -> ComposeResult:
        """Lay the tokens over what else might have been."""
        with Vertical(classes="window tall"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            yield _TokenTable(COLUMNS, self._rows, empty="")
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Read what was kept in a thread; a prompt may have to be rendered."""
        self._stand()
        self.text.show("reading ...")
        work = partial(_read, self.studio.project, self._prompt, self._answer)
        in_background(self, work, self._show, failed=self._failed)

    def action_next_view(self) -> None:
        """Show the tokens, the text with marks, or what was sent."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._stand()
        self._fill()

    def action_next_unsure(self, step: int) -> None:
        """Go to the next token that had less than half of the chances, or to the one before."""
        if not self._tokens or self._view != "tokens":
            return
        places = [place for place, token in enumerate(self._tokens) if is_unsure(token)]
        beyond = [place for place in places if (place - self.table.cursor) * step > 0]
        if beyond:
            self.table.go_to(min(beyond) if step > 0 else max(beyond))

    def action_switch_pane(self) -> None:
        """Go to the other pane, where there are two."""
        if self._view == "tokens":
            super().action_switch_pane()

    @on(RecordTable.Highlighted)
    def _show_alternatives(self, event: RecordTable.Highlighted) -> None:
        if self._view == "tokens" and event.row_id is not None and event.row_id < len(self._tokens):
            self.text.show(alternatives(self._tokens[event.row_id]))

    def _show(self, sent: _Sent) -> None:
        self._sent = sent
        if sent.trace is not None:
            self._tokens = [*sent.trace.tokens, *([sent.trace.end] if sent.trace.end else [])]
        self.table.show(range(len(self._tokens)))
        self._fill()

    def _fill(self) -> None:
        if self._sent is None:
            return
        self.heading.update(clean_line(self._title(self._sent)))
        match self._view:
            case "sent":
                self.text.show(self._sent.spans)
            case "text":
                self.text.show(flow(self._tokens) if self._tokens else NO_TRACE)
            case _:
                here = self.table.cursor_id
                self.text.show(NO_TRACE if here is None else alternatives(self._tokens[here]))

    def _title(self, sent: _Sent) -> str:
        if self._view == "sent":
            return f"Sent to {self._name}: {sent.count:,} tokens"
        unsure = sum(map(is_unsure, self._tokens))
        what = "token by token" if self._view == "tokens" else "as text"
        return f"Received from {self._name}, {what}: {len(self._tokens):,} tokens, {unsure:,} below 50 %"

    def _stand(self) -> None:
        self.table.display = self._view == "tokens"
        self.set_class(self._view == "tokens", "-two")
        (self.table if self._view == "tokens" else self.text).focus()

    def _rows(self, places: list[int]) -> dict[int, Row]:
        return {place: _row(place, self._tokens[place]) for place in places if place < len(self._tokens)}

    def _failed(self, error: StudioError) -> None:
        self.text.show(message_of(error))


def _row(place: int, token: Received) -> Row:
    at = rank(token)
    said = (visible(token.text), percent(token.logprob), bar(token.logprob), str(at or "-"), str(token.id))
    return Row((str(place + 1), *said))


def _read(project: Project, prompt: Prompt, answer: Answer | None, store: Store) -> _Sent:
    """Return the prompt as it was sent, or where that was not kept as it would be sent now."""
    from studio.inference.chat import resolve_chat_model
    from studio.rendering import render_prompt

    tokenizer = resolve_chat_model(project, store, prompt.model).load_tokenizer()
    trace = answer.trace or trace_of(store, answer.id) if answer is not None else None
    if trace is not None:
        said = "As it was sent"
        pieces = [(number, tokenizer.decode([number])) for number in trace.prompt]
    else:
        said = "As it would be sent now"
        rendering = render_prompt(tokenizer, prompt.messages)
        pieces = list(zip(rendering.ids, rendering.pieces, strict=True))
    special = tokenizer.special_ids
    tokens = [Token(number, piece, number in special, is_trained=False) for number, piece in pieces]
    legend = Span(f"{said}; special tokens are reversed, \N{MIDDLE DOT} is a space, each with its id.\n\n", "italic")
    return _Sent(trace, [legend, *tokens_spans(tokens, with_ids=True)], len(tokens))
