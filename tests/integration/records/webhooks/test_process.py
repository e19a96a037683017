"""The sender as it is run, and the receiver that the documents show."""

import os
import re
import signal
import sys
from subprocess import DEVNULL, PIPE

from deploy.local.process import answers, free_ports
from tests.integration.records.webhooks.conftest import KEY, Telling
from tests.support.children import child
from tests.support.processes import until
from tests.support.source import ROOT

PAGE = ROOT / "docs" / "webhooks.md"


def test_the_receiver_in_the_documents_takes_what_the_process_sends(orders: Telling) -> None:
    code = re.search(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    assert code
    (port,) = free_ports(1)
    body = {"name": "Acme", "url": f"http://127.0.0.1:{port}/", "after": ""}
    secret = orders.ask("POST", "", body).json()["secret"]
    orders.refuse("a")
    settings = {
        "PAYBACK_DATABASE_URL": orders.bench.database.url.render_as_string(hide_password=False),
        "PAYBACK_DATABASE_SCHEMA_NAME": "orders",
        "PAYBACK_METRICS_PORT": "0",
        "PAYBACK_WEBHOOKS_KEY": KEY,
        "PAYBACK_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PAYBACK_WEBHOOKS_POLL_SECONDS": "0.1",
    }
    hearing = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    command = [sys.executable, "-m", "services.orders", "webhooks"]
    with child([sys.executable, "-c", code[1]], env=hearing, stdout=PIPE, stderr=DEVNULL, text=True) as receiver:
        try:
            until(lambda: answers(port), "the receiver listens")
            with child(command, env={**os.environ, **settings}, stderr=PIPE, stdout=DEVNULL, text=True) as sender:
                assert receiver.stdout
                assert receiver.stdout.readline().startswith("orders.refused ")
                sender.send_signal(signal.SIGTERM)
                _, logged = sender.communicate(timeout=20)
                assert (sender.returncode, f":{port}" in logged) == (0, False), "an address may hold a secret"
        finally:
            receiver.kill()
    assert orders.shown()[0]["delivered_at"]
