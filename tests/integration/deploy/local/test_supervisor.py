"""Carrying out a plan, with small processes in the place of services."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.plan import ProcessSpec, Sign
from deploy.local.process import Forked, NotReady, die_with, free_ports, spawn
from deploy.local.supervisor import Supervisor
from deploy.local.template import Template

SERVE = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        uptime = time.monotonic() - began
        self.wfile.write(b"up 1\\n" if uptime > 1 else b"up 0\\n")
began = time.monotonic()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
RUN = (sys.executable, "-m", "tests.support.running.code")


def server(name: str = "server", line: str | None = None) -> ProcessSpec:
    (port,) = free_ports(1)
    return ProcessSpec(name, (*RUN, SERVE, str(port)), {}, ready=Sign(f"http://127.0.0.1:{port}/", line))


def script(code: str, name: str = "script") -> ProcessSpec:
    return ProcessSpec(name, (*RUN, code), {"PAYBACK_SAYS": "hello"})


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    made = Template(tmp_path_factory.mktemp("template") / "template.log")
    yield made
    made.close()


@pytest.fixture(params=["programs", pytest.param("forked", marks=LINUX)])
def supervisor(
    tmp_path: Path, told: list[str], template: Template, request: pytest.FixtureRequest
) -> Iterator[Supervisor]:
    """Yield one that starts programs, and one whose processes are forked of a template: both must behave alike."""
    start = spawn if request.param == "programs" else template.spawn
    made = Supervisor(tmp_path, told.append, first_pause=0.05, start=start)
    yield made
    made.stop()


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def check_until(supervisor: Supervisor, done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        supervisor.check()
        time.sleep(0.02)


def test_a_process_gets_its_settings_and_no_other(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_LEFT_OVER", "1")
    spec = script("import os; print(sorted(name for name in os.environ if name.startswith('PAYBACK')))")
    supervisor.run_to_end([spec])
    assert supervisor.log_of(spec).read_text() == "['PAYBACK_SAYS']\n"


def test_a_failed_migration_is_told_with_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(NotReady, match=r"(?s)broken ended with exit status 7.*no such table"):
        supervisor.run_to_end([script("pass"), script("print('no such table'); raise SystemExit(7)", "broken")])


def test_a_service_that_ends_before_it_is_ready_is_told_with_its_log(supervisor: Supervisor) -> None:
    spec = ProcessSpec("api", (*RUN, "print('port in use')"), {}, ready=Sign("http://127.0.0.1:1/"))
    with pytest.raises(NotReady, match=r"(?s)api ended with exit status 0.*port in use"):
        supervisor.start([spec])


def test_ready_is_what_the_answer_says(supervisor: Supervisor) -> None:
    began = time.monotonic()
    supervisor.start([server(line="up 1")])
    assert time.monotonic() - began > 1


def test_what_dies_is_told_loudly_and_started_again(supervisor: Supervisor, told: list[str]) -> None:
    before = {child.pid for child in children()}
    supervisor.start([server("worker")])
    (first,) = [child for child in children() if child.pid not in before]
    first.kill()
    check_until(supervisor, lambda: any(child.pid not in {*before, first.pid} for child in children()))
    assert any("WORKER DIED with exit status -9" in line for line in told)


def test_pauses_grow(supervisor: Supervisor, told: list[str]) -> None:
    supervisor.start([script("raise SystemExit(1)", "worker")])
    check_until(supervisor, lambda: any("again in 0.2 seconds" in line for line in told))
    assert [line for line in told if "again in" in line] == [
        f"worker starts again in {pause} seconds" for pause in ("0.05", "0.1", "0.2")
    ]


def test_what_refuses_is_not_started_again(supervisor: Supervisor, told: list[str]) -> None:
    supervisor.start([script("raise SystemExit(3)", "worker")])
    check_until(supervisor, lambda: "worker refuses to go on and is not started again" in told)
    told.clear()
    time.sleep(0.3)
    supervisor.check()
    assert told == []


def test_stop_leaves_nothing(supervisor: Supervisor) -> None:
    before = {child.pid for child in children()}
    supervisor.start([server(), server("other")])
    supervisor.stop()
    assert {child.pid for child in children()} == before


PARENT = """
import sys, time
from pathlib import Path
from deploy.local.broker import Broker
from deploy.local.postgres import Postgres
home = Path(sys.argv[1])
postgres, broker = Postgres(home), Broker(home)
postgres.start()
broker.start()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.faults
@LINUX
def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    along = die_with(os.getpid(), signal.SIGKILL)
    parent = psutil.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=-1, preexec_fn=along)
    assert parent.stdout.readline() == b"ready\n"
    family = parent.children(recursive=True)
    data = [Path(process.cmdline()[2]) for process in family if process.cmdline()[1:2] == ["-D"]]
    assert len(family) > 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []
    assert len(data) == 1
    assert not data[0].exists()


FORKS = """
import sys, time
from pathlib import Path
from deploy.local.process import Forked
from deploy.local.template import Template
home = Path(sys.argv[1])
template = Template(home / "template.log")
template.spawn([sys.executable, "-m", "http.server", "0"], home / "server.log", environment={})
print("ready", flush=True)
time.sleep(60)
"""


@LINUX
def test_what_was_forked_ends_with_a_killed_parent(tmp_path: Path) -> None:
    along = die_with(os.getpid(), signal.SIGKILL)
    parent = psutil.Popen([sys.executable, "-c", FORKS, str(tmp_path)], stdout=-1, preexec_fn=along)
    assert parent.stdout.readline() == b"ready\n"
    family = parent.children()
    assert len(family) == 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs(family, timeout=15)[1] == []


@LINUX
def test_who_looks_for_a_forked_process_finds_it_as_if_it_were_a_program(template: Template, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "http.server", "0"]
    process = template.spawn(command, tmp_path / "log", environment={})
    assert isinstance(process, Forked)
    found, deadline = psutil.Process(process.pid), time.monotonic() + 20
    try:
        while found.cmdline()[: len(command)] != command:
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.01)
        assert (found.ppid(), os.getsid(process.pid)) == (os.getpid(), process.pid)
    finally:
        process.kill()
    assert process.wait(5) == -signal.SIGKILL


@LINUX
def test_without_its_template_a_process_goes_on_and_the_next_is_a_program(tmp_path: Path) -> None:
    template, tells = Template(tmp_path / "template.log"), "import sys; print('faust' in sys.modules)"
    stays = template.spawn([*RUN, "import time; time.sleep(60)"], tmp_path / "stays.log", environment={})
    try:
        assert said(template, tmp_path / "forked.log", tells) == "True\n"
        template.close()
        assert stays.poll() is None
        assert said(template, tmp_path / "program.log", tells) == "False\n"
    finally:
        stays.kill()
        stays.wait()


def said(template: Template, log: Path, code: str) -> str:
    assert template.spawn([*RUN, code], log, environment={}).wait(20) == 0
    return log.read_text()
