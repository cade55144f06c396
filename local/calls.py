"""What a request to AWS asks for, read from the request as each of the protocols spells it."""

import json
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/[^/]+/[^/]+/([^/]+)/")
_NAMED_BY = ("QueueUrl", "TableName", "SecretId", "KeyId", "RoleArn", "StackName", "TopicArn")
_OBJECT_CALLS = (
    ("PUT", "uploadId", "UploadPart"),
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("GET", "uploadId", "ListParts"),
    ("PUT", "acl", "PutObjectAcl"),
    ("PUT", "tagging", "PutObjectTagging"),
    ("PUT", "", "PutObject"),
    ("GET", "", "GetObject"),
    ("HEAD", "", "HeadObject"),
    ("DELETE", "", "DeleteObject"),
)
_BUCKET_CALLS = (
    ("GET", "list-type", "ListObjectsV2"),
    ("GET", "location", "GetBucketLocation"),
    ("GET", "uploads", "ListMultipartUploads"),
    ("POST", "delete", "DeleteObjects"),
    ("HEAD", "", "HeadBucket"),
    ("GET", "notification", "GetBucketNotificationConfiguration"),
    ("PUT", "notification", "PutBucketNotificationConfiguration"),
    ("PUT", "", "CreateBucket"),
    ("DELETE", "", "DeleteBucket"),
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of an AWS API: `s3` `PutObject` `bucket/key`, `sqs` `DeleteMessage` `queue`."""

    service: str
    action: str
    resource: str
    access_key: str
    parameters: dict[str, Any]
    """The query and the JSON or form fields; never an object's body."""

    @classmethod
    def read(cls, environ: WSGIEnvironment) -> Self:
        """The call that a WSGI request makes; its body can still be read afterwards."""
        signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        access_key, service = signed.groups() if signed else ("", "")
        parameters: dict[str, Any] = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if service == "s3":
            resource = environ["PATH_INFO"].encode("latin-1").decode().strip("/")
            action = _s3_action(environ["REQUEST_METHOD"], resource, parameters)
        else:
            parameters |= _fields(environ)
            target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
            action = target or parameters.get("Action", "")
            named = next((parameters[name] for name in _NAMED_BY if name in parameters), "")
            resource = named.rpartition("/")[2] if service == "sqs" else named
        return cls(
            service=service, action=action, resource=resource, access_key=access_key, parameters=parameters
        )

    def refusal(self, status: int, code: str, message: str = "as a test demands") -> Response:
        """An error answer in the form that this call's service gives it."""
        if "Action" in self.parameters:
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            return Response(f"<ErrorResponse>{error}</ErrorResponse>", status, content_type="text/xml")
        if self.service == "s3":
            error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return Response(error, status, content_type="application/xml")
        error = json.dumps({"__type": code, "message": message})
        return Response(error, status, content_type="application/x-amz-json-1.0")


def _s3_action(method: str, resource: str, query: dict[str, Any]) -> str:
    calls = _OBJECT_CALLS if "/" in resource else _BUCKET_CALLS
    found = (name for verb, flag, name in calls if verb == method and (not flag or flag in query))
    return next(found, f"{method} ?{'&'.join(query)}")


def _fields(environ: WSGIEnvironment) -> dict[str, Any]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    if "json" in environ.get("CONTENT_TYPE", ""):
        fields = json.loads(body or "{}")
        return fields if isinstance(fields, dict) else {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
