from typing import Any

import pytest

from infra.config import ConfigError, Deployment, from_context

REFUSED = [
    ({"name": "Sluice"}, "`name`"),
    ({"name": "sluice-"}, "`name`"),
    ({"account": "1234"}, "`account`"),
    ({"region": "Frankfurt"}, "`region`"),
    ({"retain": "perhaps"}, "`retain`"),
    ({"architecture": "riscv"}, "`architecture`"),
    ({"assume_role_pattern": "*"}, "`assume_role_pattern`"),
    ({"alarm_emails": "ops"}, "`alarm_emails`[0]"),
    ({"log_retention_days": 8}, "`log_retention_days`"),
    ({"writes_at_once": "many"}, "`writes_at_once`"),
    ({"message_writer_max_concurrency": 1}, "`message_writer_max_concurrency`"),
    ({"message_writer_timeout_seconds": 901}, "`message_writer_timeout_seconds`"),
    ({"message_writer_window_seconds": 0}, "`message_writer_window_seconds` >= 1"),
    ({"failure_retention_days": 500}, "`payload_retention_days` must be at least 528"),
    ({"payload_budget_megabytes": 1600}, "`payload_budget_megabytes` of 1600 needs"),
    ({"stager_window_seconds": 0}, "`stager_window_seconds` >= 1"),
    ({"stager_memory_megabytes": 512}, "needs at least 1024 `stager_memory_megabytes`"),
    ({"file_writer_storage_megabytes": 20_000}, "`file_writer_storage_megabytes`"),
    ({"part_retention_days": 30}, "`part_retention_days` must be at least 56"),
    ({"largest_run_gigabytes": 0}, "`largest_run_gigabytes`"),
    ({"open_run_alarm_hours": 400}, "`open_run_alarm_hours`"),
    ({"event_retention_days": 0}, "`event_retention_days`"),
    ({"reject_retention_days": "long"}, "`reject_retention_days`"),
    ({"import_accounts": "111122223333, acme"}, "`import_accounts`[1]"),
    ({"output_queue_arns": "https://sqs.eu-central-1.amazonaws.com/1/q"}, "`output_queue_arns`[0]"),
    ({"output_queue_arns": "arn:aws:sqs:eu-central-1:444455556666:*"}, "`output_queue_arns`[0]"),
    ({"chunk_events": 0}, "`chunk_events`"),
    ({"chunk_megabytes": 1024}, "`chunk_megabytes`"),
    ({"largest_file_gigabytes": 11}, "`largest_file_gigabytes`"),
    ({"importer_storage_megabytes": 4096}, "5 needs at least 5000 `importer_storage_megabytes`"),
    ({"importer_memory_megabytes": 512}, "needs at least 1024 `importer_memory_megabytes`"),
    ({"importer_window_seconds": 30}, "`importer_window_seconds`"),
    ({"importer_batch_size": 100, "importer_window_seconds": 0}, "`importer_window_seconds` >= 1"),
    ({"waiting_file_alarm_minutes": 0}, "`waiting_file_alarm_minutes`"),
    ({"message_writer_memory": 512}, "did you mean `message_writer_memory_megabytes`?"),
]


@pytest.mark.parametrize(("context", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_wrong_value_is_refused_by_its_key(context: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_context(context)
    assert named in str(refused.value)


def test_an_empty_context_is_a_deployment() -> None:
    assert from_context({}) == Deployment()


def test_the_command_lines_strings_are_read() -> None:
    context = {
        "retain": "false",
        "message_writer_batch_size": "10",
        "alarm_emails": "a@b.example, c@d.example",
        "import_accounts": "111122223333,444455556666",
        "output_queue_arns": "arn:aws:sqs:eu-central-1:444455556666:events",
    }
    assert from_context(context) == Deployment(
        retain=False,
        message_writer_batch_size=10,
        alarm_emails=("a@b.example", "c@d.example"),
        import_accounts=("111122223333", "444455556666"),
        output_queue_arns=("arn:aws:sqs:eu-central-1:444455556666:events",),
    )


def test_lists_are_also_lists() -> None:
    assert from_context({"import_accounts": ["111122223333"]}).import_accounts == ("111122223333",)


def test_cdks_own_keys_are_left_alone() -> None:
    context = {"aws:cdk:bundling-stacks": ["**"], "@aws-cdk/core:x": True, "cli-telemetry": False}
    assert from_context(context) == Deployment()
