"""Sending again what we kept: failures that are retried, messages that were held."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from math import ceil

from cli.deployment import Deployment
from cli.run import Run
from functions.adapters.events import FAILURE, ORIGINAL_ID, ORIGINAL_SENT, RESTART
from functions.core.errors import Code, Permanent
from functions.core.failures import Failure, is_failure_id
from functions.core.outgoing import MAX_ENTRIES, Outgoing

_MARGIN_SECONDS = 2


def send_again(deployment: Deployment, failures: list[Failure], *, restart: bool = False) -> int:
    """Send the messages of these failures to where they came from, as what they were when they first came.

    They come once every function knows the newest definition: sooner, they could fail as before.
    """
    waits = {name: until_known(deployment, name) for name in {failure.connection for failure in failures}}
    return sum(
        deployment.sender(queue).send(
            _outgoing(deployment, failure, delay=waits[failure.connection], restart=restart)
            for failure in failures
            if failure.queue is queue
        )
        for queue in sorted({failure.queue for failure in failures})
    )


def release_held(run: Run, name: str) -> int:
    """Send what is held for a destination, oldest first; each is forgotten once the queue has it.

    It begins once every function knows that the destination is enabled: until then they hold more.
    """
    deployment = run.deployment
    for left in range(until_known(deployment, name), 0, -1):
        run.progress(f"{name}: {left} seconds until every function knows")
        time.sleep(1)
    run.progress("")
    sent = 0
    for held in _batched(deployment.ports.failures.held(name)):
        sent += deployment.sender().send(_outgoing(deployment, each) for each in held)
        for each in held:
            deployment.ports.failures.release(each)
    return sent


def _batched(held: Iterable[Failure]) -> Iterator[list[Failure]]:
    """As many at a time as go into one request."""
    rest = iter(held)
    while some := list(islice(rest, MAX_ENTRIES)):
        yield some


def _outgoing(deployment: Deployment, kept: Failure, *, delay: int = 0, restart: bool = False) -> Outgoing:
    body = deployment.ports.failures.body(kept.id)
    return Outgoing(
        body=body.decode(errors="surrogatepass"),
        group=kept.connection,
        attributes={
            ORIGINAL_ID: kept.message_id,
            ORIGINAL_SENT: str(kept.sent_ms),
            # Of a held message too: it may have been held while it was being retried.
            FAILURE: kept.id,
            **({RESTART: "true"} if restart else {}),
        },
        delay_seconds=delay,
    )


def until_known(deployment: Deployment, name: str) -> int:
    """Seconds until every function works with the newest definition; SQS delays up to 900."""
    ports = deployment.ports
    found = ports.definitions.current(name) or ports.source_definitions.current(name)
    if found is None:
        return 0
    age = (datetime.now(UTC) - datetime.fromisoformat(found.created_at)).total_seconds()
    left = deployment.settings.definition_max_age_seconds + _MARGIN_SECONDS - age
    return max(0, min(ceil(left), 900))


def find(deployment: Deployment, failure: str) -> Failure:
    """One failure.

    Raises:
        Permanent: There is none of this id.
    """
    found = deployment.ports.failures.show(failure) if is_failure_id(failure) else None
    if found is None:
        raise Permanent(Code.MISSING_FILE, f"there is no failure {failure}: sluice failures list")
    return found
