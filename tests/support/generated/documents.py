"""Hypothesis strategies from JSON Schema: everything that a schema of ours accepts. Fails on an unknown keyword."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

_WORDS_ONLY = {"title", "description", "default", "$schema", "$id", "$defs"}
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS = st.one_of(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=_OFFSETS),  # noqa: DTZ001
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1), timezones=_OFFSETS),  # noqa: DTZ001
)
_TIMES = st.one_of(
    _MOMENTS.map(datetime.isoformat),
    _MOMENTS.map(lambda moment: moment.isoformat().lower()),
    _MOMENTS.map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S.123456789}Z"),
    _MOMENTS.map(lambda moment: f"{moment:%Y-%m-%dt%H:%M:%S.5}-00:00"),
    _MOMENTS.map(lambda moment: f"{moment:%Y-%m-%d}T23:59:60Z"),
    _MOMENTS.map(lambda moment: f"{moment:%Y-%m-%d}T18:59:60.25-05:00"),
)
_DATES = st.one_of(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2024, 1, 1), date(2025, 12, 31)))


def of(schema: Schema, parts: dict[str, Schema] | None = None) -> st.SearchStrategy[Any]:
    """Return documents that the schema accepts, complete in itself or with `parts` as the schemas to which it refers."""
    parts = schema.get("$defs", {}) if parts is None else parts
    given = {key: value for key, value in schema.items() if key not in _WORDS_ONLY}
    match given:
        case {"$ref": name}:
            return st.deferred(lambda: of(parts[name.removeprefix("#/$defs/")], parts))
        case {"anyOf": branches}:
            return st.one_of([of(branch, parts) for branch in branches])
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "object"}:
            return _object(given, parts)
        case {"type": "array"}:
            return st.lists(of(given["items"], parts), min_size=given["minItems"], max_size=given["maxItems"])
    return _plain(given)


def _object(schema: Schema, parts: dict[str, Schema]) -> st.SearchStrategy[Any]:
    members = {name: of(member, parts) for name, member in schema["properties"].items()}
    required = {name: members.pop(name) for name in schema.get("required", [])}
    found = st.fixed_dictionaries(required, optional=members)
    if schema.get("additionalProperties") is False:
        return found
    others = st.dictionaries(
        st.sampled_from(["traceparent", "partitionkey", "data_base64"]), of(schema["additionalProperties"], parts)
    )
    return st.builds(lambda named, other: other | named, found, others)


def _plain(schema: Schema) -> st.SearchStrategy[Any]:
    match schema:
        case {"type": "null"}:
            return st.none()
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "integer"}:
            whole = st.integers(schema.get("minimum"), schema.get("maximum"))
            return whole | whole.map(float)
        case {"format": "date"}:
            return _DATES.map(date.isoformat)
        case {"format": "date-time"}:
            return _TIMES
        case {"type": "string"}:
            return _text(schema)
    raise NotImplementedError(schema)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    if "pattern" not in schema:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, 50))
    pattern = schema["pattern"].removeprefix("^").removesuffix("$")
    found = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(exclude_categories=["Cs"]))
    refused = schema.get("not", {}).get("const")
    return found.filter(lambda text: least <= len(text) <= most and text != refused)
