"""On which line of a TOML file each key stands; the standard parser does not say."""

import re

_TABLE = re.compile(r"^\s*\[(?!\[)\s*(?P<name>[^\]]+?)\s*\]\s*(#.*)?$")
_ARRAY = re.compile(r"^\s*\[\[\s*(?P<name>[^\]]+?)\s*\]\]\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*(?P<name>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*="""
)


def key_lines(text: str) -> dict[str, int]:
    """Map dotted keys to line numbers from 1; entries of ``[[x]]`` are ``x.0``, ``x.1``.

    Lines inside multi-line strings and arrays belong to the key that opened them.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    depth = 0
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if depth > 0:
            depth += _depth(line)
            continue
        array = _ARRAY.match(line)
        table = _TABLE.match(line)
        key = _KEY.match(line)
        if array:
            name = _plain(array["name"])
            index = counts.get(name, 0)
            counts[name] = index + 1
            prefix = f"{name}.{index}"
            lines.setdefault(name, number)
            lines[prefix] = number
        elif table:
            prefix = _plain(table["name"])
            parts = prefix.split(".")
            for depth_of in range(1, len(parts) + 1):
                lines.setdefault(".".join(parts[:depth_of]), number)
        elif key:
            full = ".".join(filter(None, [prefix, _plain(key["name"])]))
            lines.setdefault(full, number)
            rest = line[key.end() :]
            opened = next((mark for mark in ('"""', "'''") if rest.count(mark) == 1), "")
            fence = opened
            depth = 0 if opened else max(_depth(rest), 0)
    return lines


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _depth(text: str) -> int:
    """How many brackets a line leaves open, strings and comments left out."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*$', "", text)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
