from typing import Any

import pytest

from functions.core.settings import PREFIX, Settings
from infra import app
from tests.infra.resolution import ACCOUNT, REGION, of_type, resolved

Template = dict[str, Any]

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/DataKey"
BUCKET = "arn:aws:s3:::DataBucket"
DROP = "arn:aws:s3:::DropBucket"
ARRIVALS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ArrivalsQueue"


def test_outputs_are_those_that_the_command_line_reads(template: Template) -> None:
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "DefinitionsTable": "DataDefinitions",
        "LedgerTable": "DataLedger",
        "ClaimsTable": "DataClaims",
        "ProfilesTable": "DataProfiles",
        "DataBucket": "DataBucket",
        "MessagesQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/MessagesQueue",
        "MessagesDeadLetterQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/MessagesDeadLetters",
        "MessageWriterFunction": "MessageWriterFunction",
        "MessageWriterRoleArn": f"arn:aws:iam::{ACCOUNT}:role/MessageWriterRole",
        "RecordsQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/RecordsQueue",
        "RecordsDeadLetterQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/RecordsDeadLetters",
        "StagerFunction": "StagerFunction",
        "DeliveriesQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/DeliveriesQueue",
        "DeliveriesDeadLetterQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/DeliveriesDeadLetters",
        "FileWriterFunction": "FileWriterFunction",
        "FileWriterRoleArn": f"arn:aws:iam::{ACCOUNT}:role/FileWriterRole",
        "ArrivalsQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ArrivalsQueue",
        "ArrivalsQueueArn": ARRIVALS,
        "ArrivalsDeadLetterQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ArrivalsDeadLetters",
        "DropBucket": "DropBucket",
        "ImporterFunction": "ImporterFunction",
        "ImporterRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ImporterRole",
        "PlannerFunction": "PlannerFunction",
        "KeyArn": KEY,
        "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic",
        "SecretPrefix": "sluice/",
        "AssumeRolePattern": "sluice-*",
        "DefinitionMaxAgeSeconds": "60",
        "PartRetentionDays": "90",
    }


def test_there_is_nothing_that_helps_to_deploy(template: Template) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert kinds == {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }
    workers = ("MessageWriter", "Stager", "FileWriter", "Importer", "Planner")
    functions = [f"{worker}Function" for worker in workers]
    assert list(of_type(template, "AWS::Lambda::Function")) == functions


QUEUE_URLS = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
EVERYWHERE = {
    "definitions_table": "DataDefinitions",
    "ledger_table": "DataLedger",
    "data_bucket": "DataBucket",
    "definition_max_age_seconds": "60",
    "failure_retention_days": "400",
    "part_retention_days": "90",
}
SETTINGS = {
    "message_writer": {
        "queue_url": f"{QUEUE_URLS}/MessagesQueue",
        "assume_role_pattern": "sluice-*",
        "writes_at_once": "32",
        "payload_budget_megabytes": "256",
    },
    "stager": {
        "queue_url": f"{QUEUE_URLS}/RecordsQueue",
        "deliveries_queue_url": f"{QUEUE_URLS}/DeliveriesQueue",
        "writes_at_once": "32",
        "payload_budget_megabytes": "256",
    },
    "file_writer": {
        "queue_url": f"{QUEUE_URLS}/DeliveriesQueue",
        "assume_role_pattern": "sluice-*",
        "largest_run_gigabytes": "20",
    },
    "importer": {
        "queue_url": f"{QUEUE_URLS}/ArrivalsQueue",
        "arrivals_queue_url": f"{QUEUE_URLS}/ArrivalsQueue",
        "claims_table": "DataClaims",
        "profiles_table": "DataProfiles",
        "drop_bucket": "DropBucket",
        "assume_role_pattern": "sluice-*",
        "chunk_events": "50000",
        "event_retention_days": "400",
        "chunk_megabytes": "64",
        "largest_file_gigabytes": "5",
        "payload_budget_megabytes": "256",
    },
    "planner": {
        "deliveries_queue_url": f"{QUEUE_URLS}/DeliveriesQueue",
        "arrivals_queue_url": f"{QUEUE_URLS}/ArrivalsQueue",
    },
}
ROOMS: dict[str, dict[str, Any]] = {
    "message_writer": {"MemorySize": 1769, "Timeout": 60},
    "stager": {"MemorySize": 1769, "Timeout": 60},
    "file_writer": {"MemorySize": 1769, "Timeout": 900, "EphemeralStorage": {"Size": 10_240}},
    "importer": {"MemorySize": 1769, "Timeout": 900, "EphemeralStorage": {"Size": 10_240}},
    "planner": {"MemorySize": 512, "Timeout": 60},
}
COLUMNAR = {"file_writer", "importer"}


