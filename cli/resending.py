"""Sending again what we kept: failures that are retried, messages that were held."""

from datetime import UTC, datetime

from cli.deployment import Deployment
from functions.adapters.events import FAILURE, ORIGINAL_ID, ORIGINAL_SENT
from functions.core.errors import Code, Permanent
from functions.core.failures import Failure
from functions.core.outgoing import Outgoing

_MARGIN_SECONDS = 2


def send_again(deployment: Deployment, failures: list[Failure]) -> int:
    """Send the messages of these failures to where they came from, as what they were when they first came."""
    return deployment.sender.send(_outgoing(deployment, failure) for failure in failures)


def release_held(deployment: Deployment, name: str) -> int:
    """Send what is held for a destination, oldest first; each is forgotten once the queue has it."""
    ledger = deployment.ports.failures
    sent = 0
    for held in list(ledger.held(name)):
        deployment.sender.send([_outgoing(deployment, held)])
        ledger.release(held)
        sent += 1
    return sent


def _outgoing(deployment: Deployment, kept: Failure) -> Outgoing:
    body = deployment.ports.failures.body(kept.id)
    return Outgoing(
        body=body.decode(errors="surrogatepass"),
        group=kept.connection,
        attributes={
            ORIGINAL_ID: kept.message_id,
            ORIGINAL_SENT: str(kept.sent_ms),
            # Of a held message too: it may have been held while it was being retried.
            FAILURE: kept.id,
        },
        delay_seconds=_until_known(deployment, kept.connection),
    )


def _until_known(deployment: Deployment, name: str) -> int:
    """Seconds until every function works with the newest definition: sooner, a message could fail again."""
    found = deployment.ports.definitions.current(name)
    if found is None:
        return 0
    age = (datetime.now(UTC) - datetime.fromisoformat(found.created_at)).total_seconds()
    left = deployment.settings.definition_max_age_seconds + _MARGIN_SECONDS - age
    return max(0, min(int(left), 900))


def find(deployment: Deployment, failure: str) -> Failure:
    """One failure.

    Raises:
        Permanent: There is none of this id.
    """
    found = deployment.ports.failures.show(failure)
    if found is None:
        raise Permanent(Code.MISSING_FILE, f"there is no failure {failure}: sluice failures list")
    return found
