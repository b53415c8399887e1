import pytest

from minleaf_server.app.hosts import HostRules
from minleaf_server.errors import SetupError

OWN = ["localhost", "LOCALHOST", "LocalHost:5000", "localhost.", "localhost.:5000", "127.0.0.1", "127.0.0.1:5000"]
OWN += ["127.0.0.1.:5000", "[::1]", "[::1]:5000"]
FOREIGN = ["evil.com", "evil.com:5000", "10.evil.com", "192.168.evil.com", "172.16.evil.com", "fd00:evil.com"]
FOREIGN += ["localhost.evil.com", "127.0.0.1.evil.com", "localhost:80.evil.com", "localhost@evil.com"]
FOREIGN += ["0.0.0.0:5000", "2130706433", "0177.0.0.1", "127.1", "0x7f.0.0.1", "[::]", "[::ffff:127.0.0.1]:5000", "::1"]
FOREIGN += ["localhost:5001", "127.0.0.1:80", "localhost:", "localhost..", "localhost :5000", "localhost,evil.com", "["]
FOREIGN += ["[::1]evil.com", "localhost:5000:5000", "localhost:05000", "evil.com#localhost", "\u017focalhost", "*"]


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_allowed(host: str) -> None:
    assert HostRules("127.0.0.1", 5000).allows(host.encode())


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(host: str) -> None:
    assert not HostRules("127.0.0.1", 5000).allows(host.encode())
    assert not HostRules("127.0.0.1", 5000, ["tracker.example.org"]).allows(host.encode())


def test_the_address_that_it_is_bound_to_is_its_own_name() -> None:
    rules = HostRules("FD00::5", 5000)
    assert rules.allows(b"[fd00::5]:5000")
    assert not rules.allows(b"[fd00::6]:5000")
    assert HostRules("tracker", 5000).allows(b"tracker:5000")


def test_bound_to_every_address_any_ip_address_is_allowed_but_no_name() -> None:
    rules = HostRules("0.0.0.0", 5000)
    assert rules.allows(b"192.168.1.5:8080")
    assert rules.allows(b"[fd00::5]")
    assert rules.allows(b"localhost:8080")
    assert not rules.allows(b"fd00::5")
    assert not rules.allows(b"[192.168.1.5]")
    for host in (*FOREIGN[:10], "0.0.0.0:5000", "2130706433", "0177.0.0.1", "127.1", "0x7f.0.0.1", "[::]"):
        assert not rules.allows(host.encode()), host
    assert not HostRules("127.0.0.1", 5000).allows(b"192.168.1.5:5000")


def test_an_allowed_name_counts_with_every_port_or_with_its_own() -> None:
    rules = HostRules("127.0.0.1", 5000, ["Tracker.example.org", "other.example.org:8080", "[fd00::5]", "third:*"])
    for host in (b"tracker.example.org", b"TRACKER.example.org:8443", b"other.example.org:8080", b"[fd00::5]:1"):
        assert rules.allows(host)
    assert rules.allows(b"third:77")
    for host in (
        b"other.example.org",
        b"other.example.org:8081",
        b"tracker.example.org.evil.com",
        b"x.third:77",
        b"third:123456",
    ):
        assert not rules.allows(host)


def test_a_wildcard_stands_for_the_names_below_a_domain() -> None:
    rules = HostRules("127.0.0.1", 5000, ["*.Example.org", "*.other.org:8080"])
    for host in (b"a.example.org", b"a.b.example.org:1234", b"A.EXAMPLE.ORG", b"x.other.org:8080"):
        assert rules.allows(host), host
    for host in (b"example.org", b"evilexample.org", b"a.example.org.evil.com", b".example.org", b"x.other.org:81"):
        assert not rules.allows(host), host
    assert not rules.allows(b"x.other.org")


def test_every_name_is_allowed_only_where_that_is_safe_or_was_asked_for() -> None:
    assert HostRules("127.0.0.1", 5000, ["*"], any_name=True).allows(b"evil.com:77")
    with pytest.raises(SetupError, match="--insecure-no-auth"):
        HostRules("127.0.0.1", 5000, ["*"])


@pytest.mark.parametrize(
    "entry", ["*", "", "*example.org", "*.*.org", "http://example.org", "a b", "exämple.org", "a/b", "a:b"]
)
def test_what_is_no_name_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(SetupError, match="--allowed-hosts"):
        HostRules("127.0.0.1", 5000, [entry])
