"""What Sluice does, a module a job: its queues and buckets, what runs, and what that may do."""
