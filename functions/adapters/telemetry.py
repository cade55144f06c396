"""What operators see: log lines, and metrics whose property is the connection.

A connection is a property of the log event and no dimension of a metric: CloudWatch bills every combination of
dimensions as a metric of its own, and there may be thousands of connections.
"""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

logger = Logger()


def count(connection: str, **counts: int) -> None:
    """Add counts to the deployment's metrics (`messages_delivered` to MessagesDelivered), for a connection."""
    metrics = EphemeralMetrics()
    for name, value in counts.items():
        unit = MetricUnit.Bytes if name.endswith("_bytes") else MetricUnit.Count
        metrics.add_metric(name=name.title().replace("_", ""), unit=unit, value=value)
    metrics.add_metadata("connection", connection)
    metrics.flush_metrics()


def gauge(**values: int) -> None:
    """Put how things stand (`unfinished_runs` to UnfinishedRuns) among the deployment's metrics."""
    metrics = EphemeralMetrics()
    for name, value in values.items():
        unit = MetricUnit.Seconds if name.endswith("_seconds") else MetricUnit.Count
        metrics.add_metric(name=name.title().replace("_", ""), unit=unit, value=value)
    metrics.flush_metrics()
