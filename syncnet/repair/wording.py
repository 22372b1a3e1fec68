"""What became of a file, in lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from syncnet.repair.records import RepairRecord
from syncnet.system.text import printable

_STATES = {"repaired": "repaired", "in_sync": "in sync", "refused": "refused"}


def in_ms(offset_ms: float | None) -> str:
    """``274 ms late``; ``no offset`` where none is known."""
    if offset_ms is None:
        return "no offset"
    rounded = round(offset_ms)
    return "0 ms" if rounded == 0 else f"{abs(rounded)} ms {'early' if rounded > 0 else 'late'}"


def describe_record(record: RepairRecord, *, dry: bool, known: bool = False) -> Iterator[str]:
    """``known``: from an earlier run."""
    state = "curable" if dry and record.status == "repaired" and not known else _STATES[record.status]
    yield f"  {state:<9} {printable(record.relative_path)}{'  (as before)' if known else ''}"
    if record.status == "repaired":
        after = f" -> {in_ms(record.residual_ms)}" if record.residual_ms is not None else ""
        yield f"    sound {in_ms(record.offset_before_ms)}{after}"
        yield f"    {record.correction}{f' ({record.sound})' if record.sound else ''}"
        return
    yield f"    {printable(record.reason)}"
    if record.cure:
        yield f"      {printable(record.cure)}"


def format_repairs(records: Sequence[RepairRecord]) -> str:
    """A section of the summary of a run."""
    if not records:
        return "Repair: no video fails only by its offset\n"
    lines = [f"Repair: {describe_counts(records, dry=False)}"]
    lines += [line for record in records for line in describe_record(record, dry=False)]
    return "".join(f"{line}\n" for line in lines)


def describe_counts(records: Iterable[RepairRecord], *, dry: bool) -> str:
    """``2 repaired, 1 in sync, 3 refused``."""
    counts = Counter(record.status for record in records)
    done = "curable" if dry else "repaired"
    return f"{counts['repaired']} {done}, {counts['in_sync']} in sync, {counts['refused']} refused"
