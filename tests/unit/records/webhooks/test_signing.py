"""Signatures are those of Standard Webhooks, as a library that others wrote verifies them."""

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.chassis.clock import system_clock
from services.records.webhooks.signing import Message, Safe, headers, new_secret

MESSAGE = Message("orders.S12000005.1.27.3", '{"type":"orders.found","data":{"remedy":"Ænd it"}}'.encode())


def test_whoever_holds_a_secret_can_verify() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    sent = headers(MESSAGE, [new, old], system_clock())
    for secret in (old, new):
        assert Webhook(secret).verify(MESSAGE.body, sent)["type"] == "orders.found"
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(MESSAGE.body, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(MESSAGE.body.replace(b"found", b"moved"), sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(MESSAGE.body, sent | {"webhook-id": "orders.S12000005.1.27.4"})


def test_secrets_are_kept_sealed_while_keys_change() -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    secret = new_secret()
    sealed = Safe([first]).seal(secret)
    assert secret not in sealed
    assert Safe([second, first]).open(sealed) == secret
    assert Safe([second]).open(sealed) is None
