"""Events that their authority has signed, so that nobody on the way can alter them unseen.

The signature is a JWS with detached content (RFC 7515, appendix F) in the last member of the event, `signature`. What is signed are the
bytes of the event without that member, to the letter: whoever writes the event anew breaks it.
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
    """Signs events with this private key. Raises ValueError."""
    key = SigningKey(pem)
    return lambda event: sign(event, key)


def sign(event: bytes, key: SigningKey) -> bytes:
    """The event, which is a JSON object, with a signature; the same for the same bytes. One that is signed stays as it is."""
    if _SIGNED.fullmatch(event):
        return event
    event = event.rstrip()
    header, _, signature = key.sign(event, EVENT).split(".")
    return b'%b,"signature":"%b..%b"}' % (event[:-1], header.encode(), signature.encode())


def check_signature(event: bytes, keys: PublicKeys) -> None:
    """Returns where one of these keys has signed the event. Raises NotProven."""
    found = _SIGNED.fullmatch(event)
    if found is None:
        raise NotProven("the event has no signature in its last member")
    header, _, signature = found[2].decode().split(".")
    content = urlsafe_b64encode(found[1] + b"}").rstrip(b"=").decode()
    keys.content(f"{header}.{content}.{signature}", EVENT)
