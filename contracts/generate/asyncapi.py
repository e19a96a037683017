"""The AsyncAPI 3 document: who sends what to which topic."""

from typing import Any

import msgspec

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Position
from contracts.events import TYPES, Topic
from contracts.generate import examples, schemas, words
from contracts.topics import NATIONAL_AGGREGATES
from contracts.version import VERSION

_CHANNELS = {Topic.ORDERS: "orders", Topic.UNPAID_WORK: "unpaidWork"}
_AGGREGATES = "aggregates"


def document() -> dict[str, Any]:
    """Return the whole document, complete in itself."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Payback",
            "version": VERSION,
            "description": "Events of community payback orders, one topic for each authority and kind, and the national aggregates.",
        },
        "defaultContentType": "application/json",
        "channels": {**{key: _channel(topic) for topic, key in _CHANNELS.items()}, _AGGREGATES: _aggregates()},
        "operations": {
            **{f"receive_{key}": _operation("receive", key, topic) for topic, key in _CHANNELS.items()},
            "send_aggregates": {"action": "send", "channel": {"$ref": f"#/channels/{_AGGREGATES}"}},
        },
        "components": {
            "messages": {
                **{name: _message(name) for name in TYPES},
                "cell": _aggregate("cell", Cell),
                "position": _aggregate("position", Position),
            },
            "schemas": schemas.messages("#/components/schemas/"),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": f"{topic}.{{authority}}",
        "title": f"{topic} of one authority",
        "description": "An authority's own events. One partition, so that order is kept; the key is the order reference.",
        "parameters": {
            "authority": {
                "description": "The authority's statistical code.",
                "enum": list(AUTHORITIES),
                "examples": ["S12000005"],
            }
        },
        "messages": {name: _to_message(name) for name, fact in TYPES.items() if topic in fact.TOPICS},
        "bindings": {"kafka": {"partitions": 1, "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1}}},
    }  # fmt: skip


def _aggregates() -> dict[str, Any]:
    return {
        "address": NATIONAL_AGGREGATES,
        "title": "National aggregates",
        "description": "Counts only. Values are absolute and versioned: keep the greatest version of each key.",
        "messages": {name: _to_message(name) for name in ("cell", "position")},
        "bindings": {"kafka": {"partitions": 1, "topicConfiguration": {"cleanup.policy": ["compact"]}}},
    }


def _operation(action: str, key: str, topic: Topic) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": f"The platform reads the events that an authority sends to {topic}.",
    }


def _to_message(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{name}"}


def _message(name: str) -> dict[str, Any]:
    fact = TYPES[name]
    return {
        "name": name,
        "title": name,
        "summary": words.summary(fact),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "The subject: the order reference, or -."}}},
        "examples": [{"name": "example", "payload": examples.as_sent(example)} for example in examples.valid(name)],
    }


def _aggregate(name: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": words.summary(kind),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "What the value is about."}}},
    }
