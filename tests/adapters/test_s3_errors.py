from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from functions.adapters import s3_errors
from functions.core.errors import Code, Transient
from tests.cases import table


def _obstore_text(status: int, code: str, message: str) -> str:
    """An error's text as obstore 0.12 gives it, to the letter where it can matter."""
    key = "in/a.json"
    xml = (
        f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
        if code
        else ""
    )
    return (
        f"The operation lacked the necessary privileges to complete for path {key}: Error performing PUT"
        f" http://127.0.0.1:46749/acme/{key} in 675.735µs - Server returned non-2xx status code: {status}"
        f' {HTTPStatus(status).phrase}: {xml}\n\nDebug source:\nPermissionDenied {{\n    path: "{key}",\n'
        f"    source: RetryError(\n        RetryErrorImpl {{\n            inner: Status {{\n"
        f'                status: {status},\n                body: Some(\n                    "{xml}",\n'
        "                ),\n            },\n        },\n    ),\n}"
    )


def _botocore_text(status: int, code: str, message: str) -> str:
    """The same by way of botocore, which puts the status where S3 said no code."""
    response: Any = {
        "Error": {"Code": code or str(status), "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return s3_errors.as_text(ClientError(response, "PutObject"))


@pytest.mark.parametrize("form", [_obstore_text, _botocore_text])
@pytest.mark.parametrize("case", table("s3_errors"))
def test_an_answer_of_s3_means_this_whichever_library_tells_it(case: dict[str, Any], form: Any) -> None:
    error = s3_errors.translate(form(case["status"], case.get("code", ""), case.get("message", "no")))
    assert type(error).__name__ == case["is"]
    assert error.code == case.get("as", error.code)


def test_s3s_own_message_is_never_repeated() -> None:
    for form in (_obstore_text, _botocore_text):
        error = s3_errors.translate(form(403, "AccessDenied", "arn:aws:s3:::acme/s3cr3t-name"))
        assert "s3cr3t" not in error.text
        assert "AccessDenied" in error.text


@pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (412, "")])
def test_a_failed_precondition_says_that_the_key_is_taken(status: int, code: str) -> None:
    assert s3_errors.is_taken(_obstore_text(status, code, "no"))
    assert s3_errors.is_taken(_botocore_text(status, code, "no"))


@pytest.mark.parametrize(
    ("status", "code"), [(409, "ConditionalRequestConflict"), (409, ""), (403, "AccessDenied")]
)
def test_nothing_else_says_that_the_key_is_taken(status: int, code: str) -> None:
    assert not s3_errors.is_taken(_obstore_text(status, code, "no"))
    assert not s3_errors.is_taken(_botocore_text(status, code, "no"))


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="http://x"), ReadTimeoutError(endpoint_url="http://x")],
    ids=lambda error: type(error).__name__,
)
def test_a_network_that_is_gone_is_transient(error: Any) -> None:
    for text in (s3_errors.as_text(error), "Generic S3 error: error sending request for url (http://x/)"):
        translated = s3_errors.translate(text)
        assert isinstance(translated, Transient)
        assert translated.code is Code.UNAVAILABLE


def test_a_process_without_credentials_is_told_so() -> None:
    assert s3_errors.no_credentials().code is Code.INVALID_CREDENTIALS
