"""The infrastructure, declared with CDK; `infra/stack.py` is its table of contents."""

from infra.node import find_node

# CDK starts Node when it is first imported, so this cannot wait until something here is called.
find_node()
