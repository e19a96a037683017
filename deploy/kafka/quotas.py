"""Tells a broker how much each user may do. The library knows Kafka's messages for that, but has no method that sends them."""

from collections.abc import Mapping
from typing import Any

from kafka.errors import NoError, for_code
from kafka.protocol.admin import AlterClientQuotasRequest

from deploy.kafka.rights import Quota
from services.chassis.streaming.clients.connection import failure

_Entry = AlterClientQuotasRequest.EntryData
_KEYS = {"producer_byte_rate": "write", "consumer_byte_rate": "read", "request_percentage": "time"}


def give(admin: Any, quotas: Mapping[str, Quota]) -> None:
    """Set the quota of each user, whether or not they have credentials yet. Raises Away or Refused."""
    _alter(admin, [_entry(user, quota) for user, quota in quotas.items()])


def take(admin: Any, user: str) -> None:
    """Remove the quota of the user. Raises Away or Refused."""
    _alter(admin, [_entry(user, None)])


def _entry(user: str, quota: Quota | None) -> Any:
    operations = [
        _Entry.OpData(key=key, value=float(getattr(quota, name, 0)), remove=quota is None)
        for key, name in _KEYS.items()
    ]
    return _Entry(entity=[_Entry.EntityData(entity_type="user", entity_name=user)], ops=operations)


def _alter(admin: Any, entries: list[Any]) -> None:
    request = AlterClientQuotasRequest(entries=entries, validate_only=False)
    answer = admin._manager.run(admin._manager.send, request)  # noqa: SLF001 - as the library's own methods do
    for entry in answer.entries:
        error = for_code(entry.error_code)
        if error is not NoError:
            raise failure(error())