@pytest.mark.parametrize("module", SETTINGS)
def test_a_function_runs_as_documented(template: Template, module: str) -> None:
    worker = module.title().replace("_", "")
    function = of_type(template, "AWS::Lambda::Function")[f"{worker}Function"]
    columnar = module in COLUMNAR
    assert function["Environment"]["Variables"] == {
        **{PREFIX + name.upper(): value for name, value in (EVERYWHERE | SETTINGS[module]).items()},
        "POWERTOOLS_SERVICE_NAME": module,
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **({"PYTHONTZPATH": "/opt/python/tzdata/zoneinfo"} if columnar else {}),
    }
    asserted_elsewhere = ("Code", "Role", "Environment")
    assert {name: value for name, value in function.items() if name not in asserted_elsewhere} == {
        "Description": f"Sluice: {module}",
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Handler": f"functions.{module}.handler.handler",
        "Layers": ["SoftwareDependencies", *(["SoftwareColumnar"] if columnar else [])],
        "TracingConfig": {"Mode": "Active"},
        "LoggingConfig": {"LogGroup": f"{worker}Logs"},
        **ROOMS[module],
    }


def test_what_a_deployment_configures_reaches_a_function() -> None:
    told = {name for settings in SETTINGS.values() for name in settings} | EVERYWHERE.keys()
    assert told == set(Settings.__struct_fields__)


SLOWEST = {
    "message_writer_timeout_seconds": "900",
    "message_writer_window_seconds": "300",
    "message_writer_batch_size": "10000",
    "stager_timeout_seconds": "900",
    "stager_window_seconds": "300",
}


@pytest.mark.parametrize("context", [{}, SLOWEST], ids=["default", "slowest"])
def test_a_message_is_kept_back_for_six_timeouts_and_the_window(context: dict[str, str]) -> None:
    template = resolved(app.template(context))
    queues = of_type(template, "AWS::SQS::Queue")
    functions = of_type(template, "AWS::Lambda::Function")
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    assert len(mappings) == 4
    for mapping in mappings:
        queue = queues[mapping["EventSourceArn"].rpartition(":")[2]]
        timeout = functions[mapping["FunctionName"]]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]


def test_the_mapping_limits_concurrency_and_takes_partial_answers(template: Template) -> None:
    assert of_type(template, "AWS::Lambda::EventSourceMapping") == {
        "MessageWriterMapping": {
            "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:MessagesQueue",
            "FunctionName": "MessageWriterFunction",
            "BatchSize": 1000,
            "MaximumBatchingWindowInSeconds": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 20},
        },
        "StagerMapping": {
            "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:RecordsQueue",
            "FunctionName": "StagerFunction",
            "BatchSize": 1000,
            "MaximumBatchingWindowInSeconds": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 20},
        },
        "FileWriterMapping": {
            "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:DeliveriesQueue",
            "FunctionName": "FileWriterFunction",
            "BatchSize": 1,
            "MaximumBatchingWindowInSeconds": 0,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 20},
        },
        "ImporterMapping": {
            "EventSourceArn": ARRIVALS,
            "FunctionName": "ImporterFunction",
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 20},
        },
    }


