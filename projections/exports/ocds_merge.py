"""What do the releases of one process add up to? OCDS's merging, as far as our releases need it.

Objects are merged member by member, lists of objects by their `id`, every other list as a whole; null takes a member
out. https://standard.open-contracting.org/1.1/en/schema/merging/
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def compile_release(releases: list[Json]) -> Json:
    """The compiled release: of the last date, with the tag `compiled`.

    Raises:
        ValueError: there is no release.
    """
    if not releases:
        raise ValueError("a record has at least one release")
    compiled: Json = {}
    for release in releases:
        compiled = _merge_objects(compiled, release)
    last = releases[-1]
    return {**compiled, "id": f"{last['ocid']}-{last['date']}", "date": last["date"], "tag": ["compiled"]}


def join_parts(parts: list[Json]) -> Json:
    """Put the parts of one release together, the later over the earlier; a null stays, for the record's merging."""
    whole: Json = {}
    for part in parts:
        whole = _merge_objects(whole, part, keep_null=True)
    return whole


def _merge_objects(old: Json, new: Json, *, keep_null: bool = False) -> Json:
    merged = dict(old)
    for name, value in new.items():
        if value is None and not keep_null:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value, keep_null=keep_null)
    return merged


def _merge(old: Any, new: Any, *, keep_null: bool) -> Any:
    if isinstance(new, dict):
        return _merge_objects(old if isinstance(old, dict) else {}, new, keep_null=keep_null)
    if isinstance(new, list) and _have_ids(new) and (old is None or _have_ids(old)):
        by_id: dict[Any, Json] = {item["id"]: item for item in old or []}
        for item in new:
            by_id[item["id"]] = _merge_objects(by_id.get(item["id"], {}), item, keep_null=keep_null)
        return list(by_id.values())
    return new


def _have_ids(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "id" in item for item in items)
