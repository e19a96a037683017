"""The page of the connector: who may use it, and what it says of a dropped file. Nothing is sent here."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from services.connect.faults import CannotGoOn
from services.connect.page.app import application
from services.connect.page.dropped import Dropped
from services.connect.page.importer import Importer
from tests.support.children import child

PORT, KEY = 8123, "the-key"
HERE = f"http://127.0.0.1:{PORT}"
EXAMPLES = Path(__file__).parents[3] / "docs/examples/connect/one-row-per-order"
DAY_1 = EXAMPLES / "orders 2026-03-02.xlsx"


@pytest.fixture
def dropped(tmp_path: Path) -> Dropped:
    folder = tmp_path / "dropped"
    folder.mkdir()
    return Dropped(folder)


@pytest.fixture
def importer(tmp_path: Path, dropped: Dropped) -> Importer:
    return Importer(tmp_path / "orders.yaml", None, dropped)


@pytest.fixture
def visitor(importer: Importer) -> TestClient:
    """Return a browser that has never been here."""
    return TestClient(application(importer, PORT, KEY), HERE, follow_redirects=False)


@pytest.fixture
def browser(visitor: TestClient) -> TestClient:
    """Return a browser that was shown the address with the key."""
    assert visitor.get(f"/?key={KEY}").status_code == 303
    return visitor


def drop(browser: TestClient, name: str, content: bytes, **fields: str) -> str:
    form = {"key": KEY, **fields}
    answer = browser.post("/look", data=form, files={"file": (name, content)}, headers={"Origin": HERE})
    assert answer.status_code in {200, 422}
    return answer.text


@pytest.mark.parametrize("address", ["/", "/mapping", "/static/importer.css", "/?key=", "/?key=another"])
def test_nothing_is_shown_without_the_key(visitor: TestClient, address: str) -> None:
    assert visitor.get(address).status_code == 403


def test_the_key_leaves_the_address_and_lets_in(visitor: TestClient) -> None:
    answer = visitor.get(f"/?key={KEY}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert {"httponly", "samesite=strict"} <= set(answer.headers["set-cookie"].lower().replace(" ", "").split(";"))
    shown = visitor.get("/")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert "script-src" not in shown.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["payback.example", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"[::1]:{PORT}", ""])
def test_a_name_that_was_given_this_address_shows_nothing(browser: TestClient, host: str) -> None:
    assert browser.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("origin", [None, "null", "https://elsewhere.example", f"http://localhost:{PORT}", HERE + "0"])
def test_another_site_can_send_no_form(browser: TestClient, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    for address in ("/look", "/check", "/send", "/mapping"):
        assert browser.post(address, data={"key": KEY}, headers=headers).status_code == 403


@pytest.mark.parametrize("address", ["/look", "/check", "/send", "/mapping"])
def test_a_form_without_the_key_is_not_ours(browser: TestClient, address: str) -> None:
    answer = browser.post(address, data={"key": "another"}, headers={"Origin": HERE})
    assert answer.status_code == 403
    assert "did not come from this page" in answer.text


def test_without_a_mapping_one_is_proposed_kept_and_used(browser: TestClient, importer: Importer) -> None:
    shown = drop(browser, DAY_1.name, DAY_1.read_bytes())
    assert "order.imposed:" in shown
    assert "DOUBT" in shown
    wrong = browser.post("/mapping", data={"key": KEY, "text": "tables: ["}, headers={"Origin": HERE})
    assert wrong.status_code == 422
    assert "is not YAML" in wrong.text
    assert not importer.mapping.exists()
    text = (EXAMPLES / "orders.yaml").read_text().replace("\n", "\r\n")
    digest = shown.split('name="digest" value="')[1].split('"')[0]
    form = {"key": KEY, "text": text, "authority": "S12000047", "digest": digest}
    looked = browser.post("/mapping", data=form, headers={"Origin": HERE}).text
    assert "authority: S12000047\n" in importer.mapping.read_text()
    assert "would be sent" in looked
    assert "order.imposed" in looked


def test_looking_at_a_table_tells_of_it_and_leaves_nothing_behind(browser: TestClient, importer: Importer) -> None:
    importer.mapping.write_text((EXAMPLES / "orders.yaml").read_text())
    said = drop(browser, DAY_1.name, DAY_1.read_bytes())
    assert "30 events would be sent" in said
    assert "age from DOB, which is not sent" in said
    assert not (importer.mapping.parent / "orders.connect").exists()
    assert "did not work" in drop(browser, "orders.csv", b"CPO register\n\nOur ref,Court\n")


def test_what_a_cell_says_is_shown_as_text(browser: TestClient, importer: Importer) -> None:
    importer.mapping.write_text(
        "authority: S12000047\ntables:\n  - file: '*.csv'\n    order: Ref\n    states:\n      contact.made: {made_on: Contact}\n"
    )
    said = drop(browser, "orders.csv", b"Ref,Contact\n1,<b onclick=x>soon</b>\n2,2026-03-02\n")
    assert "orders.csv!B2" in said
    assert "&lt;b onclick=x&gt;" in said
    assert "<b onclick" not in said
    assert "1 event would be sent" in said


@pytest.mark.parametrize("name", ["page.exe", "", "orders.csv/..", "notes"])
def test_what_is_no_table_is_not_kept(dropped: Dropped, name: str) -> None:
    with DAY_1.open("rb") as stream, pytest.raises(CannotGoOn):
        dropped.keep(name, stream)


@pytest.mark.parametrize("name", ["../../orders.csv", "C:\\orders\\orders.csv", "/etc/orders.csv", ".orders.csv"])
def test_a_file_is_kept_in_its_folder_whatever_its_name(dropped: Dropped, tmp_path: Path, name: str) -> None:
    with DAY_1.open("rb") as stream:
        found = dropped.find(dropped.keep(name, stream))
    assert found.name == "orders.csv"
    assert found.parents[1] == tmp_path / "dropped"
    dropped.forget(found.parent.name)
    with pytest.raises(CannotGoOn, match="no longer here"):
        dropped.find(found.parent.name)


@pytest.mark.parametrize("digest", ["", "..", "../..", "/etc", "x" * 400])
def test_no_other_file_can_be_named(dropped: Dropped, digest: str) -> None:
    with pytest.raises(CannotGoOn, match="no longer here"):
        dropped.find(digest)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP], ids=["told to end", "the terminal is closed"])
def test_however_the_page_ends_dropped_files_go(tmp_path: Path, told: signal.Signals) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [str(Path(sys.executable).with_name("payback")), "connect", "page"]
    around = os.environ | {"TMPDIR": str(folder)}
    with child(command, cwd=tmp_path, env=around, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            address = httpx.URL(running.stdout.readline().removeprefix("Open ").strip())
            post_a_table(address)
            assert list(folder.rglob(DAY_1.name))
            running.send_signal(told)
            assert running.wait(30) == 0
        finally:
            running.kill()
    assert not list(folder.iterdir())


def post_a_table(address: httpx.URL) -> None:
    origin = f"http://127.0.0.1:{address.port}"
    with httpx.Client(headers={"Origin": origin}, trust_env=False) as browser, DAY_1.open("rb") as table:
        browser.get(address)
        browser.post(f"{origin}/look", data={"key": address.params["key"]}, files={"file": table})
