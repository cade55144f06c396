"""Events as AWS documents them: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SQS: dict[str, Any] = json.loads((Path(__file__).parent / "sqs.json").read_text())


def recorded() -> dict[str, Any]:
    """Two messages: one as it was sent, one that was sent again after a failure."""
    return copy.deepcopy(_SQS)


def sqs_event(*bodies: str, receives: int = 1, attributes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An event of these bodies, in the recorded shape, with message attributes of type String."""
    first = _SQS["Records"][0]
    named = {
        name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        for name, value in (attributes or {}).items()
    }
    return {
        "Records": [
            {
                **copy.deepcopy(first),
                "messageId": f"message-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {**first["attributes"], "ApproximateReceiveCount": str(receives)},
                "messageAttributes": named,
            }
            for number, body in enumerate(bodies)
        ]
    }
