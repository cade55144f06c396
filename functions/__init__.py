"""What runs in AWS Lambda: one folder a function, above the adapters that know AWS and the pure core."""
