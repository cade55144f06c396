"""Calls that must not meet: those of one service take turns."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from wsgiref.types import StartResponse, WSGIEnvironment

from local.serial import Serial


def test_calls_of_the_service_take_turns_and_others_pass_them() -> None:
    inside, go_on = Event(), Event()
    entered: list[str] = []

    def application(environ: WSGIEnvironment, _: StartResponse) -> Iterable[bytes]:
        entered.append(environ["name"])
        if environ["name"] == "first":
            inside.set()
            go_on.wait(10)
        return [b""]

    def call(name: str, service: str) -> None:
        scope = f"AWS4-HMAC-SHA256 Credential=local/20261120/us-east-1/{service}/aws4_request"
        serial({"name": name, "HTTP_AUTHORIZATION": scope}, lambda *_: lambda _: None)

    serial = Serial(application, service="dynamodb")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, "first", "dynamodb")
        assert inside.wait(10)
        second = pool.submit(call, "second", "dynamodb")
        call("other", "s3")
        assert entered == ["first", "other"]
        go_on.set()
        first.result(10)
        second.result(10)
    assert entered == ["first", "other", "second"]
