"""S3's calls as IAM judges them, and a bucket that allows what a policy allows."""

from urllib.parse import parse_qs

from tests.adapters.stub_s3 import Answer, Asked, refusal
from tests.policy_evaluator import Document, Request, allows

# What a header of a PUT needs besides s3:PutObject.
_MORE = {
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}


def needed(asked: Asked, *, key: str | None = None) -> list[Request]:
    """The actions that AWS judges this call by; `key` encrypts the bucket's objects."""
    query = parse_qs(asked.query, keep_blank_values=True)
    bucket = f"arn:aws:s3:::{asked.path.split('/')[1]}"
    if "location" in query:
        return [Request(action="s3:GetBucketLocation", resource=bucket)]
    if "notification" in query:
        return [Request(action=f"s3:{asked.method.title()}BucketNotification", resource=bucket)]
    if "list-type" in query:
        prefix = {"s3:prefix": query["prefix"][0]}
        return [Request(action="s3:ListBucket", resource=bucket, context=prefix)]
    action, *kms = _OF_OBJECTS[asked.method, *sorted(query.keys() - {"x-id", "partNumber"})]
    resource = f"{bucket}/{asked.key}"
    found = [Request(action=action, resource=resource)]
    found += [
        Request(action=more, resource=resource) for header, more in _MORE.items() if header in asked.headers
    ]
    own = asked.headers.get("x-amz-server-side-encryption-aws-kms-key-id", key)
    return found + [Request(action=more, resource=own) for more in kms if own]


_PUT, _READ = "s3:PutObject", "s3:GetObject"
_ENCRYPT, _DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
_OF_OBJECTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("HEAD",): (_READ,),
    ("GET",): (_READ, _DECRYPT),
    ("PUT",): (_PUT, _ENCRYPT),
    ("POST", "uploads"): (_PUT, _ENCRYPT),
    ("PUT", "uploadId"): (_PUT, _ENCRYPT, _DECRYPT),
    ("POST", "uploadId"): (_PUT, _DECRYPT),
    ("DELETE", "uploadId"): ("s3:AbortMultipartUpload",),
    ("DELETE",): ("s3:DeleteObject",),
}


class JudgedBucket:
    """Answers as a bucket that takes everything which `policy` allows, and refuses the rest as S3 does."""

    def __init__(self, policy: Document, *, key: str | None = None, region: str = "eu-central-1") -> None:
        self.policy = policy
        self.owner = "111122223333"
        self.requests: list[Request] = []
        self.objects: set[str] = set()
        self.uploads: set[str] = set()
        self.listed: dict[str, str] = {}
        """The keys that a listing tells, each with its storage class."""
        self.notifications = b"<NotificationConfiguration/>"
        self._key = key
        self._region = region

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("x-amz-expected-bucket-owner", self.owner) != self.owner:
            return refusal(403, "AccessDenied")
        requests = needed(asked, key=self._key)
        self.requests += requests
        denied = [each.action for each in requests if not allows(self.policy, each)]
        if denied:
            kms = f"perform: {denied[0]} on resource: y" if denied[0].startswith("kms:") else "no"
            return refusal(403, "AccessDenied", kms)
        return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        if "location" in asked.query:
            return _xml(f"<LocationConstraint>{self._region}</LocationConstraint>")
        if "list-type" in asked.query:
            return self._listing()
        if "notification" in asked.query:
            self.notifications = asked.body or self.notifications
            return Answer(body=self.notifications, headers={"Content-Type": "application/xml"})
        match asked.method, "upload" in asked.query:
            case "POST", _ if "uploads" in asked.query:
                self.uploads.add(upload := f"u{len(self.requests)}")
                return _xml(
                    f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
                )
            case "POST", _:
                self.uploads.remove(parse_qs(asked.query)["uploadId"][0])
                self.objects.add(asked.key)
                return _xml("<CompleteMultipartUploadResult/>")
            case "DELETE", True:
                self.uploads.remove(parse_qs(asked.query)["uploadId"][0])
            case "DELETE", False:
                self.objects.remove(asked.key)
            case "PUT", False:
                self.objects.add(asked.key)
        return Answer(status=204 if asked.method == "DELETE" else 200)

    def _listing(self) -> Answer:
        listed = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2025-10-14T02:58:59.000Z</LastModified>"
            f"<ETag>&quot;e&quot;</ETag><Size>9</Size><StorageClass>{storage_class}</StorageClass></Contents>"
            for key, storage_class in self.listed.items()
        )
        answer = _xml(f"<ListBucketResult>{listed}</ListBucketResult>")
        answer.headers["x-amz-bucket-region"] = self._region
        return answer


def _xml(text: str) -> Answer:
    return Answer(body=f"<?xml version='1.0'?>\n{text}".encode(), headers={"Content-Type": "application/xml"})
