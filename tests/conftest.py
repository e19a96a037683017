"""The real parts that tests run against. Parts that could not be had are named at the top, and tests that did not run at the end.

kafka             address of a shared broker; take topics of your own from `new_topic`, or ask for `empty_kafka`
kafka_process     an Apache Kafka that the test may stop, kill and start
postgres          address of a fresh, empty database
new_database      makes more of them, also for fixtures of a wider scope
migrated          makes databases with the tables of every service
postgres_process  a PostgreSQL that the test may stop, kill and start
browser           Chromium; `page` is a fresh page in it
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from shutil import which
from typing import Any

import psutil
import pytest
from _pytest.unraisableexception import gc_collect_iterations_key
from hypothesis import HealthCheck, settings
from kafka.admin import KafkaAdminClient
from playwright.sync_api import Browser, Page, expect, sync_playwright
from xdist.remote import Producer

from deploy.local.postgres import Postgres
from services.chassis.memory import collect_seldom
from tests.support import kafka as apache_kafka
from tests.support import parts
from tests.support.generated.grammars import compile_late
from tests.support.kafka import KafkaProcess
from tests.support.one_day import OneDay
from tests.support.outside.lacking import cannot
from tests.support.parts import KafkaKind, kafka_choice
from tests.support.remembered import nothing_remembered
from tests.support.running.resting import Resting
from tests.support.running.rewriting import rewrite_share
from tests.support.running.spending import Spending
from tests.support.running.together import Together, beside_cores, cores, fills, number_of, turn_of
from tests.support.validators import make_late
from tests.support.workers import in_memory
from tests.support.workers.late import Ends, First, Late

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

expect.set_options(timeout=30_000)

# Thousands of tests in memory are no garbage: looking for it among them took two fifths of collecting (measured).
collect_seldom()
compile_late()
make_late()

PARTS = {"kafka", "kafka_process", "_kafka_process", "postgres_server", "_postgres_process", "browser"}
"""The fixtures of this file that start something."""
MEMORY_OF_A_WORKER = 3 * 2**30
"""With a Kafka, a PostgreSQL, and now and then the whole platform or a browser."""
YIELDING = 5
TURN = "PAYBACK_TEST_TURN"
"""As `tests.support.generated.thorough` reads it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--fast`, which is for between two edits."""
    parser.addoption("--fast", action="store_true", help="leave out what needs Kafka, PostgreSQL or a browser")


def pytest_configure(config: pytest.Config) -> None:
    """Count the processor time of each file; have one worker find the tests; have midnight pass before tests of one day; let
    brokers rest; choose by the day what is asked.
    """
    os.environ.setdefault(TURN, str(datetime.now(UTC).toordinal()))
    load_settings()
    spending = Spending()
    config.pluginmanager.register(spending)
    config.pluginmanager.register(OneDay())
    told = getattr(config, "workerinput", None)
    if told is None:
        config.pluginmanager.register(Ends())
        if config.getoption("numprocesses", None) and (home := in_memory.keep()):
            config.add_cleanup(home.leave)
        return
    config.pluginmanager.register(Resting())
    if number_of(told["workerid"]) == 0:
        config.pluginmanager.register(First(told["testrunuid"]))
    elif not any("::" in asked for asked in config.args):
        config.pluginmanager.register(Late(told["testrunuid"], spending.begin))


def load_settings() -> None:
    """Bound examples in number, not in time: a slow machine is no failure, and hanging is found by the timeout."""
    from tests.support.generated.thorough import examples  # it reads the turn that was chosen

    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile("payback", max_examples=examples(30), deadline=None, suppress_health_check=checks)
    settings.load_profile("payback")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many keep the cores busy, and those that fill gaps, but only as many as there is memory for.

    Return none beside the test process where a broker or a database was given; and one for each core where no test waits, as every worker
    takes seconds of a core to find the tests.
    """
    given = os.environ.get("PAYBACK_TEST_KAFKA") or os.environ.get("PAYBACK_TEST_POSTGRES")
    fitting = psutil.virtual_memory().available // MEMORY_OF_A_WORKER
    wanted = cores() if config.option.fast else beside_cores() + cores()
    return 0 if given else max(1, min(wanted, fitting))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Return the scheduler of ours, whatever `--dist` says."""
    return Together(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Fetch the broker's jars once, and make the archive of its classes, before workers run side by side; have these share other work."""
    if told := getattr(session.config, "workerinput", None):
        rewrite_share(session.config, number_of(told["workerid"]), told["workercount"])
    option = session.config.option
    first = "PYTEST_XDIST_WORKER" not in os.environ and not option.collectonly and not option.fast
    if first and kafka_choice().kind is KafkaKind.PROCESS:
        apache_kafka.have_archive()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have a worker that fills gaps yield to those with parts, whose tests wait for answers, once all have found their tests."""
    collect_seldom()
    told = getattr(session.config, "workerinput", None)
    if told and fills(number_of(told["workerid"]), told["workercount"]):
        os.nice(YIELDING)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Look for garbage once at the end: pytest has just done so, and would again, a second of each worker (measured)."""
    config.stash[gc_collect_iterations_key] = 0


def kafka_lines() -> list[str]:
    """Say which broker the tests run on, loudly when it is the stand-in."""
    choice = kafka_choice()
    loud = [f"WARNING: NOT TESTED ON APACHE KAFKA: {choice.because}"] if choice.because else []
    return [f"kafka: {choice.kind}", *loud]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is left out, or on what it runs, and which part is asked of what is asked in turn."""
    runs_on = ["fast: without Kafka, PostgreSQL and browsers"] if config.option.fast else kafka_lines()
    return [*runs_on, f"of what is asked in turn: {TURN}={os.environ[TURN]}"]


def not_alone(nodeids: Iterable[str]) -> list[str]:
    """Return ids that several tests have: workers run only one test of an id."""
    return [nodeid for nodeid, times in Counter(nodeids).items() if times > 1]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not wanted, skip what the stand-in cannot do, and put first what waits, takes longest or sleeps."""
    if several := not_alone(item.nodeid for item in items):
        raise pytest.UsageError(f"Several tests have one id, and only one of them would run: {several}")
    if config.option.fast:
        left_out = [item for item in items if needs_parts(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    elif kafka_choice().kind is KafkaKind.EMBEDDED:
        for item in items:
            if item.get_closest_marker("durable_broker"):
                item.add_marker(pytest.mark.skip(reason=f"needs a durable broker: {kafka_choice().because}"))
    items.sort(key=lambda item: turn_of(item.nodeid, long=item.get_closest_marker("long") is not None))


def needs_parts(item: pytest.Item) -> bool:
    """Return whether a test starts something, by a fixture or by itself."""
    starts = isinstance(item, pytest.Function) and starts_parts(item._fixtureinfo.name2fixturedefs)
    return starts or item.get_closest_marker("parts") is not None


def starts_parts(definitions: Mapping[str, Sequence[pytest.FixtureDef[Any]]]) -> bool:
    """Return whether any of these fixtures is one of ours that starts something, and not another of the same name."""
    return any(ours(name, definitions[name]) for name in PARTS & definitions.keys())


def ours(name: str, definitions: Sequence[pytest.FixtureDef[Any]]) -> bool:
    """Return whether a fixture comes from this file: its last definition counts, and the one before if that asks for it."""
    *before, last = definitions
    return last.func.__module__ == __name__ or (name in last.argnames and bool(before) and ours(name, before))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List by name what did not run."""
    skipped = terminalreporter.getreports("skipped")
    if skipped:
        terminalreporter.section("NOT RUN", red=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        terminalreporter.line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
    for line in pytest_report_header(config):
        terminalreporter.line(line)


@pytest.fixture
def rules_altered() -> Iterator[None]:
    """For a test that alters a rule."""
    with nothing_remembered():
        yield


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a broker that all tests share and that makes no topics by itself."""
    with parts.running_kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture
def new_topic(kafka: str) -> Callable[[], str]:
    """Return what makes a topic of one partition and returns its name."""

    def make() -> str:
        name = f"test.{uuid.uuid4().hex}"
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
        return name

    return make


@pytest.fixture
def empty_kafka(kafka: str) -> str:
    """Return the address of the shared broker without any topic, for tests that use the topics' real names."""
    apache_kafka.remove_topics(kafka)
    return kafka


@pytest.fixture(scope="session")
def _kafka_process() -> Iterator[KafkaProcess]:
    obstacle = apache_kafka.obstacle()
    if obstacle is not None:
        cannot(f"needs Apache Kafka as a local process: {obstacle}")
    with parts.kafka_process("_kafka_process") as process:
        yield process


@pytest.fixture
def kafka_process(_kafka_process: KafkaProcess) -> Iterator[KafkaProcess]:
    """Yield a broker that no other test uses meanwhile. It runs when the test begins, whatever the test before did."""
    yield _kafka_process
    _kafka_process.ensure_running()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a server, as a user who may create databases and roles."""
    with parts.running_postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Yield what makes an empty database and returns its address. All of them go at the end of the run."""
    with parts.databases(postgres_server) as make:
        yield make


@pytest.fixture(scope="session")
def migrated(postgres_server: str, new_database: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """Yield what makes a database with the tables of every service, copied from one that was migrated once. All of them go at the end."""
    template = new_database()
    parts.make_tables(template)
    with parts.databases(postgres_server, template.rpartition("/")[2]) as make:
        yield make


@pytest.fixture
def postgres(postgres_server: str, new_database: Callable[[], str]) -> Iterator[str]:
    """Yield the address of a fresh, empty database."""
    with parts.for_one_test(postgres_server, new_database()) as database:
        yield database


@pytest.fixture(scope="session")
def _postgres_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with parts.postgres_process(tmp_path_factory.mktemp("postgres-process")) as process:
        yield process


@pytest.fixture
def postgres_process(_postgres_process: Postgres) -> Iterator[Postgres]:
    """Yield a server that no other test uses meanwhile. It runs when the test begins, whatever the test before did."""
    yield _postgres_process
    _postgres_process.ensure_running()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield Chromium without a window. It is of module scope, since asyncio.run cannot be used while it is open."""
    chromium = next(filter(None, map(which, BROWSERS)), None)
    if chromium is None:
        cannot("needs Chromium, and none is installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield a fresh page, without anything that another left behind."""
    with browser.new_context() as context:
        yield context.new_page()
