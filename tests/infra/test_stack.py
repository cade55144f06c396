from typing import Any

import pytest

from functions.core.settings import PREFIX, Settings
from infra import app
from tests.infra.resolution import ACCOUNT, REGION, of_type, resolved

Template = dict[str, Any]

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/DataKey"
BUCKET = "arn:aws:s3:::DataBucket"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"


def test_outputs_are_those_that_the_command_line_reads(template: Template) -> None:
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "DefinitionsTable": "DataDefinitions",
        "LedgerTable": "DataLedger",
        "DataBucket": "DataBucket",
        "MessagesQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/MessagesQueue",
        "MessagesDeadLetterQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/MessagesDeadLetters",
        "MessageWriterFunction": "MessageWriterFunction",
        "MessageWriterRoleArn": f"arn:aws:iam::{ACCOUNT}:role/MessageWriterRole",
        "KeyArn": KEY,
        "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic",
        "SecretPrefix": "sluice/",
        "AssumeRolePattern": "sluice-*",
        "DefinitionMaxAgeSeconds": "60",
    }


def test_there_is_nothing_that_helps_to_deploy(template: Template) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert kinds == {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }
    assert list(of_type(template, "AWS::Lambda::Function")) == ["MessageWriterFunction"]


def test_the_message_writers_role_is_lambdas_and_may_do_its_job_only(template: Template) -> None:
    assert of_type(template, "AWS::IAM::Role") == {
        "MessageWriterRole": {
            "RoleName": "sluice-message-writer",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "job",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "ConsumeQueue",
                                "Effect": "Allow",
                                "Action": [
                                    "sqs:ReceiveMessage",
                                    "sqs:DeleteMessage",
                                    "sqs:GetQueueAttributes",
                                    "sqs:ChangeMessageVisibility",
                                ],
                                "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:MessagesQueue",
                            },
                            {
                                "Sid": "WriteLogs",
                                "Effect": "Allow",
                                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                                "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:MessageWriterLogs:*",
                            },
                            {
                                "Sid": "SendTraces",
                                "Effect": "Allow",
                                "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                                "Resource": "*",
                            },
                            {
                                "Sid": "UseKey",
                                "Effect": "Allow",
                                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                                "Resource": KEY,
                            },
                            {
                                "Sid": "ReadDefinitions",
                                "Effect": "Allow",
                                "Action": "dynamodb:GetItem",
                                "Resource": f"{TABLE}/DataDefinitions",
                            },
                            {
                                "Sid": "KeepLedger",
                                "Effect": "Allow",
                                "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"],
                                "Resource": f"{TABLE}/DataLedger",
                            },
                            {
                                "Sid": "ReadPayloads",
                                "Effect": "Allow",
                                "Action": "s3:GetObject",
                                "Resource": f"{BUCKET}/payloads/*",
                            },
                            {
                                "Sid": "KeepFailures",
                                "Effect": "Allow",
                                "Action": "s3:PutObject",
                                "Resource": f"{BUCKET}/failures/*",
                            },
                            {
                                "Sid": "ReadSecrets",
                                "Effect": "Allow",
                                "Action": "secretsmanager:GetSecretValue",
                                "Resource": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:sluice/*",
                            },
                            {
                                "Sid": "AssumeCustomersRoles",
                                "Effect": "Allow",
                                "Action": "sts:AssumeRole",
                                "Resource": "arn:aws:iam::*:role/sluice-*",
                            },
                        ],
                    },
                }
            ],
        }
    }


def test_the_function_runs_as_documented(template: Template) -> None:
    function = of_type(template, "AWS::Lambda::Function")["MessageWriterFunction"]
    settings = function["Environment"]["Variables"]
    assert Settings.from_environment(settings) == Settings(
        definitions_table="DataDefinitions",
        ledger_table="DataLedger",
        data_bucket="DataBucket",
        queue_url=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/MessagesQueue",
    )
    assert {name: value for name, value in settings.items() if not name.startswith(PREFIX)} == {
        "POWERTOOLS_SERVICE_NAME": "message_writer",
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    # None is left to its default: what a deployment configures must reach the function.
    assert settings.keys() >= {PREFIX + field.upper() for field in Settings.__struct_fields__}
    chosen = {
        name: function[name] for name in ("Runtime", "Architectures", "Handler", "MemorySize", "Timeout")
    }
    assert chosen == {
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Handler": "functions.message_writer.handler.handler",
        "MemorySize": 1769,
        "Timeout": 60,
    }
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"] == {"LogGroup": "MessageWriterLogs"}
    assert "ReservedConcurrentExecutions" not in function


SLOWEST = {
    "message_writer_timeout_seconds": "900",
    "message_writer_window_seconds": "300",
    "message_writer_batch_size": "10000",
}


@pytest.mark.parametrize("context", [{}, SLOWEST], ids=["default", "slowest"])
def test_a_message_is_kept_back_for_six_timeouts_and_the_window(context: dict[str, str]) -> None:
    template = resolved(app.template(context))
    queues = of_type(template, "AWS::SQS::Queue")
    functions = of_type(template, "AWS::Lambda::Function")
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    assert len(mappings) == len(functions)
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
        }
    }


def test_queues_keep_large_messages_for_two_weeks_and_give_up_after_twenty_receives(
    template: Template,
) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    kept = {"KmsMasterKeyId": KEY, "MessageRetentionPeriod": 14 * 24 * 3600, "MaximumMessageSize": 2**20}
    assert queues["MessagesDeadLetters"] == kept
    dead_letters = f"arn:aws:sqs:{REGION}:{ACCOUNT}:MessagesDeadLetters"
    redrive = {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 20}
    assert queues["MessagesQueue"] == {**kept, "VisibilityTimeout": 361, "RedrivePolicy": redrive}


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
    assert used == [KEY] * 4
    assert of_type(template, "AWS::KMS::Key")["DataKey"]["EnableKeyRotation"]


def test_the_key_is_the_accounts_and_open_to_its_logs_and_alarms(template: Template) -> None:
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
        BUCKET,
        f"{BUCKET}/*",
        f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic",
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:MessagesQueue",
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:MessagesDeadLetters",
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


def test_the_bucket_is_private_and_forgets_in_time(template: Template) -> None:
    bucket = of_type(template, "AWS::S3::Bucket")["DataBucket"]
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
        {"Id": "Expire payloads/", "Status": "Enabled", "Prefix": "payloads/", "ExpirationInDays": 430},
        {"Id": "Expire failures/", "Status": "Enabled", "Prefix": "failures/", "ExpirationInDays": 400},
    ]
    assert "VersioningConfiguration" not in bucket


def test_tables_can_be_restored_and_only_the_ledger_forgets(template: Template) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    for table in tables.values():
        assert table["KeySchema"] == keys
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"]
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    assert tables["DataLedger"]["TimeToLiveSpecification"] == expiry
    assert "TimeToLiveSpecification" not in tables["DataDefinitions"]


def test_each_alarm_tells_the_topic(template: Template) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]): (
            alarm["Threshold"],
            alarm["EvaluationPeriods"],
        )
        for alarm in alarms
    }
    assert watched == {
        ("ApproximateNumberOfMessagesVisible", "MessagesDeadLetters"): (0, 1),
        ("ApproximateAgeOfOldestMessage", "MessagesQueue"): (900, 1),
        ("Errors", "MessageWriterFunction"): (0, 1),
        ("Throttles", "MessageWriterFunction"): (0, 3),
    }
    for alarm in alarms:
        assert alarm["AlarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:AlarmsTopic"]
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"


STATEFUL = {
    "AWS::DynamoDB::Table": 2,
    "AWS::KMS::Key": 1,
    "AWS::Logs::LogGroup": 1,
    "AWS::S3::Bucket": 1,
    "AWS::SQS::Queue": 2,
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
    layer = of_type(template, "AWS::Lambda::LayerVersion")["SoftwareDependencies"]
    assert layer["CompatibleArchitectures"] == ["x86_64"]
    assert of_type(template, "AWS::Logs::LogGroup")["MessageWriterLogs"]["RetentionInDays"] == 365
    told = {subscription["Endpoint"] for subscription in of_type(template, "AWS::SNS::Subscription").values()}
    assert told == {"ops@acme.example", "dev@acme.example"}
