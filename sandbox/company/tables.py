"""CSV files as programs write them."""

import csv
import io

Rows = list[list[str]]


def table(
    header: str | list[str], rows: Rows, *, encoding: str = "utf-8", delimiter: str = ","
) -> bytes:
    """A CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header.split() if isinstance(header, str) else header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)
