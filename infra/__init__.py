"""The infrastructure, declared with CDK; `infra/stack.py` shows the whole system."""

from infra.node import find_node

# CDK starts Node when it is first imported, so this cannot wait until something here is called.
find_node()
