import json
from importlib import resources
from typing import Any

import pytest

from functions.core.regions import AWS, partition_of, s3_endpoint


def _partitions() -> list[tuple[str, str, str]]:
    """Every region that the SDK knows, with its partition and what the partition's addresses end in."""
    found: dict[str, Any] = json.loads((resources.files("botocore") / "data/partitions.json").read_text())
    return [
        (region, partition["id"], partition["outputs"]["dnsSuffix"])
        for partition in found["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    ]


@pytest.mark.parametrize(("region", "partition", "suffix"), _partitions())
def test_every_region_that_the_sdk_knows_is_in_its_partition(
    region: str, partition: str, suffix: str
) -> None:
    assert (partition_of(region).name, partition_of(region).dns_suffix) == (partition, suffix)


def test_a_region_not_heard_of_is_one_of_aws() -> None:
    assert partition_of("mars-north-1") == AWS


def test_a_bucket_is_named_by_its_host() -> None:
    assert s3_endpoint(bucket="acme", region="cn-north-1") == (
        "https://acme.s3.cn-north-1.amazonaws.com.cn",
        True,
    )


def test_a_bucket_with_dots_is_named_by_its_path() -> None:
    assert s3_endpoint(bucket="data.acme", region="eu-central-1") == (
        "https://s3.eu-central-1.amazonaws.com",
        False,
    )
