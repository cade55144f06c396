"""The rows of sealed runs become files in the customer's bucket."""
