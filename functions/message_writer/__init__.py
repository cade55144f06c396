"""One SQS message becomes one object in the customer's bucket."""
