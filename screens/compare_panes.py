"""The panes of Compare: a prompt over two replies, side by side, one over the other, or one at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, cast, get_args

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.getters import query_one

from screens.compare_text import Marks, marked_spans, prompt_spans, rendered_lines, reply_text, turns_before
from screens.widgets.conversation import conversation
from screens.widgets.text_view import Pieces, Span, TextView
from store.responses import Response
from studio.labelling.shown import Shown
from studio.text import clean_line

Layout = Literal["beside", "stacked", "one"]
Choice = Literal["fits", "beside", "stacked", "one"]
Fold = Literal["part", "line", "most"]
View = Literal["raw", "marked", "rendered"]
Side = Literal["left", "right"]

BESIDE_FROM = 100
"""Columns from which two replies stand side by side where nothing else was chosen."""

LAYOUT_WORDS: dict[Choice, str] = {
    "fits": "what fits",
    "beside": "side by side",
    "stacked": "one over the other",
    "one": "one at a time, tab shows the other",
}
FOLD_WORDS: dict[Fold, str] = {"part": "in part", "line": "in a line", "most": "in most of the room"}
VIEW_WORDS: dict[View, str] = {"raw": "", "marked": ", «only here» marked", "rendered": ", rendered"}
MARKS_WORDS: dict[Marks, str] = {
    "": VIEW_WORDS["marked"],
    "same": ", nothing marked: same text",
    "spaces": ", nothing marked: only spaces differ",
    "all": ", nearly all is «only here»",
}


SIDES: tuple[Side, Side] = ("left", "right")
_OTHER: dict[Side, Side] = {"left": "right", "right": "left"}

_HEIGHTS: dict[Fold, tuple[str | int, str]] = {"part": ("1fr", "2fr"), "line": (2, "1fr"), "most": ("2fr", "1fr")}
"""Of the prompt and of the replies."""

ENOUGH_IN_A_ROW = 5
"""Pairs that must have had room one over the other before they stand so again."""


class ReplyView(TextView):
    """One reply, as it was written or with its Markdown rendered."""

    rendered = False

    def lay_out(self, spans: list[Span], width: int) -> Iterator[Pieces]:
        """Yield its lines."""
        if not self.rendered:
            return super().lay_out(spans, width)
        return rendered_lines(spans, width, dark=self.app.current_theme.dark)


class PairPanes(Vertical):
    """The prompt and the two replies; what was chosen about them holds from pair to pair."""

    prompt = query_one("#prompt", TextView)
    replies = query_one("#replies", Container)
    left = query_one("#left", ReplyView)
    right = query_one("#right", ReplyView)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choice: Choice = "fits"
        self.fold: Fold = "part"
        self.together = False
        self.view: View = "raw"
        self._view_words = ""
        self.queue_name = ""
        """The task's name where it has one of its own; above the prompt."""
        self._shown: Shown | None = None
        self._layout_now: Layout | None = None
        self._stands: tuple[str, ...] = ()
        self._fitting_in_a_row = 0
        """Pairs of which both replies would have been in sight, one over the other."""
        self._open: Side = "left"

    def compose(self) -> ComposeResult:
        """Lay the prompt over the two replies."""
        yield TextView(id="prompt")
        with Container(id="replies"):
            yield ReplyView(id="left")
            yield ReplyView(id="right")

    def on_mount(self) -> None:
        """Let one reply follow the other where that was chosen."""
        self.watch(self.left, "scroll_y", partial(self._follow, "left"), init=False)
        self.watch(self.right, "scroll_y", partial(self._follow, "right"), init=False)

    def on_resize(self) -> None:
        """Choose what fits anew, once the panes have wrapped their texts to their new width."""
        self.call_after_refresh(self._fit_anew)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Open the reply that is gone to, where they stand one at a time."""
        if event.widget in (self.left, self.right):
            self._open_side("left" if event.widget is self.left else "right")

    @property
    def focused(self) -> Side | None:
        """The reply that has the focus."""
        if self.left.has_focus:
            return "left"
        return "right" if self.right.has_focus else None

    def show(self, shown: Shown) -> None:
        """Show another pair from its start; the left reply is always the first."""
        self._shown = shown
        spans, start = prompt_spans(shown.prompt)
        self.prompt.show(spans, start=start)
        self._fill()
        # Even the focus on what has it would paint the pane again.
        if not (self.prompt.has_focus or self.left.has_focus):
            self.left.focus()
        self._open = "left"
        self._count_fitting()
        self.stand()

    def note(self, shown: Shown) -> None:
        """Take over what changed about the pair that is shown."""
        self._shown = shown
        self._title()

    @property
    def place(self) -> dict[str, Any]:
        """What was chosen, as it is kept for the next session; views are raw again then."""
        return {"layout": self.choice, "prompt": self.fold, "together": self.together}

    def take_over(self, place: dict[str, Any]) -> None:
        """Choose what was chosen in the session before."""
        if place.get("layout") in get_args(Choice):
            self.choice = place["layout"]
        if place.get("prompt") in get_args(Fold):
            self.fold = place["prompt"]
        self.together = bool(place.get("together"))

    def focus_reply(self) -> None:
        """Go to the reply that one was at."""
        self._pane(self._open).focus()

    def go_on(self) -> None:
        """Go from one reply to the other, and from the prompt back to the replies."""
        if self.prompt.has_focus:
            self.focus_reply()
        else:
            self._pane(_OTHER[self._open]).focus()

    def next_layout(self) -> None:
        """Take the next way to lay the replies out."""
        self.choice = _next(get_args(Choice), self.choice)
        self.stand()
        self.call_after_refresh(self._fit_anew)

    def next_fold(self) -> None:
        """Give the prompt a line, most of the room, or a part of it; where it has most of it, it is read."""
        self.fold = _next(get_args(Fold), self.fold)
        if self.fold == "most":
            self.prompt.focus()
        elif self.prompt.has_focus:
            self.go_on()
        self.stand()
        self.call_after_refresh(self._fit_anew)

    def toggle_view(self, view: View) -> None:
        """Show the replies in another way, or raw again."""
        self.view = "raw" if self.view == view else view
        if self._shown is not None:
            places = [pane.place for pane in (self.left, self.right)]
            self._fill()
            for pane, place in zip((self.left, self.right), places, strict=True):
                pane.go_to(place)
            self._fit_anew()

    def toggle_together(self) -> None:
        """Scroll the replies together from here on, or alone."""
        self.together = not self.together
        if self.together and self.focused:
            self._follow(self.focused, 0)

    def stand(self) -> None:
        """Lay the panes out as was chosen, or as fits; where nothing changes nothing is painted."""
        self._layout_now = self._fitting()
        self._title()
        stands = (self._layout_now, self.fold, self._open if self._layout_now == "one" else "")
        if stands == self._stands:
            return
        self._stands = stands
        self.prompt.styles.height, self.replies.styles.height = _HEIGHTS[self.fold]
        self.replies.styles.layout = "horizontal" if self._layout_now == "beside" else "vertical"
        for side in SIDES:
            # Of the reply that is away its title stands: that there is one, and how long it is.
            self._pane(side).styles.height = 1 if self._is_away(side) else "1fr"
        # In one frame with the texts; by itself the layout would come in another one after them.
        self.screen.refresh(repaint=False, layout=True)

    def _fit_anew(self) -> None:
        """Other room and other widths: something else may fit."""
        self._layout_now = None
        self._count_fitting()
        self.stand()

    def _pane(self, side: Side) -> ReplyView:
        return self.left if side == "left" else self.right

    def _is_away(self, side: Side) -> bool:
        return self._layout_now == "one" and self._open != side

    def _count_fitting(self) -> None:
        # Each has half of the room, and a line of that is its title.
        room = self.replies.size.height // 2 - 1
        fits = max(self.left.line_count, self.right.line_count) <= room
        self._fitting_in_a_row = self._fitting_in_a_row + 1 if fits else 0

    def _fitting(self) -> Layout:
        if self.choice != "fits":
            return self.choice
        if self.app.size.width >= BESIDE_FROM:
            return "beside"
        # Where replies of all lengths follow each other the layout must not jump to and fro.
        enough = ENOUGH_IN_A_ROW if self._layout_now == "one" else 1
        return "stacked" if self._fitting_in_a_row >= enough else "one"

    def _fill(self) -> None:
        shown = self._shown
        if shown is None:
            return
        if self.view == "marked":
            left, right, marks = marked_spans(shown.left, shown.right)
            self._view_words = MARKS_WORDS[marks]
        else:
            self._view_words = VIEW_WORDS[self.view]
            left, right = conversation(shown.left.messages), conversation(shown.right.messages)
        for pane, spans in zip((self.left, self.right), (left, right), strict=True):
            pane.rendered = self.view == "rendered"
            pane.show(spans)

    def _open_side(self, side: Side) -> None:
        self._open = side
        self.stand()
        if self.together:
            self.call_after_refresh(self._scroll_like, _OTHER[side], side)

    def _title(self) -> None:
        if self._shown is None:
            return
        _set_title(self.prompt, self._prompt_title(self._shown))
        for side, reply in zip(SIDES, (self._shown.left, self._shown.right), strict=True):
            pane = self._pane(side)
            if self._is_away(side):
                extra = _length(pane, reply)
            else:
                extra = self._view_words if reply_text(reply).strip() else ", empty"
            _set_title(pane, f"{side.capitalize()}{extra}")

    def _prompt_title(self, shown: Shown) -> str:
        before = turns_before(shown.prompt)
        # The first two of a prompt must look like two that come back between prompts, or it would be announced.
        is_first = shown.ranking.startswith("1 of ")
        parts = [
            "Prompt",
            f"last of {before + 1:,} turns" if before else "",
            f"ranking {shown.ranking}" if shown.ranking and not is_first else "",
            "flagged" if shown.flagged else "",
            self.queue_name,
        ]
        return ", ".join(part for part in parts if part)

    def _follow(self, source: Side, _: float) -> None:
        if self.together and self.focused == source:
            self._scroll_like(source, _OTHER[source])

    def _scroll_like(self, source: Side, target: Side) -> None:
        y = self._pane(source).scroll_offset.y
        if self._pane(target).scroll_offset.y != y:
            self._pane(target).scroll_to(y=y, animate=False, immediate=True, force=True)


def _length(pane: TextView, reply: Response) -> str:
    lines, characters = pane.line_count, len(reply_text(reply))
    return f": {lines:,} {'line' if lines == 1 else 'lines'}, {characters:,} characters; tab shows it"


def _set_title(pane: TextView, title: str) -> None:
    # The task's name is its user's and no markup. Even the same title would paint the whole pane again.
    content = Content(clean_line(title))
    if pane.border_title != content.markup:
        pane.border_title = cast(str, content)


def _next(values: tuple[Any, ...], value: Any) -> Any:
    return values[(values.index(value) + 1) % len(values)]
