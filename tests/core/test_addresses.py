import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.core.addresses import mask_address, read_address, read_addresses
from fakerelay.core.model import PushAddress
from fakerelay.core.problems import Problem


def rule_of(text: str) -> str | None:
    read = read_address(text)
    return read.rule if isinstance(read, Problem) else None


def key_of(text: str) -> str:
    read = read_address(text)
    assert isinstance(read, PushAddress), read
    return read.key


ACCEPTED = {
    "host and path": "rtmp://cdn.example.com/live/key",
    "rtmps": "rtmps://cdn.example.com/live/key",
    "scheme in capitals": "RTMP://cdn.example.com/live",
    "no path": "rtmp://cdn.example.com",
    "query without a path": "rtmp://cdn.example.com?key=1",
    "fragment": "rtmp://cdn.example.com#part",
    "least port": "rtmp://cdn.example.com:1/live",
    "largest port": "rtmp://cdn.example.com:65535/live",
    "port and query": "rtmp://cdn.example.com:1935?key=1",
    "IPv4": "rtmp://192.0.2.1/live",
    "IPv6": "rtmp://[2001:db8::1]/live",
    "IPv6 with a port": "rtmp://[::1]:1936/live",
    "IPv6 that maps an IPv4": "rtmp://[::ffff:192.0.2.1]/live",
    "user": "rtmp://user@cdn.example.com/live",
    "user and password": "rtmp://user:secret@cdn.example.com/live",
    "user and password with an IPv6": "rtmp://user:secret@[::1]:1936/live",
    "an at sign in the path": "rtmp://cdn.example.com/live/a@b",
    "a colon in the path": "rtmp://cdn.example.com/live/a:b",
    "a scheme in the query": "rtmp://cdn.example.com/live?to=rtmp://other",
    "percent signs": "rtmp://cdn.example.com/live/%E4%B8%AD",
    "all that is printable": "rtmp://h/!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~",
    "512 bytes": "rtmp://h/" + "a" * 503,
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_address_is_accepted_and_spelled_as_it_came(text: str) -> None:
    read = read_address(text)
    assert isinstance(read, PushAddress), read
    assert read.spelled == text


REFUSED = {
    "nothing": ("", "address-scheme"),
    "no scheme": ("cdn.example.com/live", "address-scheme"),
    "http": ("http://cdn.example.com/live", "address-scheme"),
    "rtmpt": ("rtmpt://cdn.example.com/live", "address-scheme"),
    "one slash": ("rtmp:/cdn.example.com/live", "address-scheme"),
    "scheme further on": ("xrtmp://cdn.example.com/live", "address-scheme"),
    "no host": ("rtmp://", "address-host"),
    "no host before the path": ("rtmp:///live", "address-host"),
    "no host before the port": ("rtmp://:1935/live", "address-host"),
    "no host after the user": ("rtmp://user@/live", "address-host"),
    "IPv6 without brackets": ("rtmp://2001:db8::1/live", "address-port"),
    "IPv6 that is none": ("rtmp://[2001:db8::1::2]/live", "address-host"),
    "IPv4 in brackets": ("rtmp://[192.0.2.1]/live", "address-host"),
    "empty brackets": ("rtmp://[]/live", "address-host"),
    "bracket left open": ("rtmp://[::1/live", "address-host"),
    "text after the bracket": ("rtmp://[::1]x/live", "address-host"),
    "empty port": ("rtmp://cdn.example.com:/live", "address-port"),
    "empty port at the end": ("rtmp://cdn.example.com:", "address-port"),
    "port 0": ("rtmp://cdn.example.com:0/live", "address-port"),
    "port 65536": ("rtmp://cdn.example.com:65536/live", "address-port"),
    "port of six digits": ("rtmp://cdn.example.com:100000/live", "address-port"),
    "negative port": ("rtmp://cdn.example.com:-1/live", "address-port"),
    "port with a sign": ("rtmp://cdn.example.com:+80/live", "address-port"),
    "port in letters": ("rtmp://cdn.example.com:rtmp/live", "address-port"),
    "two ports": ("rtmp://cdn.example.com:80:80/live", "address-port"),
    "a space": ("rtmp://cdn.example.com/my live", "address-characters"),
    "a space at the end": ("rtmp://cdn.example.com/live ", "address-characters"),
    "a comma": ("rtmp://cdn.example.com/a,b", "address-characters"),
    "Chinese": ("rtmp://cdn.example.com/直播", "address-characters"),
    "an accent": ("rtmp://cdn.example.com/é", "address-characters"),
    "full-width letters": ("rtmp://cdn.example.com/\uff41", "address-characters"),
    "a full-width digit in the port": ("rtmp://h:\uff11/live", "address-characters"),
    "a line feed at the end": ("rtmp://cdn.example.com/live\n", "address-characters"),
    "a tab": ("rtmp://cdn.example.com/\tlive", "address-characters"),
    "NUL": ("rtmp://cdn.example.com/\0", "address-characters"),
    "DEL": ("rtmp://cdn.example.com/\x7f", "address-characters"),
    "513 bytes": ("rtmp://h/" + "a" * 504, "address-length"),
}


@pytest.mark.parametrize(("text", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_address_is_refused_naming_the_rule(text: str, rule: str) -> None:
    problem = read_address(text)
    assert isinstance(problem, Problem), problem
    assert (problem.name, problem.rule) == ("invalid_parameter", rule)
    assert problem.facts["field"] == "rtmpurl"
    assert problem.explanation["value"] == text


SAME = {
    "scheme's case": ("rtmp://h/live", "RTMP://h/live"),
    "host's case": ("rtmp://cdn.example.com/live", "rtmp://CDN.Example.COM/live"),
    "IPv6's case": ("rtmp://[2001:db8::a]/live", "rtmp://[2001:DB8::A]/live"),
    "default port": ("rtmp://h/live", "rtmp://h:1935/live"),
    "default port of rtmps": ("rtmps://h/live", "rtmps://h:443/live"),
    "default port after an IPv6": ("rtmp://[::1]/live", "rtmp://[::1]:1935/live"),
    "default port without a path": ("rtmp://h", "rtmp://h:1935"),
    "default port before a query": ("rtmp://h?a=1", "rtmp://h:1935?a=1"),
    "all at once": ("rtmp://user@h/live?k=V", "Rtmp://user@H:1935/live?k=V"),
    "leading zero of a port": ("rtmp://h:80/live", "rtmp://h:0080/live"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
def test_addresses_are_the_same_despite(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


DIFFERENT = {
    "scheme": ("rtmp://h/live", "rtmps://h/live"),
    "host": ("rtmp://h/live", "rtmp://g/live"),
    "port": ("rtmp://h/live", "rtmp://h:1936/live"),
    "rtmps's port under rtmp": ("rtmp://h/live", "rtmp://h:443/live"),
    "rtmp's port under rtmps": ("rtmps://h/live", "rtmps://h:1935/live"),
    "path": ("rtmp://h/live/a", "rtmp://h/live/b"),
    "path's case": ("rtmp://h/Live", "rtmp://h/live"),
    "last slash": ("rtmp://h/live", "rtmp://h/live/"),
    "a slash or no path": ("rtmp://h", "rtmp://h/"),
    "percent encoding": ("rtmp://h/%41", "rtmp://h/A"),
    "query": ("rtmp://h/live?k=1", "rtmp://h/live?k=2"),
    "query's case": ("rtmp://h/live?k=a", "rtmp://h/live?k=A"),
    "query's order": ("rtmp://h/live?a=1&b=2", "rtmp://h/live?b=2&a=1"),
    "empty query": ("rtmp://h/live", "rtmp://h/live?"),
    "user": ("rtmp://h/live", "rtmp://user@h/live"),
    "user's case": ("rtmp://user@h/live", "rtmp://User@h/live"),
    "password": ("rtmp://user:a@h/live", "rtmp://user:b@h/live"),
    "IPv6's spelling": ("rtmp://[::1]/live", "rtmp://[0:0:0:0:0:0:0:1]/live"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_addresses_differ_by(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_list_holds_one_to_five_addresses_in_their_order(count: int) -> None:
    texts = [f"rtmp://h/{9 - number}" for number in range(count)]
    read = read_addresses(",".join(texts))
    assert isinstance(read, tuple)
    assert not isinstance(read, Problem)
    assert [one.spelled for one in read] == texts


LISTS_REFUSED = {
    "six": (",".join(f"rtmp://h/{number}" for number in range(6)), "rtmpurl-count"),
    "six times the same": (",".join(["rtmp://h"] * 6), "rtmpurl-count"),
    "comma at the end": ("rtmp://h/a,", "address-scheme"),
    "comma at the beginning": (",rtmp://h/a", "address-scheme"),
    "empty part": ("rtmp://h/a,,rtmp://h/b", "address-scheme"),
    "comma alone": (",", "address-scheme"),
    "space after the comma": ("rtmp://h/a, rtmp://h/b", "address-characters"),
    "only the last is wrong": ("rtmp://h/a,rtmp://h:0", "address-port"),
    "the first of two wrong ones": ("rtmp://h:0,http://h", "address-port"),
    "another separator": ("rtmp://h/a;rtmp://h/b" + "c" * 500, "address-length"),
}


@pytest.mark.parametrize(("text", "rule"), LISTS_REFUSED.values(), ids=LISTS_REFUSED.keys())
def test_list_is_refused_naming_the_rule(text: str, rule: str) -> None:
    problem = read_addresses(text)
    assert isinstance(problem, Problem)
    assert (problem.name, problem.rule) == ("invalid_parameter", rule)


def test_five_longest_addresses_fit_in_one_list() -> None:
    texts = [f"rtmp://h/{number}".ljust(512, "a") for number in range(5)]
    assert isinstance(read_addresses(",".join(texts)), tuple)
    assert not isinstance(read_addresses(",".join(texts)), Problem)


@given(st.text(max_size=40) | st.from_regex(r"(?i)rtmps?://[ -~]*", fullmatch=True))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    read = read_address(text)
    if isinstance(read, PushAddress):
        assert key_of(read.key) == read.key, "what is compared is an address itself"


MASKED = {
    "nothing secret": ("rtmp://h/live", "rtmp://h/live"),
    "value": ("rtmp://h/live?key=s3cret", "rtmp://h/live?key=***"),
    "values": ("rtmp://h/live?a=s3cret&b=s3cret", "rtmp://h/live?a=***&b=***"),
    "password": ("rtmp://user:s3cret@h/live", "rtmp://user:***@h/live"),
    "list": (
        "rtmp://h/a?k=s3cret,rtmp://u:s3cret@h/b?k=s3cret",
        "rtmp://h/a?k=***,rtmp://u:***@h/b?k=***",
    ),
}


@pytest.mark.parametrize(("text", "masked"), MASKED.values(), ids=MASKED.keys())
def test_masked_address_shows_no_secret(text: str, masked: str) -> None:
    assert mask_address(text) == masked


@pytest.mark.parametrize(
    ("rtmpurl", "reason"),
    [
        ("rtmp://a,", "address 2: is empty; a comma stands only between addresses"),
        ("rtmp://a,rtmp://b:0", "address 2: a port is 1 to 65535, or left out with its colon"),
        ("http://a", "an address begins with rtmp:// or rtmps://"),
    ],
)
def test_refusal_says_which_of_several_addresses_is_meant(rtmpurl: str, reason: str) -> None:
    problem = read_addresses(rtmpurl)
    assert isinstance(problem, Problem)
    assert problem.facts["reason"] == reason
