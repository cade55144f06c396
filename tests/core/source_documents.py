"""The smallest source that is in order."""

from typing import Any

CONVERTER: dict[str, Any] = {
    "converterConfig": {
        "fileType": "json",
        "convertToAmplitudeFunc": {"event_type": "action", "user_id": "user", "time": "epoch"},
    },
    "keyValidatorConfig": {"filterPattern": r"\w+\.json"},
}
SMALLEST: dict[str, Any] = {
    "name": "acme-in",
    "kind": "files",
    "bucket": "acme-data",
    "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
    "project_id": 187520,
    "data_type": "event",
    "strategy": "append",
    "converter": CONVERTER,
}
