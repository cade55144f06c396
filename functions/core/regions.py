"""AWS's partitions: which one a region is in, and what its addresses end in.

Source: botocore's data/partitions.json.
"""

import msgspec


class Partition(msgspec.Struct, frozen=True):
    """A set of regions with accounts, names and addresses of its own."""

    name: str
    dns_suffix: str


AWS = Partition("aws", "amazonaws.com")

_BY_REGION_PREFIX = {
    "cn-": Partition("aws-cn", "amazonaws.com.cn"),
    "eu-isoe-": Partition("aws-iso-e", "cloud.adc-e.uk"),
    "eusc-": Partition("aws-eusc", "amazonaws.eu"),
    "us-gov-": Partition("aws-us-gov", "amazonaws.com"),
    "us-iso-": Partition("aws-iso", "c2s.ic.gov"),
    "us-isob-": Partition("aws-iso-b", "sc2s.sgov.gov"),
    "us-isof-": Partition("aws-iso-f", "csp.hci.ic.gov"),
}


def partition_of(region: str) -> Partition:
    """The partition that a region is in; a region not heard of yet is taken for one of `aws`."""
    return next((found for prefix, found in _BY_REGION_PREFIX.items() if region.startswith(prefix)), AWS)


def s3_endpoint(*, bucket: str, region: str) -> tuple[str, bool]:
    """The address of a bucket, and whether it already names the bucket (virtual-hosted style).

    A name with dots does not match the certificate of `*.s3.…`, so it goes into the path.
    """
    host = f"s3.{region}.{partition_of(region).dns_suffix}"
    return (f"https://{host}", False) if "." in bucket else (f"https://{bucket}.{host}", True)
