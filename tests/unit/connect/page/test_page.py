"""The page of the connector: who may use it, and what it says of a dropped file. Nothing is sent here."""

import os
import re
import signal
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import yaml
from httpx2 import Response
from markupsafe import escape
from starlette.testclient import TestClient

from services.connect.faults import CannotGoOn
from services.connect.page.app import application
from services.connect.page.dropped import Dropped
from services.connect.page.importer import Importer
from tests.support.asking import InThisThread
from tests.support.children import child
from tests.support.made.extracts import HEADINGS, MAPPING, SESSIONS, Rows, order, xlsx

PORT, KEY = 8123, "the-key"
HERE = f"http://127.0.0.1:{PORT}"
EXAMPLES = Path(__file__).parents[4] / "docs/examples/connect/one-row-per-order"
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
    return InThisThread(application(importer, PORT, KEY), base_url=HERE, follow_redirects=False)


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
    for address in ("/look", "/check", "/send", "/mapping", "/form", "/columns", "/tables", "/place"):
        assert browser.post(address, data={"key": KEY}, headers=headers).status_code == 403


@pytest.mark.parametrize("address", ["/look", "/check", "/send", "/mapping", "/form", "/columns", "/tables", "/place"])
def test_a_form_without_the_key_is_not_ours(browser: TestClient, address: str) -> None:
    answer = browser.post(address, data={"key": "another"}, headers={"Origin": HERE})
    assert answer.status_code == 403
    assert "did not come from this page" in answer.text


