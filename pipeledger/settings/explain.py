"""Pydantic's findings as lines that say what, where and how to mend it."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeledger.settings.draft import Draft
from pipeledger.settings.secrets import secret_fields, variable

Model = TypeVar("Model", bound=BaseModel)


def near(word: str, known: Iterable[object]) -> str:
    """A hint at the nearest known word, or nothing."""
    found = difflib.get_close_matches(word, [str(one) for one in known], n=1)
    return f", did you mean {found[0]!r}?" if found else ""


def validate(draft: Draft, model: type[Model], values: Mapping[str, Any], key: str) -> Model | None:
    """Validate and note every problem; None if there is one.

    A rule over several fields is not asked while one of them is wrong, so the wrong ones
    are taken out and the rest is asked again: nothing waits for the second attempt.
    """
    left = dict(values)
    told: set[tuple[Any, ...]] = set()
    for attempt in range(3):
        try:
            found = model.model_validate(left)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            for one in problems:
                path = one["loc"]
                # A field that was taken out for being wrong is not missing.
                if path and path[:1] in told and one["type"] == "missing":
                    continue
                _explain(draft, one, model, key)
            wrong = {one["loc"][0] for one in problems if one["loc"]}
            told |= {(name,) for name in wrong}
            if not wrong & set(left):
                return None
            left = {name: value for name, value in left.items() if name not in wrong}
            continue
        return found if attempt == 0 else None
    return None


def _explain(draft: Draft, one: Any, model: type[BaseModel], key: str) -> None:
    path = [str(part) for part in one["loc"]]
    full = ".".join(filter(None, [key, *path]))
    name = path[-1] if path else ""
    secrets = secret_fields(model)
    if one["type"] == "extra_forbidden":
        draft.wrong(full, f"unknown key{near(name, _known_keys(model, path[:-1]))}")
    elif one["type"] == "missing" and name in secrets:
        draft.wrong(full, f"is missing; set {variable(full)} or {variable(full)}_FILE")
    elif one["type"] == "missing":
        draft.wrong(full, "is missing")
    elif one["type"] == "value_error":
        for part in re.split(r"; (?=\S)|\n", one["msg"].removeprefix("Value error, ")):
            draft.wrong(full or "settings", part + _secret_hint(part, secrets, key))
    else:
        draft.wrong(full or "settings", one["msg"])


def _secret_hint(text: str, secrets: set[str], key: str) -> str:
    """Where the secrets that a message names come from."""
    named = [name for name in re.findall(r"`(\w+)`", text) if name in secrets]
    if not named:
        return ""
    return f" (set {' or '.join(variable(f'{key}.{name}') for name in named)}, or with _FILE)"


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that are allowed at a place below a model."""
    skips_name = False
    for part in path:
        if skips_name or part.isdigit():
            skips_name = False
            continue
        info = next(
            (one for name, one in model.model_fields.items() if part in {name, one.alias}), None
        )
        inner = _inner_model(info.annotation) if info is not None else None
        if info is None or inner is None:
            return []
        skips_name = get_origin(info.annotation) is dict
        model = inner
    return [info.alias or name for name, info in model.model_fields.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None
