"""MDN's HTTP Observatory gives the site, over TLS behind nginx, at least 130 of 100 points."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gates.tools import needed, run_script
from tests.journeys.installation import Installation, free_port

pytestmark = pytest.mark.gates

#: 100 for no fault; 10 for a policy that allows nothing by default, 10 for resources kept to the site, 5 each
#: for the referrer and for frames. More is there only for cookies, scripts and hosts on a browser's own list.
LEAST = 130
#: The scanner looks for plain HTTP and for TLS at one port; nginx knows the one as a mistake (497).
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
    error_page 497 =301 https://$http_host$request_uri;
    location / {{
      proxy_pass {behind};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      {more}
    }}
  }}
}}
"""


@contextmanager
def encrypted(folder: Path, port: int, behind: str, more: str = "") -> Iterator[str]:
    """Serve a site over TLS with a certificate of its own; yield the host and port."""
    nginx = needed(shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), "nginx-light")
    openssl = needed(shutil.which("openssl"), "openssl")
    folder.mkdir()
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out",
         folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    user = "user root;" if os.geteuid() == 0 else ""
    values = {"folder": folder, "port": port, "behind": behind, "user": user, "more": more}
    (folder / "nginx.conf").write_text(CONFIG.format(**values))
    process = subprocess.Popen([nginx, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        time.sleep(0.5)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def score(node: str, folder: Path, host: str) -> tuple[int, dict[str, dict[str, object]]]:
    """Return the points of a host, and what each test of the scanner found."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(folder / "certificate.pem")}
    [told] = run_script(node, "observatory.mjs", host, **trusted)
    print(told["score"], told["grade"], {name: one["scoreModifier"] for name, one in told["tests"].items()})
    return told["score"], told["tests"]


@pytest.fixture(scope="module")
def site(installation: Installation) -> Iterator[tuple[Installation, int]]:
    """The publication as it is served to the front of an encrypted host."""
    port = free_port()
    extra = {**installation.extra, "BLOG_SITE_URL": f"https://localhost:{port}"}
    made = Installation(installation.folder, installation.database_url, 1, free_port(), extra)
    with made.serving():
        yield made, port


def test_the_observatory_gives_the_best_grade(
    node: str, site: tuple[Installation, int], tmp_path: Path
) -> None:
    installation, port = site
    with encrypted(tmp_path / "tls", port, installation.site) as host:
        points, tests = score(node, tmp_path / "tls", host)
    assert [name for name, one in tests.items() if not one["pass"]] == []
    assert points >= LEAST, tests


def test_a_missing_policy_costs_points(node: str, site: tuple[Installation, int], tmp_path: Path) -> None:
    installation, port = site
    more = "proxy_hide_header Content-Security-Policy; proxy_hide_header Strict-Transport-Security;"
    with encrypted(tmp_path / "tls", port, installation.site, more) as host:
        points, tests = score(node, tmp_path / "tls", host)
    assert points < 100
    assert not tests["content-security-policy"]["pass"]
    assert not tests["strict-transport-security"]["pass"]
