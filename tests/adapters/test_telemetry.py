import pytest

from functions.adapters import telemetry
from tests.adapters.telemetry_reading import logged, metrics_of


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Sluice")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "message-writer")


def test_counts_are_metrics_of_the_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.count("acme", messages_delivered=3, object_bytes=1_024)
    [event] = metrics_of(capsys.readouterr().out)
    [metrics] = event["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Sluice"
    assert {(each["Name"], each["Unit"]) for each in metrics["Metrics"]} == {
        ("MessagesDelivered", "Count"),
        ("ObjectBytes", "Bytes"),
    }
    assert (event["MessagesDelivered"], event["ObjectBytes"]) == ([3.0], [1_024.0])


def test_a_connection_is_a_property_and_no_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    for connection in ("acme", "beta"):
        telemetry.count(connection, messages_delivered=1)
    events = metrics_of(capsys.readouterr().out)
    assert [event["connection"] for event in events] == ["acme", "beta"]
    dimensions = [each["Dimensions"] for event in events for each in event["_aws"]["CloudWatchMetrics"]]
    assert dimensions == [[["service"]], [["service"]]]


def test_one_connections_counts_do_not_go_over_to_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.count("acme", messages_failed=1)
    telemetry.count("beta", messages_delivered=1)
    _, beta = metrics_of(capsys.readouterr().out)
    assert "MessagesFailed" not in beta


def test_log_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    with logged() as lines:
        telemetry.logger.warning("message failed", connection="acme")
    assert [(line["message"], line["connection"]) for line in lines] == [("message failed", "acme")]
