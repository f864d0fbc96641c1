"""How the fast transport reaches an origin: the address, and the requests that a proxy receives."""

from __future__ import annotations

import ssl
from base64 import b64decode
from typing import Any

import httpx
import pytest

from ippanel_edge.wire.route import Route

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PROXY = "http://user:p%40ss@proxy.test:3128"


def route(scheme: str, host: str, port: int | None = None, proxy: str | httpx.Proxy | None = None) -> Route:
    via = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
    return Route(scheme, host, port, context=CONTEXT, proxy=via)


def lines(raw: bytes) -> list[str]:
    text = raw.decode()
    assert text.endswith("\r\n\r\n")
    return text.removesuffix("\r\n\r\n").split("\r\n")


def request(url: str, **headers: str) -> httpx.Request:
    return httpx.Request("GET", url, headers=httpx.Headers({"Host": httpx.URL(url).netloc.decode(), **headers}))


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        (("https", "a.test"), ("a.test", 443)),
        (("http", "a.test"), ("a.test", 80)),
        (("https", "a.test", 8443), ("a.test", 8443)),
        (("http", "::1", 8080), ("::1", 8080)),
        (("https", "a.test", 8443, "http://proxy.test:3128"), ("proxy.test", 3128)),
        (("http", "a.test", None, "http://proxy.test"), ("proxy.test", 80)),
        (("http", "a.test", None, "http://[::1]:3128"), ("::1", 3128)),
    ],
)
def test_the_address_is_that_of_the_proxy_or_of_the_origin(arguments: Any, address: tuple[str, int]) -> None:
    assert route(*arguments).address == address


@pytest.mark.parametrize(
    ("scheme", "proxy", "is_tls", "is_tunnel"),
    [
        ("http", None, False, False),
        ("https", None, True, False),
        ("http", PROXY, False, False),
        ("https", PROXY, True, True),
    ],
)
def test_https_through_a_proxy_is_a_tunnel(scheme: str, proxy: str | None, is_tls: object, is_tunnel: object) -> None:
    reached = route(scheme, "a.test", None, proxy)
    assert (reached.is_tls, reached.is_tunnel) == (is_tls, is_tunnel)


@pytest.mark.parametrize(
    ("host", "port", "target"),
    [("a.test", None, "a.test:443"), ("a.test", 8443, "a.test:8443"), ("::1", None, "[::1]:443")],
)
def test_a_tunnel_is_requested_for_host_and_port(host: str, port: int | None, target: str) -> None:
    first, *headers = lines(route("https", host, port, "http://proxy.test").connect_request())
    assert first == f"CONNECT {target} HTTP/1.1"
    assert headers == [f"Host: {target}", "Accept: */*"]


def test_the_credentials_and_headers_of_the_proxy_are_sent_to_open_a_tunnel_and_not_through_it() -> None:
    proxy = httpx.Proxy(PROXY, headers={"X-Team": "sms", "Accept": "text/plain"})
    reached = route("https", "a.test", None, proxy)
    _, *headers = lines(reached.connect_request())
    fields = dict(header.split(": ", 1) for header in headers)
    kind, _, credentials = fields.pop("Proxy-Authorization").partition(" ")
    assert (kind, b64decode(credentials)) == ("Basic", b"user:p@ss")
    # httpx gives the headers of a proxy in lower case or as they were written, depending on its release.
    assert {name.lower(): value for name, value in fields.items()} == {
        "host": "a.test:443",
        "accept": "text/plain",
        "x-team": "sms",
    }
    assert not any("roxy" in line or "X-Team" in line for line in lines(reached.head(request("https://a.test/b?c=d"))))


def test_a_request_for_http_through_a_proxy_has_the_whole_url() -> None:
    first, *headers = lines(route("http", "a.test", 8080, PROXY).head(request("http://a.test:8080/b?c=d")))
    assert first == "GET http://a.test:8080/b?c=d HTTP/1.1"
    assert "Host: a.test:8080" in headers
    assert any(header.startswith("Proxy-Authorization: Basic ") for header in headers)


def test_a_request_for_http_to_an_ipv6_address_through_a_proxy_has_the_whole_url() -> None:
    first, *_ = lines(route("http", "::1", 8080, PROXY).head(request("http://[::1]:8080/b")))
    assert first == "GET http://[::1]:8080/b HTTP/1.1"


def test_the_proxy_authorization_of_a_request_replaces_that_of_the_proxy() -> None:
    sent = request("http://a.test/b", **{"proxy-authorization": "own"})
    headers = [each for each in lines(route("http", "a.test", None, PROXY).head(sent)) if "roxy-a" in each.lower()]
    assert [header.partition(": ")[2] for header in headers] == ["own"]


def test_a_request_without_a_proxy_has_the_path_only() -> None:
    assert lines(route("https", "a.test").head(request("https://a.test/b?c=d")))[0] == "GET /b?c=d HTTP/1.1"


def test_the_repr_of_a_route_shows_neither_the_credentials_nor_the_proxy() -> None:
    text = repr(route("https", "a.test", None, PROXY))
    assert "a.test" in text
    assert "p@ss" not in text
    assert "proxy" not in text
