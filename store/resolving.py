"""Filling in what a query leaves to the project: its saved queries, its files, and how its tags are written."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from store import query, records, saved_queries, tags
from store.database import Store
from store.errors import MissingRowError
from store.findings import checked
from store.query import And, Node, Not, Or, QueryError, Saved, Term
from store.query_names import nearest


def resolve(store: Store, node: Node, within: tuple[str, ...] = ()) -> Node:
    """Return a tree as it is looked up: `within` are the saved queries that it is a part of.

    Raises:
        QueryError: a name is unknown, a saved query can't be read, or stands for itself in the end.
    """
    if isinstance(node, Saved):
        return _saved(store, node, within)
    if isinstance(node, Term):
        return _term(store, node)
    if isinstance(node, Not):
        return Not(resolve(store, node.node, within))
    if isinstance(node, Or):
        return Or(tuple(resolve(store, each, within) for each in node.nodes))
    return _flat(resolve(store, each, within) for each in node.nodes) if isinstance(node, And) else node


def _flat(nodes: Iterable[Node]) -> And:
    """Return nodes as one; what a saved query asks for together with the rest is looked up together with it."""
    return And(tuple(chain.from_iterable(node.nodes if isinstance(node, And) else (node,) for node in nodes)))


def _saved(store: Store, saved: Saved, within: tuple[str, ...]) -> Node:
    if saved.name in within:
        raise QueryError(saved.at, f"@{saved.name} stands for itself in the end", "leave it out")
    if len(within) == query.MOST_NESTED:
        raise QueryError(saved.at, "too many saved queries stand for each other", "write out what they say")
    try:
        text = saved_queries.get(store, saved.name).query
    except MissingRowError:
        known = [each.name for each in saved_queries.all_saved(store)]
        remedy = nearest(saved.name, known) if known else "put it in quotes to search for the word"
        raise QueryError(saved.at, f"there is no saved query '{saved.name}'", remedy) from None
    try:
        return resolve(store, query.parse(text), (*within, saved.name))
    except QueryError as error:
        raise QueryError(saved.at, f"in @{saved.name}, {error.what}", error.remedy) from error


def _term(store: Store, term: Term) -> Term:
    value = str(term.value)
    if term.name == "source":
        return replace(term, value=json.dumps(_sources(store, value, term.at)))
    if term.name == "tag":
        return replace(term, value=json.dumps(tags.spellings(store, value)))
    if term.name == "finding":
        return replace(term, value=_finding(store, value, term.at))
    if term.name == "author":
        plain = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return replace(term, value=f"%{plain}%")
    return term


def _finding(store: Store, name: str, at: int) -> str:
    """Return the kind of rows that a check looks at, and its name."""
    known = checked(store)
    if not known:
        raise QueryError(at, "no check was run on this project yet", "run studio lint first")
    wanted = name.strip().casefold().replace("_", "-")
    if wanted not in known:
        raise QueryError(at, f"no check is named '{name}'", nearest(wanted, known))
    return f"{known[wanted]} {wanted}"


def _sources(store: Store, name: str, at: int) -> list[int]:
    """Return the files of this name, or else those with it in their names."""
    known = {source.id: source.name.casefold() for source in records.sources(store)}
    wanted = name.casefold()
    found = [number for number, known_name in known.items() if known_name == wanted]
    found = found or [number for number, known_name in known.items() if wanted in known_name]
    if not found:
        names = sorted(set(known.values()))
        remedy = nearest(name, names[:20]) if names else "import one first"
        raise QueryError(at, f"no file of this project is named '{name}'", remedy)
    return found
