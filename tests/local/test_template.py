import json

import pytest

from infra.app import template
from local.cloud import Cloud
from local.mappings import MappingSettings, UnsupportedMappingError
from local.template import FUNCTION, MAPPING, LocalTemplate, own_outputs
from tests.local.templates import STACK, attribute, mapping, ref


@pytest.fixture(scope="module")
def divided() -> LocalTemplate:
    return LocalTemplate.read(STACK, stack="embedded")


def test_what_moto_cannot_do_or_does_wrong_is_not_given_to_it(divided: LocalTemplate) -> None:
    given = {value["Type"] for value in divided.body["Resources"].values()}
    assert given == {
        "AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SQS::Queue",
    }  # fmt: skip


def test_nothing_that_moto_is_given_refers_to_what_is_not(divided: LocalTemplate) -> None:
    text = json.dumps(divided.body)
    for name in divided.ours:
        assert f'{{"Ref": "{name}"}}' not in text
        assert f'{{"Fn::GetAtt": ["{name}"' not in text
    assert divided.body["Resources"]["Bucket"]["DependsOn"] == ["Key"]


def test_bootstrap_is_forgotten(divided: LocalTemplate) -> None:
    assert divided.body["Parameters"] == {}
    assert "Rules" not in divided.body


def test_the_template_itself_stays_as_it_was() -> None:
    before = json.dumps(STACK)
    LocalTemplate.read(STACK, stack="embedded")
    assert json.dumps(STACK) == before


def test_outputs_are_those_of_the_template_and_resolved(cloud: Cloud) -> None:
    assert cloud.outputs.keys() == STACK["Outputs"].keys()
    assert cloud.outputs["Judge"] == "embedded-Judge"
    assert cloud.outputs["JudgeArn"] == "arn:aws:lambda:us-east-1:123456789012:function:embedded-Judge"
    assert cloud.outputs["RoleArn"] == "arn:aws:iam::123456789012:role/embedded-writer"
    assert own_outputs({**cloud.outputs, "EmbeddedCloudEcho": "{}"}) == cloud.outputs


def test_functions_have_the_settings_of_the_template_with_references_resolved(cloud: Cloud) -> None:
    settings = cloud.functions["copier"].settings
    assert (settings.timeout, settings.memory_mb, settings.runtime) == (5, 256, "python3.13")
    assert settings.variables["BUCKET"] == cloud.outputs["Bucket"]
    assert settings.variables["QUEUE"] == cloud.outputs["Copies"]
    assert settings.variables["KEY"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert settings.variables["PLACE"] == "arn:aws:us-east-1"


def test_mappings_find_their_function_by_name_and_by_arn(cloud: Cloud) -> None:
    fed = {each.settings.queue_arn.split("-")[-2]: each.function.settings.name for each in cloud.mappings}
    assert fed == {"Messages": "embedded-Judge", "Copies": "copier"}


def test_properties_come_back_by_type(divided: LocalTemplate) -> None:
    outputs = {f"EmbeddedCloud{name}": json.dumps({"was": name}) for name in divided.ours}
    assert divided.resolved(outputs, MAPPING) == [{"was": "JudgeMapping"}, {"was": "CopierMapping"}]
    assert {"was": "Echo"} in divided.resolved(outputs, FUNCTION)


def test_a_name_of_a_function_may_itself_be_an_expression() -> None:
    name = {"Fn::Join": ["-", [ref("AWS::StackName"), "x"]]}
    stack = {
        "Resources": {"F": {"Type": FUNCTION, "Properties": {"FunctionName": name}}},
        "Outputs": {"Name": {"Value": ref("F")}, "Arn": {"Value": attribute("F")}},
    }
    outputs = LocalTemplate.read(stack, stack="s").body["Outputs"]
    assert outputs["Name"]["Value"] == name
    assert outputs["Arn"]["Value"]["Fn::Join"][1][-1] == name


@pytest.mark.parametrize(
    "properties",
    [
        {"FilterCriteria": {"Filters": []}},
        {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"},
    ],
)
def test_a_mapping_that_cannot_be_driven_is_refused(properties: dict[str, object]) -> None:
    stated = mapping(ref("F"), "Q", EventSourceArn="arn:aws:sqs:us-east-1:123456789012:q")["Properties"]
    with pytest.raises(UnsupportedMappingError, match="not driven locally: "):
        MappingSettings.read({**stated, **properties})


@pytest.mark.slow
def test_what_our_own_stack_has_that_moto_has_not_is_known() -> None:
    left_out = {value["Type"] for value in LocalTemplate.read(template({}), stack="sluice").ours.values()}
    assert left_out == {
        "AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
    }  # fmt: skip


def test_defaults_of_a_mapping_are_lambdas() -> None:
    settings = MappingSettings.read({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"})
    assert (settings.batch_size, settings.window, settings.reports_failures) == (10, 0, False)
