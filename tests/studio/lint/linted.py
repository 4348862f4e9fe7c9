"""Examples to be checked, and what was found in them."""

from store import examples, findings
from store.database import Store
from studio.lint import registry
from studio.lint.report import CheckFindings, read_report
from studio.lint.run import LintProgress, lint
from studio.project import Project

GOOD = "Kyoto lies in the basin of the Kamo river, and was the seat of the court for a thousand years."


def say(answer: str, asked: str = "Where does Kyoto lie?") -> list[dict]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]


def add(store: Store, *answers: str) -> list[int]:
    """Add an example for each answer."""
    start = examples.next_id(store)
    return [
        examples.add(store, record_id=None, messages=say(answer, f"Question {n}: where is it?"), split="train")
        for n, answer in enumerate(answers, start)
    ]


def looked_at(project: Project, store: Store, **options: object) -> int:
    """Run the checks and return how many examples were looked at."""
    seen: list[LintProgress] = []
    lint(project, store, on_progress=seen.append, **options)  # type: ignore[arg-type]
    assert seen[-1].done == seen[-1].total
    return seen[-1].total


def of(store: Store, name: str) -> CheckFindings | None:
    report = read_report(store)
    assert report is not None
    return next((each for each in report.findings if each.check.name == name), None)


def rows(store: Store, name: str) -> list[int]:
    kind = registry.check_of(name).kind
    return [row for page in findings.rows_of(store, kind, name) for row in page]
