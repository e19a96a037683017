"""Events that their authority has signed, so that nobody on the way can alter them unnoticed.

The signature is a JWS with detached content (RFC 7515, appendix F) in the last member of the event, `signature`. What is signed is the
exact bytes of the event without that member: writing the event anew breaks the signature.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable

from contracts.decoding.envelope import SIGNATURE
from contracts.receipts.keys import PublicKeys, SigningKey
from contracts.receipts.receipt import NotProven

EVENT = "payback-event"
_SIGNED = re.compile(rb'(.*),"signature":"(%b)"}\s*' % SIGNATURE.encode(), re.DOTALL)


def signer(pem: bytes) -> Callable[[bytes], bytes]:
    """Return a function that signs events with this private key. Raises ValueError."""
    key = SigningKey(pem)
    return lambda event: sign(event, key)


def sign(event: bytes, key: SigningKey) -> bytes:
    """Return the event, which is a JSON object, with a signature; the same for the same bytes. An event that is already signed stays as it
    is.
    """
    if _SIGNED.fullmatch(event):
        return event
    event = event.rstrip()
    header, _, signature = key.sign(event, EVENT).split(".")
    return b'%b,"signature":"%b..%b"}' % (event[:-1], header.encode(), signature.encode())


def check_signature(event: bytes, keys: PublicKeys) -> None:
    """Check that one of these keys has signed the event. Raises NotProven if none has."""
    found = _SIGNED.fullmatch(event)
    if found is None:
        raise NotProven("the event has no signature in its last member")
    header, _, signature = found[2].decode().split(".")
    content = urlsafe_b64encode(found[1] + b"}").rstrip(b"=").decode()
    keys.content(f"{header}.{content}.{signature}", EVENT)
