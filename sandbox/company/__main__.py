"""Write a company to a folder for inspection.

Usage: python -m sandbox.company --seed 7 --out DIR [--scale 0.05]
"""

import argparse
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.company import build, truth


def plain(value: Any) -> Any:
    """Decimals as text: a JSON number would be read back as a float."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__}")


def write(path: Path, value: Any) -> None:
    """One JSON file; lists one element a line, so that two companies can be compared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        rows = ",\n".join(json.dumps(row, ensure_ascii=False, default=plain) for row in value)
        path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    else:
        text = json.dumps(value, ensure_ascii=False, indent=1, default=plain)
        path.write_text(f"{text}\n", encoding="utf-8")


def main() -> None:
    """Parse the arguments and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    company = build(arguments.seed, arguments.scale)
    for kind, objects in company.hubspot.items():
        write(arguments.out / "hubspot" / f"{kind}.json", objects)
    for kind, objects in company.stripe.items():
        write(arguments.out / "stripe" / f"{kind}.json", objects)
    for name, content in company.files.items():
        target = arguments.out / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for box, folders in company.mail.items():
        for folder in folders.values():
            target = arguments.out / "mail" / box / folder.name
            target.mkdir(parents=True, exist_ok=True)
            for message in folder.messages:
                (target / f"{message.uid}.eml").write_bytes(message.raw)
    write(arguments.out / "truth.json", truth.plain(company.truth))


if __name__ == "__main__":
    main()
