"""What a bucket is told to notify: the document of S3's API, the rules in it, and how a template states them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

import itertools
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from xml.etree import ElementTree as ET

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_KINDS = ("Queue", "Topic", "CloudFunction")

ET.register_namespace("", _NAMESPACE)


class OverlapError(ValueError):
    """Two rules could tell of one event of one object, which S3 does not allow."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is told of, and which queue is told; `queue_arn` is empty for a topic or a function."""

    name: str
    queue_arn: str
    events: frozenset[str]
    prefix: str = ""
    suffix: str = ""

    @classmethod
    def read(cls, element: ET.Element) -> Self:
        """The rule in a QueueConfiguration, a TopicConfiguration or a CloudFunctionConfiguration."""
        filters = {
            _text(rule, "Name").lower(): _text(rule, "Value")
            for rule in element.iterfind(f".//{_tag('FilterRule')}")
        }
        return cls(
            name=_text(element, "Id"),
            queue_arn=_text(element, "Queue"),
            events=frozenset(each.text or "" for each in element.iterfind(_tag("Event"))),
            prefix=filters.get("prefix", ""),
            suffix=filters.get("suffix", ""),
        )

    def tells_of(self, event: str, key: str) -> bool:
        """Whether this event of this object is one to tell of."""
        named = any(_includes(stated, event) for stated in self.events)
        return named and key.startswith(self.prefix) and key.endswith(self.suffix)

    def overlaps(self, other: Self) -> bool:
        """Whether both could tell of one event of one object."""
        pairs = itertools.product(self.events, other.events)
        return (
            any(_includes(one, another) or _includes(another, one) for one, another in pairs)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A bucket's document, in which each rule has a name, and its rules."""

    document: bytes
    rules: tuple[Rule, ...] = ()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The configuration in the body of a PutBucketNotificationConfiguration.

        Raises:
            OverlapError: Two of its rules overlap.
        """
        document = ET.fromstring(body)  # noqa: S314 our own clients wrote it
        elements = [element for kind in _KINDS for element in document.iterfind(_tag(f"{kind}Configuration"))]
        for element in elements:
            if not _text(element, "Id"):
                element.insert(0, _element("Id", str(uuid.uuid4())))
        rules = tuple(map(Rule.read, elements))
        if any(one.overlaps(other) for one, other in itertools.combinations(rules, 2)):
            raise OverlapError("two rules share an event type, a prefix and a suffix")
        return cls(document=ET.tostring(document, encoding="utf-8"), rules=rules)

    def queues_told_of(self, event: str, key: str) -> Iterator[Rule]:
        """The rules by which a queue is to be told of an event."""
        return (rule for rule in self.rules if rule.queue_arn and rule.tells_of(event, key))


NOTHING = Configuration(document=ET.tostring(ET.Element(f"{{{_NAMESPACE}}}NotificationConfiguration")))
"""What a bucket has that nobody told anything."""


def of_template(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The NotificationConfiguration of an AWS::S3::Bucket as boto3 takes it.

    Raises:
        ValueError: It has something else than queues, of which nothing would come here.
    """
    if others := configuration.keys() - {"QueueConfigurations"}:
        raise ValueError(f"not driven locally: {', '.join(sorted(others))}")
    return {"QueueConfigurations": [_of_queue(each) for each in configuration["QueueConfigurations"]]}


def _of_queue(stated: Mapping[str, Any]) -> dict[str, Any]:
    rules = stated.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    only = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": stated["Queue"], "Events": [stated["Event"]], **only}


def _includes(stated: str, event: str) -> bool:
    return stated == event or stated == f"{event.rpartition(':')[0]}:*"


def _element(name: str, text: str) -> ET.Element:
    element = ET.Element(_tag(name))
    element.text = text
    return element


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(_tag(name)) or ""


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"
