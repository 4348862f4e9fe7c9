"""What an import says of itself: how far it has come, and at its end what it did."""

from dataclasses import dataclass, field

from studio.ingest import Made


@dataclass(frozen=True)
class ImportProgress:
    """How far an import has come."""

    rows: int
    examples: int
    read_bytes: int
    all_bytes: int
    seconds: float
    """Since the import began."""
    to_index: int = 0
    """Rows that are in but can't be searched for yet; said when all rows are in."""
    read_before: int = 0
    """Bytes that hold the rows of an earlier import of the file, which was stopped."""

    @property
    def share(self) -> float:
        """How much of the file was read, from 0 to 1."""
        return min(self.read_bytes / self.all_bytes, 1.0) if self.all_bytes else 1.0

    @property
    def rows_per_second(self) -> float:
        """The rate so far."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """The time that the rest will take at the rate so far; None before there is one."""
        read = self.read_bytes - self.read_before
        return self.seconds * max(self.all_bytes - self.read_bytes, 0) / read if read > 0 else None

    def __str__(self) -> str:
        if self.to_index:
            return f"{self.rows:,} rows are in; {self.to_index:,} still to be made searchable"
        if not self.rows:
            return f"finding where it stopped, {self.share:.0%}"
        eta = self.eta_seconds
        left = f", {eta:,.0f} s left" if eta is not None and eta >= 1 else ""
        words = f"{self.share:.0%}{left}, {self.rows_per_second:,.0f} rows/s"
        return f"{words}, {self.rows:,} rows, {self.examples:,} examples"


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    source_id: int
    name: str
    container: str
    format: str
    records: int
    """Rows read, those that can't be parsed too."""
    rejected: int
    """Rows that can't be parsed; they are kept as records with the reason."""
    duplicates: int
    """Rows that repeat an earlier row of the project, byte for byte; they are kept and linked to it."""
    made: Made
    already: str = ""
    """When the same bytes were imported before; empty for a file that is new."""
    continued: int = 0
    """Rows that an earlier import of the file, which was stopped, had brought in."""
    stopped: bool = False
    """Whether the import was stopped before the end; the same file again goes on from there."""
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    """FILE:LINE: REASON for rows that mean less than they seem to, the first ones."""
    note: str = ""

    def summary(self) -> str:
        """Return the report in a few sentences."""
        counts = [f"{_count(self.records, 'row')} as {self.format} ({self.container})", *self.made.described()]
        if self.rejected:
            counts.append(f"{_count(self.rejected, 'row')} kept that can't be read")
        if self.duplicates:
            repeat = "repeats" if self.duplicates == 1 else "repeat"
            counts.append(f"{self.duplicates:,} that {repeat} an earlier row")
        if self.made.kept_split:
            counts.append(f"{self.made.kept_split:,} that stay in the split which their prompt had already")
        if self.already:
            counts = [f"imported already on {self.already[:10]}", *(self.made.described() or ["nothing was added"])]
        sentences = [f"{self.name}: {', '.join(counts)}."]
        if self.continued:
            sentences.append(f"It went on after the {self.continued:,} rows of the import that was stopped.")
        if self.stopped:
            sentences.append("It was stopped: import the file again to go on from there.")
        return " ".join([*sentences, self.note] if self.note else sentences)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
