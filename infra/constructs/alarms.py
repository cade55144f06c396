"""Who is told when messages, runs or files stand still, fail or are given up."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Deployment
from infra.constructs.data_store import DataStore
from infra.constructs.findings import acknowledge
from infra.constructs.queue_worker import QueueWorker
from infra.constructs.scheduled_worker import ScheduledWorker
from infra.constructs.worker import METRICS, Worker

PERIOD = Duration.minutes(5)


class Alarms(Construct):
    """An encrypted topic, and the alarms that publish to it."""

    def __init__(self, scope: Construct, id: str, *, config: Deployment, store: DataStore) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self._config = config
        self.topic = sns.Topic(self, "Topic", master_key=store.key, enforce_ssl=True)
        ours = f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:*"
        # A topic with a policy of its own no longer has the default one, which let this account's alarms in.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": ours}},
            )
        )
        lost = "An e-mail that is not delivered is still an alarm in CloudWatch; a queue would have no reader"
        acknowledge(self.topic, {"Serverless-SNSRedrivePolicy": lost})
        for email in config.alarm_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def watch(self, worker: QueueWorker) -> None:
        """Alarm when messages are given up or stand still, and when the function fails or is held back."""
        given_up = worker.work.dead_letters.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic="Maximum"
        )
        oldest = worker.work.queue.metric_approximate_age_of_oldest_message(
            period=PERIOD, statistic="Maximum"
        )
        late = self._config.oldest_message_alarm_seconds
        self._alarm(
            worker, "DeadLetters", given_up, above=0, meaning="messages were given up: see docs/operations.md"
        )
        self._alarm(
            worker, "OldestMessage", oldest, above=late, meaning=f"messages wait longer than {late} seconds"
        )
        self._watch_function(worker)

    def watch_planner(self, planner: ScheduledWorker) -> None:
        """Alarm when a run stays open or a file waits for too long, and when who looks after them fails."""
        hours, minutes = self._config.open_run_alarm_hours, self._config.waiting_file_alarm_minutes
        self._alarm(
            planner,
            "OldestOpenRun",
            _largest("OldestOpenRunSeconds", of=planner),
            above=hours * 3600,
            meaning=f"a run has been open for more than {hours} hours: its end, or some of it, was not sent",
        )
        self._alarm(
            planner,
            "OldestWaitingFile",
            _largest("OldestWaitingFileSeconds", of=planner),
            above=minutes * 60,
            meaning=f"a file has been waiting for more than {minutes} minutes: imports stand still or fall behind",
        )
        self._watch_function(planner)

    def _watch_function(self, worker: Worker) -> None:
        errors = worker.function.metric_errors(period=PERIOD, statistic="Sum")
        throttles = worker.function.metric_throttles(period=PERIOD, statistic="Sum")
        self._alarm(
            worker, "Errors", errors, above=0, meaning="invocations failed as a whole: see the function's log"
        )
        self._alarm(
            worker, "Throttles", throttles, above=0, periods=3, meaning="the account's concurrency is used up"
        )

    def _alarm(
        self,
        worker: Worker,
        what: str,
        metric: cloudwatch.Metric,
        *,
        above: int,
        meaning: str,
        periods: int = 1,
    ) -> None:
        """Alarm while the metric is above this in so many periods on end; no data is no trouble."""
        alarm = metric.create_alarm(
            self,
            f"{worker.node.id}{what}",
            alarm_description=f"Sluice, {worker.node.id}: {meaning}",
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))


def _largest(name: str, *, of: Worker) -> cloudwatch.Metric:
    """The largest value of a metric that a worker itself sends."""
    return cloudwatch.Metric(
        namespace=METRICS,
        metric_name=name,
        dimensions_map={"service": of.module},
        period=PERIOD,
        statistic="Maximum",
    )
