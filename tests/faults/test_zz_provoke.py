import os, random, signal, time
import httpx
import pytest
from tests.support.kafka import KafkaProcess
from tests.support.load import Load
from tests.support.processes import APIS, WORKERS, Platform, until

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(6000)]


def diagnose(platform, load, kafka_process):
    import json
    from kafka import KafkaConsumer, TopicPartition, KafkaAdminClient
    out = open("/tmp/sc/turns.log", "a")
    def show(what, f):
        try: print(what, f(), file=out, flush=True)
        except Exception as e: print(what, "ERR", repr(e)[:300], file=out, flush=True)
    show("notshown", lambda: platform.not_shown(load._last(platform)))
    at = TopicPartition("national.aggregates", 0)
    for level in ("read_committed", "read_uncommitted"):
        show(level, lambda: KafkaConsumer(bootstrap_servers=kafka_process.address, isolation_level=level).end_offsets([at]))
    admin = KafkaAdminClient(bootstrap_servers=kafka_process.address)
    for name in ("list_transactions",):
        show(name, lambda: getattr(admin, name)())
    show("describe_producers", lambda: admin.describe_producers([at]))
    for s in ("orders", "unpaid_work"):
        show(s + " shards", lambda: platform.rows(f"SELECT s.authority, s.generation, s.version, p.generation, p.version FROM {s}.shards s LEFT JOIN {s}.publications p USING (authority) WHERE s.version > 0 OR p.version > 0"))
        show(s + " checkpoints", lambda: platform.rows(f"SELECT topic, next_offset FROM {s}.checkpoints WHERE next_offset > 0"))
        show(s + " producers", lambda: platform.rows(f"SELECT id FROM {s}.producers"))
    show("reporting tables", lambda: platform.rows("SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE schemaname='reporting' AND n_live_tup > 0"))
    show("api positions", platform.positions)
    for name in WORKERS:
        show(name + " up", lambda: platform.up(name))


def test_provoke(platform: Platform, kafka_process: KafkaProcess) -> None:
    turns = int(os.environ.get("PROVOKE_TURNS", "100"))
    rng = random.Random(os.environ.get("PROVOKE_SEED", "1"))
    load = Load(["S12000020", "S12000033"], months=12)
    pieces = load.pieces(turns)
    load.post(platform, pieces[0])
    for turn in range(1, int(os.environ.get("PROVOKE_STOP", turns))):
        away = rng.choice([0.2, 3, 5, 5, 8])
        time.sleep(rng.choice([0, 0, 0.1, 0.5]))
        if rng.random() < 0.8:
            names = rng.sample(list(WORKERS), rng.choice([1, 3]))
            for name in names:
                platform.kill(name)
            platform.spawn(*names)
            time.sleep(rng.uniform(0.8, 5))
        kafka_process.kill()
        if rng.random() < 0.3:
            name = rng.choice(list(WORKERS))
            platform.kill(name)
            platform.spawn(name)
        time.sleep(away)
        kafka_process.start()
        begun = time.monotonic()
        for delivery_topic in {d.topic for d in pieces[turn]}:
            values = [d.value for d in pieces[turn] if d.topic == delivery_topic]
            until(lambda: load.try_post(platform, delivery_topic, values).status_code in {202, 422}, "posted")
        posted = time.monotonic() - begun
        deadline = time.monotonic() + 75
        told = 0
        while time.monotonic() < deadline and load.left(platform):
            time.sleep(0.2)
            if time.monotonic() > deadline - 60 + 20 * told:
                told += 1
                diagnose(platform, load, kafka_process)
        left = load.left(platform)
        with open("/tmp/sc/turns.log", "a") as out:
            print(turn, away, "%.1f %.1f" % (posted, time.monotonic() - begun), left, file=out, flush=True)
        if left:
            for name in WORKERS:
                platform.process(name).send_signal(signal.SIGUSR2)
            time.sleep(2)
            diagnose(platform, load, kafka_process)
            raise AssertionError("stands still")
        if rng.random() < 0.7 and turn + 1 < turns:
            load.post(platform, pieces[turn][:0])
