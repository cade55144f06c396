"""What nobody sent a message for: runs whose time has come, and deliveries that nobody is at work on."""
