"""An endpoint of AWS on loopback whose S3 answers at wire speed.

nginx keeps what is put, as files (its WebDAV module), and gives them back, whole or in ranges. What else S3 does,
and the other services' requests, which all go to the path `/`, it hands to `bench/services.py`. Objects lie in
memory where the system has a file system for that.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench.processes import free_port, listening

INSTALL = "nginx is not installed, and this benchmark measures against it: apt-get install nginx"

_MEMORY = Path("/dev/shm")  # a Linux convention; elsewhere the usual folder for temporary files is taken

_CONFIG = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000; client_max_body_size 0; client_body_buffer_size 64k;
  sendfile on;
  client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/unused1; uwsgi_temp_path {folder}/unused2; scgi_temp_path {folder}/unused3;
  log_format request escape=json '{request}';
  server {{ listen 127.0.0.1:{port}; {locations} }}
  server {{ listen 127.0.0.1:{logged_port}; {locations} access_log {folder}/requests.log request; }}
}}
"""
_LOCATIONS = """\
root {folder}/objects; dav_methods PUT DELETE; create_full_put_path on;
    error_page 418 = @services;
    location @services {{ proxy_pass http://127.0.0.1:{services_port}; proxy_set_header Host $http_host; }}
    location ~ ^/[^/]*/?$ {{ return 418; }}
    location / {{
      if ($arg_partnumber) {{ rewrite ^ /.pieces/$arg_uploadid/$arg_partnumber last; }}
      if ($args) {{ return 418; }}
      if ($request_method = PUT) {{ add_header ETag '"x"' always; }}
    }}
    location /.pieces/ {{ alias {folder}/pieces/; add_header ETag '"x"' always; }}"""

_HEADERS = (
    "content-type",
    "x-amz-checksum-sha256",
    "x-amz-meta-projectid",
    "x-amz-meta-installationid",
    "x-amz-meta-connectionid",
    "x-amz-meta-destinationid",
    "x-amz-meta-operationid",
    "x-amz-meta-objectname",
    "x-amz-meta-event-id",
    "x-amz-meta-timestamp",
    "x-amz-meta-topic",
)
"""What makes an object what it is, of all that a request says."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A running endpoint.

    `url` answers at once, `logged_url` also notes requests; `objects` is where `<bucket>/<key>` lie.
    """

    folder: Path
    port: int
    logged_port: int
    services_port: int

    @property
    def url(self) -> str:
        """The endpoint."""
        return _url(self.port)

    @property
    def logged_url(self) -> str:
        """The same, which `requests` are noted by."""
        return _url(self.logged_port)

    @property
    def services_url(self) -> str:
        """Where the other services are, without nginx before them."""
        return _url(self.services_port)

    def take_objects(self, bucket: str) -> dict[str, bytes]:
        """The objects of a bucket by their keys; they are gone then."""
        folder = self.folder / "objects" / bucket
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        shutil.rmtree(folder, ignore_errors=True)
        return found

    def take_requests(self) -> dict[str, dict[str, str]]:
        """What was said of each object, by its path, when it was put through `logged_url`; it is forgotten then."""
        log = self.folder / "requests.log"
        lines = [msgspec.json.decode(line, type=dict[str, str]) for line in log.read_bytes().splitlines()]
        log.write_bytes(b"")
        return {line.pop("path"): line for line in lines if line.pop("method") == "PUT"}


def nginx() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def nginx_version() -> str:
    """Which nginx it is, such as `nginx 1.22.1`."""
    said = subprocess.run([nginx() or "nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition(" ")[2].replace("/", " ")


@contextmanager
def running() -> Iterator[Endpoint]:
    """An endpoint with nothing in it."""
    with ExitStack() as resources:
        parent = _MEMORY if _MEMORY.is_dir() else None
        folder = Path(
            resources.enter_context(tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=parent))
        )
        endpoint = Endpoint(
            folder=folder, port=free_port(), logged_port=free_port(), services_port=free_port()
        )
        for each in ("objects", "pieces"):
            (folder / each).mkdir()
        config = folder / "nginx.conf"
        config.write_text(_config(endpoint))
        at = ["--port", str(endpoint.services_port), "--folder", str(folder)]
        services = [sys.executable, "-m", "bench.services", *at]
        resources.enter_context(listening(services, port=endpoint.services_port, log=folder / "services.log"))
        server = [nginx() or "nginx", "-p", str(folder), "-c", str(config)]
        resources.enter_context(listening(server, port=endpoint.port, log=folder / "nginx.out"))
        yield endpoint


@contextmanager
def delayed(endpoint: Endpoint, *, milliseconds: float) -> Iterator[str]:
    """The same endpoint at a distance: the URL at which each request takes this much longer."""
    if not milliseconds:
        yield endpoint.url
        return
    port = free_port()
    line = [sys.executable, "-m", "bench.delay_line", "--milliseconds", str(milliseconds)]
    ports = ["--listen", str(port), "--connect", str(endpoint.port)]
    with listening([*line, *ports], port=port, log=endpoint.folder / "delay_line.log"):
        yield _url(port)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _config(endpoint: Endpoint) -> str:
    names = {name: f"$http_{name.replace('-', '_')}" for name in _HEADERS}
    request = {"method": "$request_method", "path": "$request_uri", **names}
    return _CONFIG.format(
        folder=endpoint.folder,
        port=endpoint.port,
        logged_port=endpoint.logged_port,
        locations=_LOCATIONS.format(folder=endpoint.folder, services_port=endpoint.services_port),
        request=msgspec.json.encode(request).decode(),
    )
