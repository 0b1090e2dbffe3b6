"""Whether a schema changed only by addition."""

from typing import Any

Schema = dict[str, Any]


def broken(published: Schema, now: Schema) -> list[str]:
    """What a reader of the published schema would miss in values of the present one: empty after mere additions.

    Added may be fields that need not be there, values of an enumeration (a reader passes over a reason that it does
    not know), and descriptions.
    """
    return list(_broken("", _resolved(published, published), _resolved(now, now)))


def _broken(where: str, old: Any, new: Any) -> "list[str]":
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if old == new else [f"{where}: {old!r} became {new!r}"]
    found: list[str] = []
    for name in sorted({*old, *new} - {"description", "title", "properties", "required", "enum"}):
        found += _broken(f"{where}/{name}", old.get(name), new.get(name))
    gone = sorted(set(map(str, old.get("enum", ()))) - set(map(str, new.get("enum", ()))))
    found += [f"{where}: {value!r} is gone" for value in gone]
    if ("enum" in old) != ("enum" in new):
        found.append(f"{where}: it became another kind of value")
    if set(old.get("required", ())) != set(new.get("required", ())):
        found.append(f"{where}: what must be there changed")
    for name, field in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            found += _broken(f"{where}/{name}", field, new["properties"][name])
        else:
            found.append(f"{where}/{name}: it is gone")
    return found


def _resolved(part: Any, whole: Schema) -> Any:
    """With every reference replaced by what it names."""
    match part:
        case {"$ref": str(reference)}:
            return _resolved(whole["$defs"][reference.rpartition("/")[2]], whole)
        case dict():
            return {name: _resolved(each, whole) for name, each in part.items() if name != "$defs"}
        case list():
            return [_resolved(each, whole) for each in part]
        case _:
            return part
