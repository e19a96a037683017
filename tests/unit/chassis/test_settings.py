"""Settings come from the environment, are told wrong all at once, and never show a secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.chassis.api.auth import generate_keys
from services.chassis.settings import (
    DatabaseSettings,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    Settings,
    SettingsError,
    TokenSettings,
)

PEM = generate_keys().public


class Sample(Settings):
    kafka: KafkaSettings
    database: DatabaseSettings
    http: HttpSettings = HttpSettings(port=8101)
    logs: LogSettings = LogSettings()
    demo: bool = False


@pytest.fixture(autouse=True)
def _enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_KAFKA_BOOTSTRAP", "broker:9092")
    monkeypatch.setenv("PAYBACK_DATABASE_URL", "postgresql://me:hush@db/payback")
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", "things")


def _faults() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Sample.load()
    return caught.value.faults


def test_reads_groups_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_DATABASE_STATEMENT_TIMEOUT_SECONDS", "2.5")
    settings = Sample.load()
    assert settings.kafka.bootstrap == "broker:9092"
    assert settings.database.statement_timeout_seconds == 2.5


def test_the_environment_changes_one_member_and_leaves_the_services_other_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAYBACK_HTTP_HOST", "0.0.0.0")
    assert Sample.load().http == HttpSettings(host="0.0.0.0", port=8101)


@pytest.mark.parametrize(("written", "meant"), [("0", False), ("false", False), ("1", True), ("true", True)])
def test_zero_is_not_true(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("PAYBACK_DEMO", written)
    assert Sample.load().demo is meant


def test_tells_every_fault_at_once_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYBACK_KAFKA_BOOTSTRAP")
    monkeypatch.setenv("PAYBACK_KAFKA_BOTSTRAP", "broker:9092")
    monkeypatch.setenv("PAYBACK_KAFKA_FETCH_WAIT_MILLISECONDS", "-1")
    monkeypatch.setenv("PAYBACK_DATABASE_URL", "mysql://db")
    monkeypatch.setenv("PAYBACK_HTTP_PORT", "eighty")
    monkeypatch.setenv("PAYBACK_LOGS_LEVEL", "LOUD")
    monkeypatch.setenv("PAYBACK_DEMI", "1")
    assert _faults() == [
        "PAYBACK_DATABASE_URL must begin with postgresql://",
        "PAYBACK_DEMI is not a setting; is PAYBACK_DEMO meant?",
        "PAYBACK_HTTP_PORT must be a valid integer",
        "PAYBACK_KAFKA_BOOTSTRAP is required",
        "PAYBACK_KAFKA_BOTSTRAP is not a setting; is PAYBACK_KAFKA_BOOTSTRAP meant?",
        "PAYBACK_KAFKA_FETCH_WAIT_MILLISECONDS must be greater than or equal to 0",
        "PAYBACK_LOGS_LEVEL must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ]


def test_a_group_that_is_missing_whole_is_told_by_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYBACK_DATABASE_URL")
    monkeypatch.delenv("PAYBACK_DATABASE_SCHEMA_NAME")
    assert _faults() == ["PAYBACK_DATABASE_SCHEMA_NAME is required", "PAYBACK_DATABASE_URL is required"]


def test_a_group_cannot_be_given_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_KAFKA", "broker:9092")
    (fault,) = _faults()
    assert fault.startswith("PAYBACK_KAFKA is not a setting")


def test_shared_groups_that_a_service_does_not_need_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    without = Sample.load()
    monkeypatch.setenv("PAYBACK_TOKENS_ISSUER", "somebody")
    assert Sample.load() == without


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hush" not in repr(Sample.load()) + str(Sample.load()) + Sample.load().model_dump_json()
    monkeypatch.setenv("PAYBACK_DATABASE_URL", "wrong://me:hush@db/payback")
    assert "hush" not in "".join(_faults())
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings(url=SecretStr("wrong://me:hush@db/payback"), schema_name="things")
    assert "hush" not in str(caught.value)


def test_settings_are_frozen() -> None:
    settings = Sample.load()
    with pytest.raises(ValidationError):
        settings.demo = True  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.http.port = 1  # type: ignore[misc]


def test_built_directly_they_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_DEMO", "1")
    database = DatabaseSettings(url=SecretStr("postgresql://db"), schema_name="things")
    assert Sample(kafka=KafkaSettings(bootstrap="other:1"), database=database).demo is False


def test_sasl_needs_a_user_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYBACK_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    assert _faults() == ["PAYBACK_KAFKA: with SASL, a user name and a password are required"]


def test_the_role_is_named_like_the_schema_unless_said_otherwise() -> None:
    url = SecretStr("postgresql://db")
    assert DatabaseSettings(url=url, schema_name="things").owner == "things"
    assert DatabaseSettings(url=url, schema_name="things", role="keeper").owner == "keeper"


def test_a_public_key_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(PEM)
    assert TokenSettings(public_key=PEM).keys() == TokenSettings(public_key_path=path).keys()


def test_several_public_keys_may_be_given_while_they_change() -> None:
    assert len(TokenSettings(public_key=PEM + generate_keys().public).keys()) == 2


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"public_key": PEM, "public_key_path": "absent.pem"},
        {"public_key_path": "absent.pem"},
        {"public_key": generate_keys().private},
        {"public_key": PEM.replace("MCow", "AAAA")},
    ],
)
def test_a_public_key_that_cannot_be_used_is_told_at_the_start(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TokenSettings.model_validate(given)