def test_the_planner_is_started_every_minute_and_what_it_fails_at_is_left_to_the_next(
    template: Template,
) -> None:
    once = {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    planner = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:PlannerFunction"
    rules = of_type(template, "AWS::Events::Rule")
    assert rules == {
        "PlannerRule": {
            "Description": "Sluice: starts planner",
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [{"Arn": planner, "Id": "Target0", "RetryPolicy": once}],
        }
    }
    [invocations] = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    assert invocations == {"FunctionName": "PlannerFunction", "Qualifier": "$LATEST", **once}
    [permission] = of_type(template, "AWS::Lambda::Permission").values()
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": planner,
        "Principal": "events.amazonaws.com",
        "SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/PlannerRule",
    }


def test_queues_keep_large_messages_for_two_weeks_and_give_up_after_twenty_receives(
    template: Template,
) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    kept = {"KmsMasterKeyId": KEY, "MessageRetentionPeriod": 14 * 24 * 3600, "MaximumMessageSize": 2**20}
    hidden = {"Messages": 361, "Records": 370, "Deliveries": 5400, "Arrivals": 5401}
    assert len(queues) == 2 * len(hidden)
    for name, seconds in hidden.items():
        assert queues[f"{name}DeadLetters"] == kept
        dead_letters = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}DeadLetters"
        redrive = {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 20}
        assert queues[f"{name}Queue"] == {**kept, "VisibilityTimeout": seconds, "RedrivePolicy": redrive}


def test_everything_is_encrypted_with_the_one_key(template: Template) -> None:
    for table in of_type(template, "AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    for bucket in of_type(template, "AWS::S3::Bucket").values():
        assert bucket["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                }
            ]
        }
    used = [
        *(queue["KmsMasterKeyId"] for queue in of_type(template, "AWS::SQS::Queue").values()),
        *(topic["KmsMasterKeyId"] for topic in of_type(template, "AWS::SNS::Topic").values()),
        *(group["KmsKeyId"] for group in of_type(template, "AWS::Logs::LogGroup").values()),
    ]
    assert used == [KEY] * (8 + 1 + 5)
    assert of_type(template, "AWS::KMS::Key")["DataKey"]["EnableKeyRotation"]


def test_the_key_is_the_accounts_and_open_to_its_logs_its_alarms_and_what_buckets_tell(
    template: Template,
) -> None:
    assert of_type(template, "AWS::KMS::Key")["DataKey"]["KeyPolicy"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccountDecides",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "LogsEncrypt",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {
                    "StringLike": {
                        "kms:EncryptionContext:aws:logs:arn": (
                            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:sluice-*"
                        )
                    }
                },
            },
            {
                "Sid": "AlarmsPublish",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
            },
            {
                "Sid": "BucketsTell",
                "Effect": "Allow",
                "Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
            },
        ],
    }


def test_nothing_is_reached_without_tls(template: Template) -> None:
    refused = {
        resource
        for kind in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
        for policy in of_type(template, kind).values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Principal"] in ("*", {"AWS": "*"})
        if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for resource in (
            statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        )
    }
    assert refused == {
        *(place for bucket in (BUCKET, DROP) for place in (bucket, f"{bucket}/*")),
        f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic",
        *(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}" for queue in of_type(template, "AWS::SQS::Queue")),
    }


def test_only_this_accounts_alarms_publish(template: Template) -> None:
    policy = of_type(template, "AWS::SNS::TopicPolicy")["AlarmsTopicPolicy"]["PolicyDocument"]
    assert [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"] == [
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
            },
        }
    ]


FORGOTTEN_AFTER_DAYS = {
    "payloads/": 430,
    "failures/": 400,
    "parts/": 90,
    "candidates/": 30,
    "events/": 400,
    "merged_ids/": 400,
    "rejects/": 90,
}


