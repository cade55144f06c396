"""What nobody sent a message for: runs and passes that are due, deliveries and files that nobody works on."""
