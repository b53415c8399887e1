"""Which URLs a webhook may have, and which addresses it may be sent to."""

from ipaddress import ip_network

import pytest

from minleaf_server.config import load
from minleaf_server.errors import InvalidParameter, SetupError
from minleaf_server.webhooks.addresses import Destination, Refused, Rule

DEFAULT = Rule()
HTTP = Rule(("http",))
BOTH = Rule(("https", "http"))

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001:0:7f00:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700:4700::1111"]


@pytest.mark.parametrize("rule", [DEFAULT, BOTH], ids=["default", "both"])
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(rule: Rule, address: str) -> None:
    with pytest.raises(Refused, match="must not resolve to a non-public IP address") as refused:
        rule.check_addresses([address], "https")
    assert address not in str(refused.value)
    with pytest.raises(Refused):
        rule.check_addresses(["8.8.8.8", address], "https")


@pytest.mark.parametrize("address", [address for address in NOT_PUBLIC if "%" not in address])
def test_urls_of_addresses_that_are_not_public(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidParameter, match="must not name a non-public IP address"):
        DEFAULT.destination(f"https://{host}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    DEFAULT.check_addresses([address], "https")
    host = f"[{address}]" if ":" in address else address
    assert DEFAULT.destination(f"https://{host}/hook").host == address


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_plain_http_may_call_this_machine_and_nothing_else_that_is_private(address: str) -> None:
    BOTH.check_addresses([address], "http")
    with pytest.raises(Refused):
        BOTH.check_addresses([address], "https")
    for other in ("10.0.0.1", "0.0.0.0", "169.254.169.254", "fe80::1", "fd00::1"):
        with pytest.raises(Refused):
            HTTP.check_addresses([other], "http")


def test_allowed_networks() -> None:
    rule = Rule(("https",), (ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    rule.check_addresses(["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"], "https")
    for address in ("10.2.0.1", "127.0.0.1", "169.254.169.254", "fd00:ec2::254"):
        with pytest.raises(Refused):
            rule.check_addresses([address], "https")
    assert rule.destination("https://10.1.0.9:8443/x").port == 8443
    assert rule.destination("https://hooks.corp.internal/x").host == "hooks.corp.internal"


def test_metadata_has_to_be_allowed_by_itself() -> None:
    wide = Rule(("https",), (ip_network("169.254.0.0/16"), ip_network("100.64.0.0/10")))
    for address in ("169.254.169.254", "100.100.100.200"):
        with pytest.raises(Refused):
            wide.check_addresses([address], "https")
    Rule(("https",), (ip_network("169.254.169.254"),)).check_addresses(["169.254.169.254"], "https")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "metadata.google.internal",
        "printer.local",
        "router.home.arpa",
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "256.256.256.256",
        "017700000001",
    ],
)
def test_hosts_that_mean_this_machine_or_a_private_network(host: str) -> None:
    with pytest.raises(InvalidParameter, match="Webhook URL"):
        DEFAULT.destination(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://example.com/#fragment",
        "https://example.com/#",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/a\tb",
        "https://example.com/a b",
        " https://example.com/",
        "https://exämple.com/",
        "https://example.com/é",
        "https://ex%61mple.com/",
        "https://exa$mple.com/",
        "https://a..b/",
        "https://-a.com:443/",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 130 + "com/",
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:6379/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https://[::1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[v1.x]/",
        "https://[2606:4700::1].example.com/",
        "https://[2606:4700::1%25eth0]/",
        "https:///path",
        "https:example.com",
        "//example.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://example.com/",
        "",
    ],
)
def test_odd_urls(url: str) -> None:
    for rule in (DEFAULT, BOTH):
        with pytest.raises(InvalidParameter):
            rule.destination(url)


def test_a_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(InvalidParameter) as refused:
        DEFAULT.destination("https://user:hunter2@example.com/")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "destination", "authority"),
    [
        ("https://example.com", Destination("https", "example.com", 443, "/"), "example.com"),
        ("HTTPS://Example.COM:443/a?b=c", Destination("https", "example.com", 443, "/a?b=c"), "example.com"),
        ("http://example.com:8080/%C3%A9", Destination("http", "example.com", 8080, "/%C3%A9"), "example.com:8080"),
        ("http://example.com?x", Destination("http", "example.com", 80, "/?x"), "example.com"),
        ("https://[2606:4700::1]:4000/", Destination("https", "2606:4700::1", 4000, "/"), "[2606:4700::1]:4000"),
        ("https://xn--exmple-cua.com./", Destination("https", "xn--exmple-cua.com.", 443, "/"), "xn--exmple-cua.com."),
        ("http://localhost:5001/", Destination("http", "localhost", 5001, "/"), "localhost:5001"),
        ("https://hook_1.example.com/", Destination("https", "hook_1.example.com", 443, "/"), "hook_1.example.com"),
    ],
)
def test_urls(url: str, destination: Destination, authority: str) -> None:
    assert BOTH.destination(url) == destination
    assert destination.authority == authority


def test_settings() -> None:
    private = load({}, {"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true", "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http, https"})
    rule = Rule.of(private)
    assert rule.schemes == ("http", "https")
    rule.check_addresses(["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd00::1"], "https")
    with pytest.raises(Refused):
        rule.check_addresses(["169.254.169.254"], "https")
    assert Rule.of(load({}, {"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "false"})) == DEFAULT
    assert Rule.of(load({"webhook_private_networks": "10.1.0.0/16, ::1"}, {})).networks == (
        ip_network("10.1.0.0/16"),
        ip_network("::1/128"),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("webhook_schemes", "ftp"),
        ("webhook_schemes", ","),
        ("webhook_private_networks", "10.0.0.1/8"),
        ("webhook_private_networks", "everything"),
        ("webhook_timeout", "0"),
        ("webhook_retries", "-1"),
        ("webhook_secret_key", "short"),
        ("webhook_secret_key", "é" * 44),
    ],
)
def test_wrong_settings(name: str, text: str) -> None:
    with pytest.raises(SetupError, match=f"--{name.replace('_', '-')}"):
        load({name: text}, {})