def test_buckets_are_private_and_the_one_of_our_own_data_forgets_in_time(template: Template) -> None:
    buckets = of_type(template, "AWS::S3::Bucket")
    assert buckets.keys() == {"DataBucket", "DropBucket"}
    uploads = {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    for bucket in buckets.values():
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert "VersioningConfiguration" not in bucket
    assert buckets["DropBucket"]["LifecycleConfiguration"]["Rules"] == [uploads]
    assert buckets["DataBucket"]["LifecycleConfiguration"]["Rules"] == [
        uploads,
        *(
            {"Id": f"Expire {prefix}", "Status": "Enabled", "Prefix": prefix, "ExpirationInDays": days}
            for prefix, days in FORGOTTEN_AFTER_DAYS.items()
        ),
    ]


def test_the_drop_bucket_tells_the_queue_that_lets_it_before_it_is_made(template: Template) -> None:
    drop = template["Resources"]["DropBucket"]
    rule = {"Event": "s3:ObjectCreated:*", "Queue": ARRIVALS}
    assert drop["Properties"]["NotificationConfiguration"] == {"QueueConfigurations": [rule]}
    [waits_for] = drop["DependsOn"]
    assert waits_for.startswith("ArrivalsQueuePolicy")
    assert "NotificationConfiguration" not in of_type(template, "AWS::S3::Bucket")["DataBucket"]


def test_the_queue_of_arrivals_is_told_by_buckets_of_our_account_and_of_the_listed_ones() -> None:
    template = resolved(app.template({"import_accounts": "444455556666,777788889999"}))
    policy = of_type(template, "AWS::SQS::QueuePolicy")["ArrivalsQueuePolicy"]["PolicyDocument"]
    assert [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"] == [
        {
            "Sid": "BucketsTell",
            "Effect": "Allow",
            "Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": ARRIVALS,
            "Condition": {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "444455556666", "777788889999"]}},
        }
    ]


def test_no_other_queue_is_open_to_anybody_but_our_roles(template: Template) -> None:
    open_to_others = {
        name
        for name, policy in of_type(template, "AWS::SQS::QueuePolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }
    assert open_to_others == {"ArrivalsQueuePolicy"}


def test_tables_can_be_restored_but_for_claims_and_all_forget_but_the_definitions(template: Template) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert tables.keys() == {f"Data{name}" for name in ("Definitions", "Ledger", "Claims", "Profiles")}
    by_name = {"AttributeName": "pk", "KeyType": "HASH"}
    sorted_by = {"AttributeName": "sk", "KeyType": "RANGE"}
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    for name, table in tables.items():
        claims = name == "DataClaims"
        assert table["KeySchema"] == ([by_name] if claims else [by_name, sorted_by])
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": not claims}
        assert table["DeletionProtectionEnabled"]
        forgets = name != "DataDefinitions"
        assert table.get("TimeToLiveSpecification") == (expiry if forgets else None)


def test_each_alarm_tells_the_topic(template: Template) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]): (
            alarm["Threshold"],
            alarm["EvaluationPeriods"],
        )
        for alarm in alarms
    }
    expected = {
        ("OldestOpenRunSeconds", "planner"): (24 * 3600, 1),
        ("OldestWaitingFileSeconds", "planner"): (3600, 1),
    }
    for queue in ("Messages", "Records", "Deliveries", "Arrivals"):
        expected["ApproximateNumberOfMessagesVisible", f"{queue}DeadLetters"] = (0, 1)
        expected["ApproximateAgeOfOldestMessage", f"{queue}Queue"] = (900, 1)
    for worker in ("MessageWriter", "Stager", "FileWriter", "Importer", "Planner"):
        expected["Errors", f"{worker}Function"] = (0, 1)
        expected["Throttles", f"{worker}Function"] = (0, 3)
    assert watched == expected
    for alarm in alarms:
        assert alarm["AlarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic"]
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("metric", ["OldestOpenRunSeconds", "OldestWaitingFileSeconds"])
def test_what_is_oldest_is_the_planners_own_metric(template: Template, metric: str) -> None:
    [alarm] = [
        each for each in of_type(template, "AWS::CloudWatch::Alarm").values() if each["MetricName"] == metric
    ]
    assert (alarm["Namespace"], alarm["Statistic"]) == ("Sluice", "Maximum")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "planner"}]


