"""The reference pages, in Markdown: every event, code, refusal and measure in plain words."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from contracts import codes
from contracts.authorities import AUTHORITIES
from contracts.cells import MEASURES
from contracts.codes import Code
from contracts.decoding.envelope import MAX_BYTES, MEDIA_TYPE, TYPE_PREFIX, Envelope
from contracts.events import TYPES, Fact, Topic
from contracts.generate import examples, schemas, words
from contracts.rejections import Reason
from contracts.version import VERSION

Schema = dict[str, Any]

_HEAD = "<!-- Generated from the types by `make documents`. Do not edit. -->\n\n"
_LISTS = [
    value for value in vars(codes).values() if isinstance(value, type) and issubclass(value, Code) and value is not Code
]


def pages() -> dict[str, str]:
    """Return the text of each page, by its file name below docs/reference."""
    return {
        "README.md": _HEAD + _text(_index()),
        "codes.md": _HEAD + _text(_codes()),
        "refusals.md": _HEAD + _text(_refusals()),
        "aggregates.md": _HEAD + _text(_aggregates()),
        "authorities.md": _HEAD + _text(_authorities()),
        **{f"events/{name}.md": _HEAD + _text(_event(name)) for name in TYPES},
    }


def _text(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _index() -> Iterator[str]:
    yield f"# Reference of the contract, version {VERSION}"
    yield (
        "Events are [CloudEvents 1.0](https://cloudevents.io) in JSON: one JSON object each, UTF-8, "
        f"{MAX_BYTES // 1024} KiB at most, or the same in binary mode. Members that the contract does not name are refused; an "
        "attribute that is null is absent. Each event states one fact. "
        "The *fact key* tells which fact an event replaces: of the events of an order with the same fact key the latest "
        "counts, by `time`, then by `sequence`, then by `id`. A correction is the same event again with a later time."
    )
    for topic, words_ in ((Topic.ORDERS, "orders"), (Topic.UNPAID_WORK, "unpaid work")):
        yield f"## Events about {words_}, topic `{topic}.<authority>`"
        yield _table(
            ("event", "what happened", "fact key"),
            (
                (f"[`{TYPE_PREFIX}{name}`](events/{name}.md)", words.summary(fact), _fact_key(fact))
                for name, fact in TYPES.items()
                if topic in fact.TOPICS
            ),
        )
    yield "## What every event carries"
    yield _members(schemas.components([Envelope], "")["Envelope"], "", leave_out=("data",))
    yield (
        "## More\n\n* [Code lists](codes.md)\n* [Why an event is refused, and how to correct it](refusals.md)\n"
        "* [Authorities](authorities.md)\n* [National aggregates](aggregates.md)\n"
        "* [How to send events, step by step](../vendor.md)"
    )


def _event(name: str) -> Iterator[str]:
    fact = TYPES[name]
    yield f"# {TYPE_PREFIX}{name}"
    yield words.summary(fact)
    yield _table(
        ("", ""),
        (
            ("topic", " and ".join(f"`{topic}.<authority>`" for topic in fact.TOPICS)),
            ("subject", "`-`" if fact.ABOUT_AUTHORITY else "the order reference"),
            ("fact key", _fact_key(fact)),
            ("schema", f"[{name}.json](../../../contracts/schemas/{name}.json)"),
        ),
    )
    parts = schemas.components([fact], "")
    yield "## Data"
    yield _members(parts[fact.__name__], "../")
    for title, part in parts.items():
        if title != fact.__name__ and "properties" in part:
            yield f"### {title}\n\n{part.get('description', '')}"
            yield _members(part, "../")
    if fact.DATES:
        yield (
            f"{_listed(fact.DATES)} must not lie more than a day after `time` (else `date_after_time`), "
            "nor before 2000 (else `out_of_range`)."
        )
    if refused := [one for one in examples.REFUSED if f'"{TYPE_PREFIX}{name}"'.encode() in one.raw]:
        yield "## Refused, for example"
        yield _table(
            ("reason", "where", "how to correct it"),
            sorted({(f"`{one.reason}`", f"`{one.path}`", one.reason.remedy) for one in refused}),
        )
    for example in examples.valid(name):
        yield "## Example"
        yield f"```json\n{json.dumps(examples.as_sent(example), indent=2, ensure_ascii=False)}\n```"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _fact_key(fact: type[Fact]) -> str:
    if not fact.KEY:
        return "the one that it names"
    if "ref" in fact.__struct_fields__:
        return f"`{fact.KEY}/<ref>`"
    return f"`{fact.KEY}/<month>`" if fact.KEY == "period" else f"`{fact.KEY}`"


def _members(part: Schema, up: str, leave_out: Sequence[str] = ()) -> str:
    required = part.get("required", [])
    return _table(
        ("member", "", "form", "meaning"),
        (
            (
                f"`{name}`",
                "required" if name in required else "optional",
                _form(schema, up),
                schema.get("description", ""),
            )
            for name, schema in part["properties"].items()
            if name not in leave_out
        ),
    )


def _form(schema: Schema, up: str) -> str:
    """Return the form of a value, in words."""
    if "$ref" in schema:
        title = schema["$ref"]
        listed = any(title == one.__name__ for one in _LISTS)
        return f"[code]({up}codes.md#{title.lower()})" if listed else f"[{title}](#{title.lower()})"
    if "anyOf" in schema:
        return " or ".join(_form(one, up) for one in schema["anyOf"] if one != {"type": "null"})
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    return _plain_form(schema, up)


def _plain_form(schema: Schema, up: str) -> str:
    match schema.get("type"):
        case "string" if "format" in schema:
            return {"date": "date", "date-time": "time with offset"}[schema["format"]]
        case "string" if schema.get("pattern") == f"^{MEDIA_TYPE}$":
            return "media type"
        case "string" if "pattern" in schema:
            return f"text like `{schema['pattern']}`"
        case "string":
            return "text"
        case "integer":
            return f"whole number{_limits(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            return f"{schema['minItems']} to {schema['maxItems']} of {_form(schema['items'], up)}"
        case _:
            raise NotImplementedError(schema)


def _limits(schema: Schema) -> str:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is None:
        return ""
    return f", {lowest} or more" if highest is None else f", {lowest} to {highest}"


def _codes() -> Iterator[str]:
    yield "# Code lists"
    yield "Codes never change; labels may. A list marked *published* carries the labels of published statistics; others are ours."
    for one in _LISTS:
        yield f"## {one.__name__}"  # other pages link to it by this heading alone
        if said := [*(["*Published.*"] if one in codes.SEEN else []), *filter(None, [codes.MEANINGS.get(one)])]:
            yield " ".join(said)
        yield _table(("code", "label"), ((f"`{member}`", member.label) for member in one))


def _refusals() -> Iterator[str]:
    yield "# Why an event is refused"
    yield (
        "The same codes come from `payback validate`, from `POST /v1/events` and `POST /v1/validate`, and from the topics: "
        "one piece of code decides. A refused event is kept as it came, and `GET /v1/rejections` shows it to the authority. "
        "`path` is a JSONPath into the event. Messages never repeat what was sent. One reason does not lie in the event itself, so only "
        "the services of records give it: `too_many_facts`, once 2,000 facts of the order were sent to the topic."
    )
    yield _table(("reason", "how to correct it"), ((f"`{reason}`", reason.remedy) for reason in Reason))
    yield "[Examples of each](../../contracts/examples/invalid.json) are kept beside the schemas."


def _aggregates() -> Iterator[str]:
    yield "# National aggregates, topic `national.aggregates`"
    yield (
        "Counts only: nothing about one person or one order. The [data contract]"
        "(../../contracts/national.aggregates.odcs.yaml) says what a subscriber may rely on."
    )
    for title, part in schemas.components(words.aggregates(), "").items():
        yield f"## {title}\n\n{part['description']}"
        yield _table(
            ("member", "meaning"),
            ((f"`{name}`", schema.get("description", "")) for name, schema in part["properties"].items()),
        )
    yield "## Measures"
    yield _table(
        ("measure", "meaning", "unit", "period", "dimensions"),
        (
            (f"`{one.name}`", one.meaning, one.unit, one.period, ", ".join((*["total"] * one.total, *one.dimensions)))
            for one in MEASURES.values()
        ),
    )


def _authorities() -> Iterator[str]:
    yield "# Authorities"
    yield "Retired codes are still understood in `source` and mean the present authority."
    yield _table(
        ("code", "name", "retired code"),
        ((one.code, one.name, one.retired_code or "") for one in AUTHORITIES.values()),
    )
