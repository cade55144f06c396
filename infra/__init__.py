"""The infrastructure, declared with CDK; `infra/stack.py` shows the whole system."""
