"""`python -m tests.infra.judge_policies`: {name: policy} on stdin, [[name, issue], …] on stdout.

parliament runs in a process of its own, for it leaves files open and imports what is deprecated.
"""

import json
import sys

from parliament import analyze_policy_string


def main() -> None:
    # IAM takes numbers and text alike in a condition, parliament only text.
    documents = json.load(sys.stdin, parse_float=str, parse_int=str)
    found = [
        (name, finding.issue)
        for name, document in documents.items()
        for finding in analyze_policy_string(json.dumps(document), include_community_auditors=True).findings
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
