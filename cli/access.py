"""`sluice access`: what a customer deploys or pastes so that we can work in their bucket."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.apps import group
from cli.connections import refuse_foreign_external_id, stored
from cli.documents import read_destination, read_source
from cli.run import Run, command
from functions.adapters.definitions import Definitions
from functions.core import policies
from functions.core.definitions.connection import Connection, RoleCredentials
from functions.core.definitions.discovery import Discovery
from functions.core.definitions.messages import MessageDestination
from functions.core.errors import Code, Permanent

app = group("What a customer deploys or pastes so that we can work in their bucket.")


class Form(StrEnum):
    """How a document is printed."""

    CLOUDFORMATION = "cloudformation"
    JSON = "json"


Of = Annotated[
    str | None,
    typer.Option("--destination", metavar="NAME|FILE", help="A stored one, or its file.", show_default=False),
]
OfSource = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME|FILE", help="The same of a source.", show_default=False),
]
Format = Annotated[Form, typer.Option("--format", help="A whole template, or the document alone.")]
RoleArn = Annotated[str | None, typer.Option("--role-arn", help="Our role; else the deployment's.")]
ExternalId = Annotated[str | None, typer.Option("--external-id", help="Else the one that was issued.")]
CreateBucket = Annotated[bool, typer.Option("--create-bucket", help="The template makes the bucket, too.")]


@command(app, example="sluice access template --destination acme", aws=True)
def template(
    run: Run,
    *,
    destination: Of = None,
    source: OfSource = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    create_bucket: CreateBucket = False,
    form: Format = Form.CLOUDFORMATION,
) -> None:
    """The CloudFormation template that a customer deploys: role, trust, permissions; or its documents alone."""
    found = _Access(run, destination, source, role_arn=role_arn, external_id=external_id)
    if form is Form.CLOUDFORMATION:
        _print(run, found.template(create_bucket=create_bucket))
    else:
        _print(run, {"trust": found.trust(), "policy": policies.access(found.connection)})


@command(app, example="sluice access policy --destination examples/acme.yaml", aws=True)
def policy(run: Run, *, destination: Of = None, source: OfSource = None, form: Format = Form.JSON) -> None:
    """What the customer's role must be allowed to do."""
    found = _Access(run, destination, source)
    _print(run, policies.access(found.connection) if form is Form.JSON else found.template())


@command(app, example="sluice access trust --destination acme", aws=True)
def trust(
    run: Run,
    *,
    destination: Of = None,
    source: OfSource = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    form: Format = Form.JSON,
) -> None:
    """Who may assume the customer's role: ours, with the external id."""
    found = _Access(run, destination, source, role_arn=role_arn, external_id=external_id)
    _print(run, found.trust() if form is Form.JSON else found.template())


class _Access:
    """The access of one connection, stored or in a file; the deployment is asked for what nothing else says."""

    def __init__(
        self,
        run: Run,
        destination: str | None,
        source: str | None,
        *,
        role_arn: str | None = None,
        external_id: str | None = None,
    ) -> None:
        if (destination is None) == (source is None):
            raise typer.BadParameter("give either --destination or --source")
        self._run = run
        self._role_arn = role_arn
        self._external_id = external_id
        self._of_source = source is not None
        name = source or destination or ""
        if Path(name).is_file():
            self.connection: Connection = (read_source if self._of_source else read_destination)(name)[0]
        else:
            found = stored(self._definitions(), name)
            self.connection = found.connection()
            self._external_id = external_id or found.external_id

    def trust(self) -> policies.Document:
        """The trust policy of the customer's role."""
        self._role()
        return policies.trust(role_arn=self._ours(), external_id=self._issued())

    def template(self, *, create_bucket: bool = False) -> dict[str, Any]:
        """The whole template."""
        # The CDK's packages are not everybody's, and take seconds.
        from infra.access_stack import Access, AccessError, customer_template  # noqa: PLC0415

        connection, offline = self.connection, self._role_arn and self._external_id
        notified = isinstance(connection, Discovery) and connection.notifications
        try:
            return customer_template(
                Access(
                    role_name=self._role().role_name,
                    trusted_role_arn=self._ours(),
                    external_id=self._issued(),
                    bucket=connection.bucket,
                    prefix=connection.prefix,
                    kms_key_arn=connection.kms_key_arn,
                    kind=connection.kind,
                    keep=isinstance(connection, MessageDestination) and connection.keep,
                    notifications=notified,
                    notified_queue_arn=self._arrivals() if notified and create_bucket else None,
                    create_bucket=create_bucket,
                    role_name_pattern=("*" if offline else self._run.deployment.settings.assume_role_pattern),
                )
            )
        except AccessError as error:
            raise Permanent(Code.BAD_DEFINITION, str(error)) from None

    def _role(self) -> RoleCredentials:
        role = self.connection.credentials
        if not isinstance(role, RoleCredentials):
            text = "the definition has keys, and no role that could trust us"
            if self.connection.credentials is None:
                text = "files are dropped into our own bucket, which nobody has to let us into"
            raise Permanent(Code.BAD_DEFINITION, text)
        return role

    def _ours(self) -> str:
        return self._role_arn or self._run.deployment.role_arn(self.connection.kind)

    def _issued(self) -> str:
        if self._external_id is None and self._role_arn:
            self._external_id = self._role().external_id  # without a deployment nobody can say better
        if self._external_id is None:
            self._external_id = self._definitions().issue_external_id(self.connection.name)
            refuse_foreign_external_id(self.connection, self._external_id)
        return self._external_id

    def _definitions(self) -> Definitions:
        ports = self._run.deployment.ports
        return ports.source_definitions if self._of_source else ports.definitions

    def _arrivals(self) -> str:
        return self._run.deployment.outputs["ArrivalsQueueArn"]


def _print(run: Run, document: dict[str, Any]) -> None:
    run.result(document, msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
