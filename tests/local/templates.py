"""A template of the shape that the CDK gives our own stack, with the tests' functions in it."""

from typing import Any

JSON = dict[str, Any]

CUSTOMER = "111122223333"


def ref(name: str) -> JSON:
    return {"Ref": name}


def attribute(name: str, of: str = "Arn") -> JSON:
    return {"Fn::GetAtt": [name, of]}


def function(handler: str, **properties: Any) -> JSON:
    return {
        "Type": "AWS::Lambda::Function",
        "DependsOn": ["Role"],
        "Properties": {
            "Code": {
                "S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
                "S3Key": "0.zip",
            },
            "Handler": f"tests.local.handlers.{handler}",
            "Runtime": "python3.13",
            "Role": attribute("Role"),
            "Timeout": 5,
            "MemorySize": 256,
            **properties,
        },
    }


def mapping(function_name: JSON, queue: str, **properties: Any) -> JSON:
    return {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "FunctionName": function_name,
            "EventSourceArn": attribute(queue),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 2},
            **properties,
        },
    }


def queue(dead_letters: str) -> JSON:
    redrive = {"deadLetterTargetArn": attribute(dead_letters), "maxReceiveCount": 3}
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {"VisibilityTimeout": 60, "RedrivePolicy": redrive, "KmsMasterKeyId": attribute("Key")},
    }


def rule(*targets: JSON, **properties: Any) -> JSON:
    named = [{"Arn": target, "Id": f"Target{number}"} for number, target in enumerate(targets)]
    stated = {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED", "Targets": named}
    return {"Type": "AWS::Events::Rule", "Properties": stated | properties}


VARIABLES = {
    "BUCKET": ref("Bucket"),
    "TABLE": ref("Table"),
    "QUEUE": ref("Copies"),
    "KEY": attribute("Key"),
    "PLACE": {"Fn::Join": ["", ["arn:", ref("AWS::Partition"), ":", ref("AWS::Region")]]},
}

STACK: JSON = {
    "Parameters": {
        "BootstrapVersion": {
            "Type": "AWS::SSM::Parameter::Value<String>",
            "Default": "/cdk-bootstrap/hnb659fds/version",
        }
    },
    "Rules": {"CheckBootstrapVersion": {"Assertions": []}},
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": []}}},
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Messages": queue("DeadLetters"),
        "Copies": queue("DeadLetters"),
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "DependsOn": ["BucketPolicy", "Key"],
            "Properties": {},
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": ref("Bucket"),
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "*",
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ]
                },
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "embedded-writer",
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                },
            },
        },
        "Errors": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"Dimensions": [{"Name": "FunctionName", "Value": ref("Judge")}]},
        },
        "Notice": {"Type": "Custom::Notice", "Properties": {"ServiceToken": attribute("Judge")}},
        "Judge": function("judge", Timeout=1),
        "JudgeMapping": mapping(ref("Judge"), "Messages", BatchSize=10),
        "Copier": function("copies", FunctionName="copier", Environment={"Variables": VARIABLES}),
        "CopierMapping": mapping(attribute("Copier"), "Copies", BatchSize=10),
        "Echo": function("echo", FunctionName="echo", Environment={"Variables": VARIABLES}),
        "EveryMinute": rule(attribute("Echo"), attribute("Raises"), Name="every-minute"),
        "Never": rule(attribute("Echo"), State="DISABLED"),
        "EveryMinuteMay": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": attribute("Echo"), "SourceArn": attribute("EveryMinute")},
        },
        "Columns": function("columns", FunctionName="columns", MemorySize=512),
        "Raises": function("raises", FunctionName="raises"),
        "Dies": function("dies", FunctionName="dies"),
        "Leaves": function("leaves", FunctionName="leaves"),
        "Grows": function("grows", FunctionName="grows", MemorySize=128),
        "Sleeps": function("sleeps", FunctionName="sleeps", Timeout=0.7),
        "Absent": function("absent", FunctionName="absent"),
    },
    "Outputs": {
        "Bucket": {"Value": ref("Bucket")},
        "Table": {"Value": ref("Table")},
        "Messages": {"Value": ref("Messages")},
        "Copies": {"Value": ref("Copies")},
        "DeadLetters": {"Value": ref("DeadLetters")},
        "Judge": {"Value": ref("Judge")},
        "JudgeArn": {"Value": attribute("Judge")},
        "RoleArn": {"Value": attribute("Role")},
    },
}


def customer_stack(*, principal: str, external_id: str) -> JSON:
    """A customer's role and bucket, as the access template makes them."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {
        "Parameters": {"RoleName": {"Type": "String"}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "acme-landing"}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": ref("RoleName"),
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                },
            },
        },
        "Outputs": {"RoleArn": {"Value": attribute("Role")}, "Bucket": {"Value": ref("Bucket")}},
    }
