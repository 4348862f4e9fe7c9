"""One side of a chat: a line on who answers and how fast, over the turns, of which the latest are laid out."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.getters import query_one
from textual.widgets import Static

from screens.widgets.text_view import Pieces, Span, TextView, wrap
from studio.text import clean_line

LAID_OUT = 40_000
"""Characters of the latest turns that are laid out at first; a key lays out more of the earlier ones."""

STEP = 4
"""Lines that a text which grows scrolls by: each scroll paints the whole pane again."""


@dataclass(frozen=True)
class Block:
    """A turn, or a note about one, laid out by itself."""

    spans: tuple[Span, ...]
    question: int = -1
    """The place of the question that it is, among those of the branch; -1 for all else."""

    @property
    def length(self) -> int:
        """Characters in it."""
        return sum(len(span.text) for span in self.spans)


class TurnsView(TextView):
    """Turns that grow at their end: what was laid out is kept, and the end stays in sight while one is there."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks: list[Block] = []
        self._laid: dict[Block, list[Pieces]] = {}
        self._laid_at = 0
        self._room = LAID_OUT
        self._starts: list[tuple[int, int]] = []
        """Of each question its place, and the line that it begins in."""
        self._follows = True
        self._grows = False

    def show_turns(self, blocks: list[Block], *, anew: bool = False, grows: bool = False) -> None:
        """Show these turns: from where one was, or where they are another chat's, or one is at the end, the end."""
        if anew:
            self._room, self._follows = LAID_OUT, True
        follows = self._follows
        self._blocks, self._grows = blocks, grows
        self.show([], keep_place=True)
        if follows:
            self._go_to_end()

    def reveal(self, question: int) -> None:
        """Scroll to a question of the branch, laying out what is needed."""
        while question not in dict(self._starts) and self._hidden:
            self.action_more()
        line = dict(self._starts).get(question)
        if line is not None:
            self.scroll_to(y=line, animate=False, immediate=True)

    def action_more(self) -> None:
        """Lay out more of the earlier turns; what is in sight stays."""
        if not self._hidden:
            return
        below = self.line_count - self.scroll_offset.y
        self._room *= 4
        self.show([], keep_place=True)
        self.scroll_to(y=self.line_count - below, animate=False, immediate=True, force=True)

    def lay_out(self, _: list[Span], width: int) -> Iterator[Pieces]:
        """Yield the lines of the latest turns, under how many are above them."""
        kept = self._laid if width == self._laid_at else {}
        self._laid = {block: kept.get(block) or list(wrap(list(block.spans), width)) for block in self._latest()}
        self._laid_at, self._starts = width, []
        line = 0
        if self._hidden:
            questions = sum(block.question >= 0 for block in self._blocks[: self._hidden])
            words = f"... {questions:,} earlier {'question' if questions == 1 else 'questions'}; + shows more"
            yield from wrap([Span(words, "italic")], width)
            line = 1
        for block in self._blocks[self._hidden :]:
            if block.question >= 0:
                self._starts.append((block.question, line))
            line += len(self._laid[block])
            yield from self._laid[block]
        if self._grows:
            yield from ([] for _ in range(-line % STEP))

    async def _on_key(self, event: Key) -> None:
        # Over a slow line keys come many at once: what was typed after the key that goes to the line belongs there.
        focused = self.screen.focused
        if focused is not None and focused is not self:
            event.stop()
            focused._forward_event(Key(event.key, event.character))
            return
        bound = self.screen.active_bindings.get(event.key)
        if bound is not None and bound.binding.action == "write":
            event.stop()
            event.prevent_default()
            await self.app.run_action("write", self.screen)

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Follow the end from where it is in sight."""
        super().watch_scroll_y(old, new)
        self._follows = self.is_vertical_scroll_end

    def on_resize(self) -> None:
        """Wrap to the new width; the end stays in sight where it was."""
        follows = self._follows
        super().on_resize()
        if follows:
            self._go_to_end()

    @property
    def _hidden(self) -> int:
        return len(self._blocks) - len(self._latest())

    def _latest(self) -> list[Block]:
        """Return the last turns that there is room for, and at least one."""
        room, first = self._room, len(self._blocks)
        while first and room > 0:
            first -= 1
            room -= self._blocks[first].length
        return self._blocks[first:]

    def _go_to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)
        self._follows = True


class ChatPane(Vertical):
    """The line about a model over what it and the person said."""

    heading = query_one(".heading", Static)
    turns = query_one(TurnsView)

    def __init__(self, place: int) -> None:
        super().__init__(id=f"pane-{place}", classes="chat-pane")
        self.place = place
        self._parts: list[str] = []
        self._shorter: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay the line over the turns."""
        yield Static("", classes="heading", markup=False)
        yield TurnsView(id=f"turns-{self.place}")

    def head(self, parts: list[str], shorter: list[str]) -> None:
        """Say who answers and what is known of it; where not all fits, of the shorter words the first that do."""
        found, other = ([clean_line(part) for part in each] for each in (parts, shorter))
        if (found, other) != (self._parts, self._shorter):
            self._parts, self._shorter = found, other
            self._say()

    def on_resize(self) -> None:
        """Say as much as fits now."""
        self._say()

    def on_descendant_focus(self) -> None:
        """Mark the pane that the keys go to, by more than colour."""
        self._mark(is_here=True)

    def on_descendant_blur(self) -> None:
        """Take the mark off."""
        self._mark(is_here=False)

    def _mark(self, *, is_here: bool) -> None:
        # On the line alone: a class of the pane's own would paint all of it again.
        self.heading.set_class(is_here, "-here")
        self._say()

    def _say(self) -> None:
        room = self.size.width - 4
        whole = " | ".join(self._parts)
        words = whole if cell_len(whole) <= room else fitting(self._shorter, room)
        self.heading.update(f"{'>' if self.heading.has_class('-here') else ' '} {words}", layout=False)


def fitting(parts: list[str], width: int) -> str:
    """Return the parts that a line holds, in order; the first in any case."""
    line = parts[0] if parts else ""
    for part in parts[1:]:
        if cell_len(line) + 3 + cell_len(part) <= width:
            line = f"{line} | {part}"
    return line
