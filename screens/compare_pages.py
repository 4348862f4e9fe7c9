"""What Compare says where there is no pair on the screen: at first use, while it reads, and when none is left."""

from store import interface_state, journal
from store.database import Store
from studio.labelling.progress import Progress
from studio.labelling.tasks import ALL_PAIRS, Task

INTRODUCED = "compare.introduced"
"""Whether the page of the first use was left, in the interface's state."""

FIRST_USE = """\
Two replies to one prompt: which one is better? Enter shows the first pair.

You will not see whose they are, and their sides change by chance.

  h    left is better      l  right is better
  t    both are as good    b  neither is good
  s    skip                u  takes the last answer back

One key judges, saves to the disk and shows the next pair. Some pairs come back later to see how steady your \
judgement is; say what you think then.

  tab  the other reply     m  another layout
  d    differences         v  Markdown rendered
  c    a comment           ?  {help}{instructions}"""

READING = "Reading which pairs are left ..."

NO_PAIRS = """\
There are no pairs to compare yet.

n: new replies to your prompts, from a model.
1: Data, then i, to import a file with two responses a prompt."""

NONE_FITS = """\
No pair of this project is in the queue {task!r}.

o: choose another queue, or change what this one asks for.
n: new replies to your prompts, from a model."""

NONE_LEFT = """\
No pair is left to decide in the queue {task!r}.

{progress}

i: how it goes: your agreement with yourself, and who wins.
4: Train, then n, for a run on what you prefer. E: export the pairs.
n: new replies to judge. o: another queue.
u: takes your latest verdict back. a: all verdicts, to change one."""


def first_use(instructions: str) -> str:
    """Return what a person is told before the first pair."""
    text = instructions.strip()
    return FIRST_USE.format(help="all keys, and this:" if text else "all keys", instructions=text and f"\n\n{text}")


def is_first_use(store: Store, rater: str) -> bool:
    """Tell whether a person is to be told how Compare works: who left that page, or has judged, is not."""
    if interface_state.recall(store, INTRODUCED):
        return False
    return not journal.latest_verdicts(store, rater=rater, limit=1)


def nothing_left(task: Task, progress: Progress) -> str:
    """Return why there is no pair to judge in a queue, and what to do next."""
    if progress.planned:
        return NONE_LEFT.format(task=task.name, progress=progress)
    return NO_PAIRS if task == ALL_PAIRS else NONE_FITS.format(task=task.name)
