"""S3's notifications to SQS: what buckets are told to send, and the sending.

In moto's place, whose own find no queue in another account, give no sequencer, write `/` as `%2F` and tell of a
multipart upload twice. Rules for topics, functions and EventBridge are kept, and nothing comes of them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import itertools
import json
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.s3.models import s3_backends
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from werkzeug.wrappers import Request, Response

from local.calls import Call
from local.notification_rules import NOTHING, Configuration, OverlapError

_OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type"
_UNREACHED = "Unable to validate the following destination configurations"


class Notifications:
    """Keeps what each bucket is told to notify, and does so when an object is created."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._configurations: dict[str, Configuration] = {}
        self._sequence = itertools.count(0x66D0_0000_0000)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what is about notifications, let moto answer the rest, and tell of what was created."""
        if "/s3/" not in environ.get("HTTP_AUTHORIZATION", ""):
            return self._application(environ, start_response)
        call = Call.read(environ)
        match call.action:
            case "PutBucketNotificationConfiguration":
                answer = self._configure(call, Request(environ))
            case "GetBucketNotificationConfiguration":
                answer = self._configuration(call)
            case "PutObject" | "CompleteMultipartUpload":
                answer = Response.from_app(self._application, environ, buffered=True)
                if answer.status_code == 200:  # noqa: PLR2004 what S3 answers
                    self._tell(_event(call, environ), environ)
            case _:
                return self._application(environ, start_response)
        return answer(environ, start_response)

    def _configure(self, call: Call, request: Request) -> Response:
        """Replace all that a bucket is told; unless the caller would not have it, send each queue a test."""
        if call.resource not in s3_backends.bucket_accounts:
            return _no_bucket(call)
        try:
            configuration = Configuration.read(request.get_data())
        except OverlapError:
            return call.refusal(400, "InvalidArgument", _OVERLAP)
        test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": _now(), "Bucket": call.resource}
        queues = {rule.queue_arn for rule in configuration.rules if rule.queue_arn}
        if request.headers.get("x-amz-skip-destination-validation") != "true" and not all(
            _sent(test, queue_arn=queue_arn) for queue_arn in queues
        ):
            return call.refusal(400, "InvalidArgument", _UNREACHED)
        self._configurations[call.resource] = configuration
        return Response(b"", 200)

    def _configuration(self, call: Call) -> Response:
        if call.resource not in s3_backends.bucket_accounts:
            return _no_bucket(call)
        document = self._configurations.get(call.resource, NOTHING).document
        return Response(document, 200, content_type="application/xml")

    def _tell(self, event: str, environ: WSGIEnvironment) -> None:
        # Not the call's resource, which ends without the `/` that a key may end with.
        path = environ["PATH_INFO"].encode("latin-1").decode().removeprefix("/")
        bucket, _, key = path.partition("/")
        for rule in self._configurations.get(bucket, NOTHING).queues_told_of(event, key):
            record = _record(event, bucket, key, rule=rule.name, sequencer=next(self._sequence))
            _sent({"Records": [record]}, queue_arn=rule.queue_arn)


def _no_bucket(call: Call) -> Response:
    return call.refusal(404, "NoSuchBucket", "The specified bucket does not exist")


def _event(call: Call, environ: WSGIEnvironment) -> str:
    if call.action == "PutObject":
        return "s3:ObjectCreated:Copy" if "HTTP_X_AMZ_COPY_SOURCE" in environ else "s3:ObjectCreated:Put"
    return "s3:ObjectCreated:CompleteMultipartUpload"


def _record(event: str, bucket: str, key: str, *, rule: str, sequencer: int) -> dict[str, Any]:
    partition, account = s3_backends.bucket_accounts[bucket]
    kept = s3_backends[account][partition].buckets[bucket]
    created = kept.keys[key]
    version = {"versionId": created.version_id} if kept.is_versioned else {}
    described = {"key": quote_plus(key, safe="/"), "size": created.size, "eTag": created.etag.strip('"')}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": kept.region_name,
        "eventTime": _now(),
        "eventName": event.removeprefix("s3:"),
        "userIdentity": {"principalId": "AWS:EMBEDDED"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper()},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule,
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": account}, "arn": kept.arn},
            "object": {**described, **version, "sequencer": f"{sequencer:018X}"},
        },
    }


def _sent(message: Mapping[str, Any], *, queue_arn: str) -> bool:
    """Whether there is a queue of this ARN, which then has the message."""
    *_, region, account, name = queue_arn.split(":")
    with suppress(QueueDoesNotExist):
        sqs_backends[account][region].send_message(queue_name=name, message_body=json.dumps(message))
        return True
    return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
