"""`make dashboards`: runs everything with a few faults, and writes pictures of what Perses shows of it: docs/dashboards/*.png."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy, which

from playwright.sync_api import sync_playwright

from deploy.boards import BOARDS
from deploy.perses.document import FOLDER
from services.simulate.nation import Simulation
from tests.conftest import BROWSERS
from tests.dashboards.questions import unanswered
from tests.faults.alerts.done.figures import publish_release
from tests.faults.alerts.done.refusals import bad_tokens, refuse_all, refuse_producer
from tests.faults.alerts.scene import MIDDLE, Scene, running
from tests.faults.alerts.table import ending_token, put_aside
from tests.load.bench_latency import paced, post

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "var" / "dashboards"
PICTURES = HERE.parents[1] / "docs" / "dashboards"
MINUTES = 4
PATIENCE_SECONDS = 100
PER_SECOND = 4
FAULTS = (refuse_all, refuse_producer, bad_tokens, publish_release, ending_token, put_aside)
"""After each some time passes."""


BUNDLE = (
    *("--bundle", "--format=esm", "--jsx=automatic", "--outdir=.", "--log-level=error"),
    *(
        "--loader:.woff=dataurl",
        "--loader:.woff2=dataurl",
        '--define:process.env.NODE_ENV="production"',
        "--define:global=globalThis",
    ),
)
ONCE = {
    **{
        f"@perses-dev/{name}": "dist/index.js"
        for name in ("components", "core", "dashboards", "explore", "plugin-system")
    },
    "@tanstack/react-query": "build/lib/index.mjs",
}
"""Packages that come in two forms, of which both would be taken, and each would know nothing of what the other was told."""


def build() -> None:
    """Build the page from Perses' packages."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "page.jsx"):
        copy(HERE / name, BUILT)
    install = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps")
    subprocess.run(install, cwd=BUILT, check=True)
    program = BUILT / "node_modules" / "@esbuild" / "linux-x64" / "bin" / "esbuild"
    aliases = [f"--alias:{package}=./node_modules/{package}/{file}" for package, file in ONCE.items()]
    subprocess.run([program, "page.jsx", *BUNDLE, *aliases], cwd=BUILT, check=True)
    page = '<!doctype html><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>'
    (BUILT / "index.html").write_text(page)
    for path in FOLDER.glob("*.json"):
        copy(path, BUILT)


@contextmanager
def served() -> Iterator[str]:
    """Serve the page that was built, and yield its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(BUILT))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def live(scene: Scene) -> None:
    """Run everything for some minutes, with things that go wrong."""
    stop = threading.Event()
    sending = threading.Thread(target=_send, args=(scene, stop), daemon=True)
    sending.start()
    for fault in FAULTS:
        try:
            fault(scene)
        except AssertionError as words:
            print(f"{fault.__name__}: {words}", flush=True)
        time.sleep(MINUTES * 60 / len(FAULTS))
    stop.set()
    sending.join()


def _send(scene: Scene, stop: threading.Event) -> None:
    for delivery in paced(iter(Simulation(1, 2, date(2026, 4, 1)).deliveries()), PER_SECOND):
        if stop.is_set():
            return
        post(scene.platform, delivery)


def look(prometheus: str, address: str) -> None:
    """Take a picture of each dashboard."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        program = next(filter(None, map(which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1520})
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("console", lambda message: print(message.text[:300]) if message.type == "error" else None)
        for name, board in BOARDS.items():
            chosen = f"&var-authority={MIDDLE}" if board.authority else ""
            page.goto(f"{address}/?board={name}&prometheus={prometheus}&start=5m{chosen}")
            page.wait_for_selector(".MuiSkeleton-root")
            page.wait_for_function("!document.querySelector('.MuiSkeleton-root')")
            page.wait_for_timeout(2000)  # for lines to be drawn
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


def main() -> int:
    build()
    with running() as scene, served() as address:
        live(scene)
        for panel in unanswered(scene.watched, MIDDLE):
            print(f"no data: {panel}")
        look(scene.watched.address, address)
        if "--stay" in sys.argv:
            print(f"{address}/?board=platform&prometheus={scene.watched.address}&start=5m", flush=True)
            while not (BUILT / "stop").exists():
                time.sleep(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
