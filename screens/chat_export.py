"""A chat written into a file: to read, or to work with; the branch in sight, or all."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from screens.background import in_background
from screens.choose import ChooseLine
from screens.paths import shortest
from store.database import Store
from studio.chatting import keeping
from studio.chatting.exporting import Kind, write_export
from studio.project import Project

if TYPE_CHECKING:
    from screens.base import StudioModal, StudioScreen

WAYS: dict[str, tuple[Kind, bool]] = {
    "Markdown, the branch in sight": ("markdown", False),
    "Markdown, every branch": ("markdown", True),
    "JSON Lines of messages, the branch in sight": ("jsonl", False),
    "JSON Lines of messages, every branch": ("jsonl", True),
}


def ask_export(screen: "StudioScreen | StudioModal[Any]", chat_id: int) -> None:
    """Ask how a chat is to be written, write it, and say where."""

    def written(path: Path) -> None:
        screen.app.notify(f"Written: {shortest(path)}", markup=False)

    def chosen(position: int | None) -> None:
        if position is not None:
            kind, every_branch = list(WAYS.values())[position]
            in_background(screen, partial(_write, screen.studio.project, chat_id, kind, every_branch), written)

    screen.app.push_screen(ChooseLine("Write the chat as", list(WAYS)), chosen)


def _write(project: Project, chat_id: int, kind: Kind, every_branch: bool, store: Store) -> Path:
    return write_export(project, keeping.open_chat(project, store, chat_id), kind, every_branch=every_branch)
