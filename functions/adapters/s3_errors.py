"""What S3 says when it refuses, as ours: by its error code, which stands in the text of every library.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. S3's own message is never repeated,
since it can hold keys and names.
"""

import re

from botocore.exceptions import BotoCoreError, ClientError

from functions.core.errors import Code, Permanent, SluiceError, Transient

_XML_CODE = re.compile(r"<Code>([A-Za-z0-9.]+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_REDIRECT = "Received redirect without LOCATION"
_ANSWER = re.compile(
    r"(?:^|Error performing [A-Z]+ \S+ in [^-]+ - (?:Server returned non-2xx )?)"
    r"(?:status code: |Received redirect).*",
    re.DOTALL,
)
"""From botocore the whole of the text; obstore puts the key before it, and then an address, which has no spaces."""
_KMS_ACTION = re.compile(r"^(?:(?!perform:).)*perform: kms:", re.DOTALL)
"""The action that was denied; the resource that is told after it can be a key that looks like one."""
_DEBUG = "\n\nDebug source:"

_PERMANENT = {
    "AccessDenied": Code.MISSING_PERMISSION,
    "AllAccessDisabled": Code.MISSING_PERMISSION,
    "AccountProblem": Code.INVALID_CREDENTIALS,
    "ExpiredToken": Code.INVALID_CREDENTIALS,
    "InvalidAccessKeyId": Code.INVALID_CREDENTIALS,
    "InvalidToken": Code.INVALID_CREDENTIALS,
    "SignatureDoesNotMatch": Code.INVALID_CREDENTIALS,
    "AuthorizationHeaderMalformed": Code.INVALID_BUCKET,
    "IllegalLocationConstraintException": Code.INVALID_BUCKET,
    "NoSuchBucket": Code.INVALID_BUCKET,
    "PermanentRedirect": Code.INVALID_BUCKET,
    "EntityTooLarge": Code.TOO_LARGE,
    "InvalidObjectState": Code.BAD_FILE,
    "KeyTooLongError": Code.BAD_KEY,
    "MetadataTooLarge": Code.BAD_MESSAGE,
    "NoSuchKey": Code.MISSING_FILE,
    "PreconditionFailed": Code.CHANGED,
}
_TRANSIENT = {
    "ConditionalRequestConflict": Code.UNAVAILABLE,
    "InternalError": Code.UNAVAILABLE,
    "OperationAborted": Code.UNAVAILABLE,
    "RequestTimeTooSkewed": Code.UNAVAILABLE,
    "RequestTimeout": Code.UNAVAILABLE,
    "ServiceUnavailable": Code.UNAVAILABLE,
    "SlowDown": Code.THROTTLED,
    "ThrottlingException": Code.THROTTLED,
}
_PASSING = frozenset({"408", "409", "429"})
_BY_STATUS = {
    "301": Code.INVALID_BUCKET,
    "307": Code.INVALID_BUCKET,
    "401": Code.INVALID_CREDENTIALS,
    "403": Code.MISSING_PERMISSION,
    "404": Code.MISSING_FILE,
    "412": Code.CHANGED,
}


def translate(text: str) -> SluiceError:
    """The error that a library's error text means; without S3's code and status a fault of the network."""
    text = _answer(text)
    code, status = _code(text), _status(text)
    if code in _TRANSIENT or "Throttling" in code or status in _PASSING or status.startswith("5"):
        throttled = "Throttling" in code or status == "429"
        otherwise = Code.THROTTLED if throttled else Code.UNAVAILABLE
        return Transient(_TRANSIENT.get(code, otherwise), f"S3 answered {code or status}")
    if code.startswith("KMS.") or (code == "AccessDenied" and _KMS_ACTION.search(text)):
        return Permanent(Code.KMS_DENIED, f"S3 answered {code}: the key of the bucket cannot be used")
    if code in _PERMANENT:
        return Permanent(_PERMANENT[code], f"S3 answered {code}")
    if _REDIRECT in text:
        return Permanent(Code.INVALID_BUCKET, "the bucket is in another region than the definition says")
    if status:
        return Permanent(_BY_STATUS.get(status, Code.INVALID_BUCKET), f"S3 answered {code or status}")
    return Transient(Code.UNAVAILABLE, "S3 cannot be reached")


def is_taken(text: str) -> bool:
    """Whether a conditional write was refused because the key is taken (and not because of a race, a 409)."""
    text = _answer(text)
    return _code(text) == "PreconditionFailed" or _status(text) == "412"


def as_text(error: ClientError | BotoCoreError) -> str:
    """A botocore error in the form that obstore's have."""
    if not isinstance(error, ClientError):
        return type(error).__name__
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    named = "" if code.isdecimal() else f"<Code>{code}</Code>"
    return f"status code: {status} {named}{details.get('Message', '')}"


def no_credentials() -> SluiceError:
    """What is said where a process has no credentials at all."""
    return Permanent(Code.INVALID_CREDENTIALS, "there are no AWS credentials; give --profile, or sign in")


def _answer(text: str) -> str:
    """What S3 said, without the preamble that repeats the key, and without obstore's inner view of it."""
    found = _ANSWER.search(text.partition(_DEBUG)[0])
    return found[0] if found else ""


def _code(text: str) -> str:
    found = _XML_CODE.search(text)
    return found[1] if found else ""


def _status(text: str) -> str:
    found = _STATUS.search(text)
    return found[1] if found else ""