STATEFUL = {
    "AWS::DynamoDB::Table": 4,
    "AWS::KMS::Key": 1,
    "AWS::Logs::LogGroup": 5,
    "AWS::S3::Bucket": 2,
    "AWS::SQS::Queue": 8,
}


@pytest.mark.parametrize(("retain", "policy"), [("true", "Retain"), ("false", "Delete")])
def test_what_is_kept_outlives_the_stack_unless_the_deployment_says_otherwise(
    retain: str, policy: str
) -> None:
    resources = app.template({"retain": retain})["Resources"].values()
    found = dict.fromkeys(STATEFUL, 0)
    for resource in resources:
        if resource["Type"] in STATEFUL:
            found[resource["Type"]] += 1
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, policy)
    assert found == STATEFUL


def test_a_deployment_of_its_own_name_on_another_processor() -> None:
    template = resolved(
        app.template(
            {
                "name": "acme-prod",
                "region": "us-west-2",
                "architecture": "x86_64",
                "assume_role_pattern": "acme-*",
                "alarm_emails": "ops@acme.example, dev@acme.example",
                "log_retention_days": "365",
                "definition_max_age_seconds": "5",
                "part_retention_days": "60",
                "largest_run_gigabytes": "8",
                "open_run_alarm_hours": "6",
                "waiting_file_alarm_minutes": "30",
                "chunk_events": "2000",
                "event_retention_days": "30",
                "reject_retention_days": "7",
            }
        )
    )
    role = of_type(template, "AWS::IAM::Role")["MessageWriterRole"]
    assert role["RoleName"] == "acme-prod-message-writer"
    statements = {
        statement["Sid"]: statement["Resource"]
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
    }
    assert statements["AssumeCustomersRoles"] == "arn:aws:iam::*:role/acme-*"
    assert statements["ReadSecrets"].endswith(":secret:acme-prod/*")
    function = of_type(template, "AWS::Lambda::Function")["MessageWriterFunction"]
    assert function["Architectures"] == ["x86_64"]
    assert function["Environment"]["Variables"]["SLUICE_DEFINITION_MAX_AGE_SECONDS"] == "5"
    for layer in of_type(template, "AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleArchitectures"] == ["x86_64"]
    writes = of_type(template, "AWS::Lambda::Function")["FileWriterFunction"]["Environment"]["Variables"]
    assert (writes["SLUICE_PART_RETENTION_DAYS"], writes["SLUICE_LARGEST_RUN_GIGABYTES"]) == ("60", "8")
    assert template["Outputs"]["PartRetentionDays"]["Value"] == "60"
    assert of_type(template, "AWS::CloudWatch::Alarm")["AlarmsPlannerOldestOpenRun"]["Threshold"] == 6 * 3600
    waiting = of_type(template, "AWS::CloudWatch::Alarm")["AlarmsPlannerOldestWaitingFile"]
    assert waiting["Threshold"] == 30 * 60
    reads = of_type(template, "AWS::Lambda::Function")["ImporterFunction"]["Environment"]["Variables"]
    assert reads["SLUICE_CHUNK_EVENTS"] == "2000"
    rules = of_type(template, "AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]
    forgotten = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert (forgotten["events/"], forgotten["rejects/"]) == (30, 7)
    assert of_type(template, "AWS::Logs::LogGroup")["MessageWriterLogs"]["RetentionInDays"] == 365
    told = {subscription["Endpoint"] for subscription in of_type(template, "AWS::SNS::Subscription").values()}
    assert told == {"ops@acme.example", "dev@acme.example"}
