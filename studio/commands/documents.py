"""`studio documents`: what the project's documents are, what of them is indexed, and what a question finds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from studio.retrieval.documents import Passage

SHOWN = 300
"""Characters of a passage that are printed."""


@click.group("documents")
def documents() -> None:
    """Passages of your documents, put before questions: index, list, search.

    [documents] in studio.toml names the folders; docs/retrieval.md has the rest.
    """


@documents.command("index")
@project_option
@json_option
def index(folder: Path, as_json: bool) -> None:
    """Read documents that are new or changed, and forget those that are gone."""
    from store import passages
    from studio.retrieval import embedding
    from studio.retrieval.indexing import catch_up

    with opened(folder) as (project, _), passages.opened(project.database) as held:
        try:
            done = catch_up(project, held, on_progress=lambda at: progress(str(at)))
            embedded = embedding.catch_up(
                project, held, on_progress=lambda number: progress(f"{number:,} passages embedded")
            )
        finally:
            progress_done()
        problems = [d.name for d in passages.documents(held).values() if d.problem]
    if as_json:
        result = {"documents": done.documents, "read": done.read, "removed": done.removed, "embedded": embedded}
        print_json({**result, "problems": problems})
        return
    words = f", {embedded:,} passages embedded" if embedded else ""
    say(f"{done.documents:,} documents; {done.read:,} read, {done.removed:,} removed{words}.")
    if problems:
        say(f"{len(problems):,} could not be read; studio documents list says why.", err=True)


@documents.command("list")
@project_option
@json_option
def list_documents(folder: Path, as_json: bool) -> None:
    """List what is indexed, what could not be read, and what is not indexed yet."""
    from store import passages
    from studio.retrieval.indexing import changed

    with opened(folder) as (project, _), passages.opened(project.database) as held:
        again = {file.name for file in changed(project, held)[0]}
        known, counts = passages.documents(held), passages.counts(held)
    rows: list[dict[str, Any]] = [
        {
            "file": name,
            "passages": counts.get(name, 0),
            "problem": known[name].problem if name in known else "",
            "current": name not in again,
        }
        for name in sorted(known.keys() | again)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = row["problem"] or ("" if row["current"] else "to be indexed")
        say(f"{row['passages']:>7,}  {clean_line(row['file'])}  {state}".rstrip())
    if not rows:
        say("The folders hold no documents that can be read.", err=True)


@documents.command("search")
@click.argument("question")
@click.option("-k", "most", type=click.IntRange(1, 50), help="Passages (default: as many as chat is given).")
@click.option("--text", "as_text", is_flag=True, help="Print the question as a model is sent it.")
@project_option
@json_option
def search(question: str, most: int | None, as_text: bool, folder: Path, as_json: bool) -> None:
    """Show the passages that a question finds."""
    from studio.retrieval.documents import passages_for
    from studio.retrieval.insertion import inserted

    with opened(folder) as (project, _):
        found = passages_for(project, question, most)
        text = inserted(project.settings.documents, question, found)
    if as_json:
        print_json({"question": question, "text": text, "passages": [passage_fields(each) for each in found]})
    elif as_text:
        say(text)
    else:
        for each in found:
            _print(each)
        if not found:
            say("No passage has any of these words.", err=True)


@documents.command("used")
@click.argument("example", type=int)
@project_option
@json_option
def used(example: int, folder: Path, as_json: bool) -> None:
    """Show which passages were put into an example, as they were then."""
    from store import examples
    from studio.retrieval.documents import passages_in

    with opened(folder) as (_, store):
        messages = examples.get(store, example).messages
        found = passages_in(store, "\n".join(str(message.get("content") or "") for message in messages))
    if as_json:
        print_json([passage_fields(each) for each in found])
        return
    for each in found:
        _print(each)
    if not found:
        say(f"No passage was put into example {example} by a template.", err=True)


def passage_fields(passage: "Passage") -> dict[str, Any]:
    """Return what is printed of a passage as JSON."""
    return {**passage.as_fields(), "score": round(passage.score, 4)}


def _print(passage: "Passage") -> None:
    heading = f"  {clean_line(passage.heading)}" if passage.heading else ""
    say(f"{clean_line(passage.file)}:{passage.lines}{heading}")
    say(f"    {clean_line(passage.text)[:SHOWN]}")


COMMANDS = (documents,)
