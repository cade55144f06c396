"""What tests have in moto: clients, and tables and buckets of their own."""

import itertools
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-central-1"
_NUMBERS = itertools.count(1)
"""moto has one state for a process, however many servers there are."""

KEYS: dict[str, Any] = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}


class Aws:
    """One emulator; names are never used twice, so that tests cannot see each other."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = boto3.session.Session(**KEYS, region_name=REGION)
        self._numbers = _NUMBERS

    def client(self, service: str) -> Any:
        """A client that does not repeat what failed."""
        config = Config(retries={"total_max_attempts": 1})
        return self.session.client(service, endpoint_url=self.url, config=config)  # type: ignore[call-overload] # a name for its Literal

    def name(self, kind: str) -> str:
        """A name that nothing has."""
        return f"{kind}-{next(self._numbers)}"

    def table(self) -> str:
        """A table with the keys that all of ours have."""
        name = self.name("table")
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def bucket(self) -> str:
        """An empty bucket."""
        name = self.name("bucket")
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def keys(self, bucket: str) -> list[str]:
        """The keys of all objects of a bucket."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def body(self, bucket: str, key: str) -> bytes:
        """An object's bytes."""
        found: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return found
