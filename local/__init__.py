"""The embedded cloud: the synthesised template's resources in moto, its functions in the real Lambda runtime client."""
