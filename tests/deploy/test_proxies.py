"""The proxies of deploy/ with TLS before a real `blog serve`, and a reader's whole way through each."""

import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest

from blog.settings import ROOT
from tests.deploy.test_files import judged, tool
from tests.journeys.installation import Answer, Installation, NoRedirects, free_port, link_in
from tests.relay import relay

pytestmark = pytest.mark.slow

TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE
OPENER = urllib.request.build_opener(NoRedirects, urllib.request.HTTPSHandler(context=TRUSTING))
FORGED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.test"}


def ask(url: str, data: bytes | None = None, **headers: str) -> Answer:
    request = urllib.request.Request(url, data=data, headers={**FORGED, **headers})
    try:
        with OPENER.open(request, timeout=20) as response:
            return Answer(response.status, response.read().decode(), lowered(response.headers), url)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), lowered(error.headers), url)


def lowered(headers: Message) -> dict[str, str]:
    """Servers write the names of fields as they like."""
    return {name.lower(): value for name, value in headers.items()}


def certificate(folder: Path) -> None:
    subprocess.run(
        [tool("openssl", "openssl"), "req", "-x509", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
         "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, plain: int, secure: int, behind: int) -> list[str]:
    """Return what runs nginx with deploy/nginx.conf, moved to this test's ports and folders."""
    certificate(folder)
    site = replaced(
        (ROOT / "deploy" / "nginx.conf").read_text(),
        ("127.0.0.1:8000", f"127.0.0.1:{behind}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        ("server_name news.example.org;", "server_name 127.0.0.1;"),
        ("/etc/ssl/blog", str(folder)),
        ("Host $host;", "Host $http_host;"),
        ("https://$host$", f"https://127.0.0.1:{secure}$"),
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user}\ndaemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{site}\n}}\n"
    )
    command = [tool("nginx", "nginx-light"), "-c", str(config), "-e", f"{folder}/error.log"]
    judged(*command, "-t")
    return command


def caddy(folder: Path, plain: int, secure: int, behind: int) -> list[str]:
    """Return what runs Caddy with deploy/Caddyfile, with a certificate that it makes itself."""
    program = tool("caddy", "caddy")
    judged(program, "validate", "--adapter", "caddyfile", "--config", ROOT / "deploy" / "Caddyfile")
    options = f"{{\n\tadmin off\n\tstorage file_system {folder}\n\tskip_install_trust\n\tlocal_certs\n"
    options += f"\thttp_port {plain}\n\thttps_port {secure}\n\tdefault_sni 127.0.0.1\n}}\n"
    site = replaced(
        (ROOT / "deploy" / "Caddyfile").read_text(),
        ("{$SITE:news.example.org}", "127.0.0.1"),
        ("{$UPSTREAM:127.0.0.1:8000}", f"127.0.0.1:{behind}"),
        ("https://{host}{uri}", f"https://127.0.0.1:{secure}{{uri}}"),
    )
    (folder / "Caddyfile").write_text(options + site)
    return [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@contextmanager
def running(command: list[str], folder: Path, secure: int) -> Iterator[None]:
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": os.environ["PATH"]}
        )
    try:
        for _ in range(1200):  # on a busy machine a certificate takes its time to be made
            assert process.poll() is None, (folder / "proxy.log").read_text()
            try:
                ask(f"https://127.0.0.1:{secure}/robots.txt")
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise AssertionError((folder / "proxy.log").read_text())
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("proxy", [nginx, caddy], ids=lambda proxy: proxy.__name__)
def test_a_reader_comes_through_the_proxy_from_the_first_page_to_the_last_click(
    proxy: Callable[[Path, int, int, int], list[str]], migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "blog.db")
    plain, secure, behind = free_port(), free_port(), free_port()
    address, insecure = f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}"
    site = Installation(tmp_path, f"sqlite:///{tmp_path / 'blog.db'}", smtp_port=1, port=behind)
    site.extra = {"BLOG_SITE_URL": address, "BLOG_TRUSTED_PROXIES": "1"}
    site.write("first-piece", "Some *words*.\n\n" * 60, title="First", date="2026-01-02")
    site.blog("sync")
    with relay() as server:
        site = replace(site, smtp_port=server.port)
        with site.serving(), running(proxy(tmp_path, plain, secure, behind), tmp_path, secure):
            reading(address, insecure, f"http://127.0.0.1:{behind}")
            assert ask(f"{address}/subscribe", b"email=ada%40example.org").status == 200
            site.blog("worker", "--until-idle")
            link = link_in(server.to("ada@example.org")[-1], "/confirm/")
            assert link.startswith(address)
            assert ask(link, b"").status == 200
            person = site.blog_json("subscribers", "show", "ada@example.org")
            assert person["status"] == "active"
            networks = {event["network"] for event in person["consent"]}
            assert networks == {"127.0.0.0/24"}, "the reader's own, not the one the reader made up"
            site.blog("digest", "run", "--cadence", person["cadence"])
            site.blog("worker", "--until-idle")
            leave = one_click(server.to("ada@example.org")[-1].raw.decode())
            once = ask(leave.replace(address, insecure), b"List-Unsubscribe=One-Click")
            assert once.status == 200, "no redirect, by plain HTTP neither"
            assert ask(leave, b"List-Unsubscribe=One-Click").status == 200
            assert site.blog_json("subscribers", "show", "ada@example.org")["status"] == "unsubscribed"


def one_click(mail: str) -> str:
    lines = mail.replace("\r\n ", " ").splitlines()
    (field,) = [line for line in lines if line.lower().startswith("list-unsubscribe:")]
    return field.partition("<")[2].partition(">")[0]


def reading(address: str, insecure: str, behind: str) -> None:
    page, served = ask(f"{address}/articles/first-piece"), ask(f"{behind}/articles/first-piece")
    assert page.status == 200
    assert page.body == served.body
    for name in ("cache-control", "etag", "vary", "content-security-policy", "strict-transport-security"):
        assert page.headers[name] == served.headers[name], name
    again = ask(f"{address}/articles/first-piece", **{"If-None-Match": page.headers["etag"]})
    assert again.status == 304
    packed = OPENER.open(urllib.request.Request(f"{address}/", headers={"Accept-Encoding": "br"}), timeout=20)
    assert packed.headers["Content-Encoding"] == "br"
    packed.close()
    moved = ask(f"{insecure}/articles/first-piece")
    assert (moved.status, moved.headers["location"]) == (308, f"{address}/articles/first-piece")
    assert ask(f"{address}/subscribe", b"x" * 1_100_000).status in (413, 502)
    assert ask(f"{address}/healthz").body == "ok\n"
    assert json.loads(ask(f"{address}/feed.json").body)["title"]