class Fields(HTMLParser):
    """The fields that a browser sends of the form at an address, if nobody touches it."""

    def __init__(self, page: str, address: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._address, self._inside, self._select, self._text = address, False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action") == self._address
        elif tag == "select":
            self._select = given["name"]
        elif tag == "textarea":
            self._text = given["name"]
        if not self._inside:
            return
        if tag == "input" and given.get("type") != "checkbox":
            self.sent[given["name"]] = given.get("value", "")
        elif tag == "option" and ("selected" in given or self._select not in self.sent):
            self.sent[self._select] = given["value"]
        elif tag == "textarea":
            self.sent[given["name"]] = ""

    def handle_data(self, data: str) -> None:
        if self._inside and self._text:
            self.sent[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""


def post(browser: TestClient, address: str, **fields: str) -> Response:
    return browser.post(address, data={"key": KEY, **fields}, headers={"Origin": HERE})


def in_text(page: str) -> str:
    return Fields(page, "/mapping").sent["text"]


def test_guesses_are_a_form_that_changes_nothing_until_it_is_touched(browser: TestClient) -> None:
    shown = drop(browser, DAY_1.name, DAY_1.read_bytes())
    fields = Fields(shown, "/columns").sent
    assert "order.imposed:" in fields["text"]
    assert "DOUBT" not in shown.replace(str(escape(fields["text"])), "")
    assert "Lerwick Sheriff" in shown
    assert in_text(post(browser, "/columns", **fields, show="text").text) == fields["text"]
    changed = {**fields, "authority": "S12000047", "blanks": "none\r\nnil"}
    text = in_text(post(browser, "/columns", **changed, show="text").text)
    assert "authority: S12000047" in text
    assert "blanks: [none, nil]" in text
    again = Fields(post(browser, "/form", text=text, digest=fields["digest"]).text, "/columns").sent
    assert (again["authority"], again["blanks"]) == ("S12000047", "none\nnil")


def test_what_is_open_is_asked_and_then_the_table_is_checked(browser: TestClient, importer: Importer) -> None:
    shown = drop(browser, DAY_1.name, DAY_1.read_bytes(), taken="2026-03-02")
    fields = Fields(shown, "/columns").sent
    asked = post(browser, "/columns", **fields)
    assert asked.status_code == 422
    assert "Choose your authority." in asked.text
    assert not importer.mapping.exists()
    fields = Fields(asked.text, "/columns").sent
    answers = {"Ferry off": "other_service", "Squad": "group", "Charity shop": "individual", "Done": "completed"}
    labels = dict(re.findall(r'<label for="([^"]+)">([^<]+) <span', asked.text))
    for name, value in fields.items():
        if value == "?":
            fields[name] = answers.get(labels[name], "sheriff_summary")
    looked = post(browser, "/columns", **(fields | {"authority": "S12000027"}))
    assert looked.status_code == 200, looked.text
    assert "authority: S12000027\n" in importer.mapping.read_text(), "what was doubted is answered"
    assert "events would be sent" in looked.text
    kept = importer.mapping.read_text()
    later = Fields(post(browser, "/form", digest=fields["digest"]).text, "/columns").sent
    assert later["text"] == kept
    assert post(browser, "/columns", **later).status_code == 200
    assert importer.mapping.read_text() == kept


def test_a_mapping_as_text_is_kept_or_its_fault_is_said(browser: TestClient, importer: Importer) -> None:
    wrong = post(browser, "/mapping", text="tables: [")
    assert wrong.status_code == 422
    assert "is not YAML" in wrong.text
    assert post(browser, "/form", text="tables: [").status_code == 422
    assert not importer.mapping.exists()
    text = (EXAMPLES / "orders.yaml").read_text()
    kept = post(browser, "/mapping", text=text.replace("\n", "\r\n"))
    assert "orders.yaml is saved" in kept.text
    assert importer.mapping.read_text() == text
    form = browser.get("/mapping").text
    assert "What your columns are" in form
    assert Fields(form, "/columns").sent["text"] == text


def test_looking_at_a_table_tells_of_it_and_leaves_nothing_behind(browser: TestClient, importer: Importer) -> None:
    importer.mapping.write_text((EXAMPLES / "orders.yaml").read_text())
    said = drop(browser, DAY_1.name, DAY_1.read_bytes())
    assert "30 events would be sent" in said
    assert "age from DOB, which is not sent" in said
    assert not (importer.mapping.parent / "orders.connect").exists()
    assert "Not every table is known yet" in drop(browser, "orders.csv", b"CPO register\n\nOur ref,Court\n")


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


def test_a_heading_that_was_changed_is_mended_on_the_page(
    browser: TestClient, importer: Importer, tmp_path: Path
) -> None:
    importer.mapping.write_text(MAPPING.format(more="vanished: report"))
    renamed = ["Seen first" if one == "First contact" else one for one in HEADINGS]
    table = xlsx(tmp_path / "o.xlsx", {"Orders": [renamed, order("A1")]}).read_bytes()
    shown = drop(browser, "o.xlsx", table)
    assert "there is no column 'First contact'" in shown.replace("&#39;", "'")
    assert "The table has no such column. Is it now Seen first?" in shown
    fields = Fields(shown, "/columns").sent
    [now] = [name for name in fields if name.endswith(".now")]
    assert fields[now] == "", "nothing is taken without an answer"
    looked = post(browser, "/columns", **(fields | {now: "Seen first"}))
    assert looked.status_code == 200, looked.text
    assert "events would be sent" in looked.text
    assert "made_on: Seen first" in importer.mapping.read_text()


CAFE = "Caf\u00e9 placements\n\nCPO ref;Date;Came?;Hrs;Kind of work\nA1;03/03/2026;Yes;3,5;Removals\nA2;04/03/2026;No show;;Removals\n"


def test_a_table_that_fits_none_is_added_beside_those_that_are_there(browser: TestClient, importer: Importer) -> None:
    before = MAPPING.format(more="vanished: report") + SESSIONS.format(more="vanished: withdraw")
    importer.mapping.write_text(before)
    asked = drop(browser, "cafe placements.csv", CAFE.encode("cp1252"))
    assert "cafe placements.csv fits no table of the mapping" in asked
    assert "more than one" not in asked
    fields = Fields(asked, "/place").sent
    assert fields["s0"] == "new"
    shown = post(browser, "/place", **fields)
    assert importer.mapping.read_text() == before, "nothing is saved yet"
    answers = Fields(shown.text, "/columns").sent
    labels = {
        text: name for name, text in re.findall(r'<label class="[^"]*" for="([^"]+)">([^<]+)</label>', shown.text)
    }
    assert answers[labels["The name of its file; * stands for anything"]] == "cafe placements.csv"
    looked = post(browser, "/columns", **{name: "" if value == "?" else value for name, value in answers.items()})
    assert looked.status_code == 200, looked.text
    assert "2 events would be sent" in looked.text
    old, new = yaml.safe_load(before)["tables"], yaml.safe_load(importer.mapping.read_text())["tables"]
    assert new[:2] == old, "the tables that are there stay as they are"
    assert (new[2]["file"], new[2]["order"], list(new[2]["states"])) == (
        "cafe placements.csv",
        "CPO ref",
        ["session.recorded"],
    )


def test_a_table_under_another_name_is_the_one_that_it_was(
    browser: TestClient, importer: Importer, tmp_path: Path
) -> None:
    importer.mapping.write_text(MAPPING.format(more="vanished: report"))
    renamed = ["Seen first" if one == "First contact" else one for one in HEADINGS]
    table = xlsx(tmp_path / "o.xlsx", {"Orders 26-27": [renamed, order("A1")]}).read_bytes()
    asked = drop(browser, "o.xlsx", table)
    assert "o.xlsx fits no table of the mapping" in asked
    fields = Fields(asked, "/place").sent
    assert fields["s0"] == "0", "the table that has most of these columns"
    shown = post(browser, "/place", **fields).text
    assert "Is it now Seen first?" in shown
    answers = Fields(shown, "/columns").sent
    [now] = [name for name in answers if name.endswith(".now")]
    assert "events would be sent" in post(browser, "/columns", **(answers | {now: "Seen first"})).text
    [kept] = yaml.safe_load(importer.mapping.read_text())["tables"]
    assert (kept["name"], kept["sheet"]) == ("Orders", "Orders 26-27")


def test_a_sheet_that_is_left_out_can_be_added_later(browser: TestClient, importer: Importer, tmp_path: Path) -> None:
    importer.mapping.write_text(MAPPING.format(more="vanished: report"))
    squad: Rows = [["Ref", "Date", "Attended", "Hours"], ["A1", date(2026, 3, 2), "Yes", 6]]
    table = xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1")], "Squad": squad}).read_bytes()
    looked = drop(browser, "o.xlsx", table)
    assert "Left out, since the mapping does not know it: Squad." in looked
    asked = post(browser, "/tables", **Fields(looked, "/send").sent).text
    fields = Fields(asked, "/place").sent
    assert fields["s1"] == "", "what was left out stays so without an answer"
    shown = post(browser, "/place", **(fields | {"s1": "new"})).text
    text = Fields(shown, "/columns").sent["text"]
    assert [list(table["states"]) for table in yaml.safe_load(text)["tables"]][1:] == [["session.recorded"]]


def test_a_text_file_that_was_taken_for_a_table_can_be_another(browser: TestClient, importer: Importer) -> None:
    importer.mapping.write_text(
        "authority: S12000047\ntables:\n  - name: Seen\n    order: Ref\n    states:\n      contact.made: {made_on: Seen}\n"
    )
    shown = drop(browser, "papers 2026-03-02.csv", b"Ref,Papers in\nA1,02/03/2026\n")
    assert "there is no column &#39;Seen&#39;" in shown
    assert "papers 2026-03-02.csv is another table" in shown
    asked = post(browser, "/tables", **Fields(shown, "/columns").sent).text
    fields = Fields(asked, "/place").sent
    shown = post(browser, "/place", **(fields | {"s0": "new"})).text
    looked = post(browser, "/columns", **Fields(shown, "/columns").sent)
    assert "1 event would be sent" in looked.text
    [seen, papers] = yaml.safe_load(importer.mapping.read_text())["tables"]
    assert (seen["name"], papers["file"]) == ("Seen", "papers *.csv")


def test_what_a_proposal_leaves_out_stands_above_the_form_and_can_be_taken_in(
    browser: TestClient, tmp_path: Path
) -> None:
    zag: Rows = [["Zig", "Zog"], ["A1", "Yes"], ["A2", "soon"]]
    table = xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1")], "Zag": zag}).read_bytes()
    asked = drop(browser, "o.xlsx", table)
    assert asked.index("Zag is left out: nothing in it would be sent") < asked.index("<h2>Orders</h2>")
    fields = Fields(asked, "/columns").sent
    assert fields["s1"] == "", "it stays left out without an answer"
    answers = fields | {"s1": "as:session.recorded", "authority": "S12000047", "show": "again"}
    shown = post(browser, "/columns", **answers).text
    assert "is left out" not in shown
    tree = yaml.safe_load(Fields(shown, "/columns").sent["text"])
    assert tree["authority"] == "S12000047", "what else was answered is kept"
    assert [list(one["states"]) for one in tree["tables"]][1:] == [["session.recorded"]]
