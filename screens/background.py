"""Work in a thread with a store of its own, so that the screen never waits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from textual.worker import Worker, get_current_worker

from screens.base import StudioModal, StudioScreen
from store.database import Store, explained
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.app import StudioApp

Result = TypeVar("Result")


def in_background(
    screen: "StudioScreen | StudioModal[Any] | StudioApp",
    work: Callable[[Store], Result],
    done: Callable[[Result], object],
    *,
    failed: Callable[[StudioError], object] | None = None,
    group: str = "default",
    exclusive: bool = False,
) -> Worker[None]:
    """Call `work` in a thread; then, back in the screen, `done` with its result or `failed` with the reason.

    An exclusive one cancels those of its group before it: their work looks at `get_current_worker().is_cancelled`,
    and whatever comes of it is not told any more.
    """
    project = screen.studio.project
    on_failure = failed or screen.studio.notify_error

    def run() -> None:
        worker = get_current_worker()

        def tell(told: Callable[[Any], object], what: object) -> object:
            return None if exclusive and worker.is_cancelled else told(what)

        try:
            with project.open_store() as store:
                result = work(store)
        except StudioError as error:
            screen.call_later(tell, on_failure, error)
        except OSError as error:
            screen.call_later(tell, on_failure, StudioError(str(error)))
        except Exception as error:
            if known := explained(project.database, error):
                screen.call_later(tell, on_failure, StudioError(str(known)))
                return
            # A fault of ours must be seen, and must not take the app with the user's work down.
            screen.log.error(f"{type(error).__name__}: {error}")
            screen.call_later(tell, on_failure, StudioError(f"The program failed: {type(error).__name__}: {error}"))
        else:
            screen.call_later(tell, done, result)

    return screen.run_worker(run, thread=True, group=group, exclusive=exclusive, exit_on_error=False)
