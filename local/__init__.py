"""The embedded cloud: a template's resources in moto, its functions in the real Lambda runtime client."""
