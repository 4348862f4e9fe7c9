"""Keeping the index of the documents as the documents are: what changed is read again, what is gone is forgotten."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from store import passages
from store.passages import Document
from studio.project import Project
from studio.retrieval.blocks import blocks
from studio.retrieval.cutting import cut
from studio.retrieval.folders import DocumentFile, files_of

LARGEST = 50_000_000
"""Bytes of a document; a larger one is data to import rather than a text to read."""

CUTTING = 1
"""Changes when documents are cut otherwise, so that all are cut again."""


@dataclass
class Indexed:
    """What keeping up came to."""

    documents: int = 0
    read: int = 0
    """Documents that were new or had changed."""
    removed: int = 0
    stopped: bool = False


@dataclass(frozen=True)
class Progress:
    """How far it is."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done:,} of {self.total:,} documents"


def changed(project: Project, index: sqlite3.Connection) -> tuple[list[DocumentFile], list[str]]:
    """Return the documents that are to be read again, and the names of those that are gone.

    Raises:
        StudioError: see `files_of`.
    """
    files, known, cut_as = files_of(project), passages.documents(index), _cut_as(project)
    again = [
        file
        for file in files
        if (old := known.get(file.name)) is None
        or (old.size, old.changed_ns, old.cut) != (file.size, file.changed_ns, cut_as)
    ]
    return again, sorted(known.keys() - {file.name for file in files})


def catch_up(
    project: Project,
    index: sqlite3.Connection,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Indexed:
    """Read what changed, document by document: what was done before a stop stays done.

    Raises:
        StudioError: see `files_of`.
    """
    again, gone = changed(project, index)
    for name in gone:
        passages.remove(index, name)
    done = Indexed(removed=len(gone))
    for number, file in enumerate(again, 1):
        if cancelled():
            done.stopped = True
            break
        done.read += _read_again(project, index, file)
        if on_progress:
            on_progress(Progress(number, len(again)))
    done.documents = len(passages.documents(index))
    return done


def _read_again(project: Project, index: sqlite3.Connection, file: DocumentFile) -> bool:
    """Index a document; tell whether it says anything else than before."""
    cut_as = _cut_as(project)
    try:
        data = b"" if file.size > LARGEST else file.path.read_bytes()
    except OSError as error:
        _put(index, file, b"", cut_as, f"it can't be read: {error.strerror}")
        return True
    digest = blake2b(data, digest_size=16).digest()
    old = passages.document(index, file.name)
    if old and (old.hash, old.cut) == (digest, cut_as) and data:
        passages.touch(index, file.name, file.size, file.changed_ns)
        return False
    if file.size > LARGEST:
        _put(index, file, digest, cut_as, f"it is larger than {LARGEST // 1_000_000} MB")
        return True
    try:
        cuts = list(cut(blocks(_text(data), file.path.suffix.lower()), project.settings.documents.size))
    except ValueError as error:
        _put(index, file, digest, cut_as, str(error))
    else:
        passages.put(index, _document(file, digest, cut_as, ""), cuts)
    return True


def _put(index: sqlite3.Connection, file: DocumentFile, digest: bytes, cut_as: str, problem: str) -> None:
    passages.put(index, _document(file, digest, cut_as, problem), ())


def _document(file: DocumentFile, digest: bytes, cut_as: str, problem: str) -> Document:
    return Document(0, file.name, file.size, file.changed_ns, digest, cut_as, problem)


def _cut_as(project: Project) -> str:
    return f"{CUTTING} {project.settings.documents.size}"


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\0" in data[:8192]:
        raise ValueError("it is no text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 (byte {error.start:,})") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
