"""What can be wrong with the fields that a start of either kind has (section 3)."""

from collections.abc import Iterator

from fakerelay.contract.addresses import SAME, Spelling, with_port
from fakerelay.contract.drafts import Draft
from fakerelay.contract.flaws.rows import KINDS, MISSING, MIXED, SOURCE, Flaw, put, spoil_field
from fakerelay.contract.model import Fault


def list_field_flaws() -> Iterator[tuple[str, Flaw]]:
    for name in ("roomid", "taskid", "uid"):
        yield from _name_forms(name)
    yield from _address_forms()
    yield from _numbers()


def _name_forms(field: str) -> Iterator[tuple[str, Flaw]]:
    kinds = MIXED if field == "taskid" else SOURCE if field == "uid" else KINDS
    types = {"missing": MISSING, "a number": 5, "null": None, "a list": ["a"], "true": True}
    forms = {
        "empty": "",
        "of 65 characters": lambda name: name.ljust(65, "a"),
        "with a space": lambda name: f"{name} a",
        "with a dot": lambda name: f"{name}.a",
        "with a slash": lambda name: f"{name}/a",
        "not ASCII": lambda name: f"{name}\u00e9",
        "with a line break behind": lambda name: f"{name}\n",
    }
    yield from spoil_field(f"{field}-field", field, types, "documented", kinds=kinds)
    yield from spoil_field(f"{field}-form", field, forms, "documented", kinds=kinds)
    if field != "roomid":
        yield f"{field} under the other name", _move_name(field)


def _move_name(field: str) -> Flaw:
    """The name of a task where the other kind has its own."""
    other = "taskid" if field == "uid" else "uid"

    def spoil(draft: Draft) -> None:
        draft.body[other] = draft.body.pop(field)

    fault = Fault(f"{field}-field", "invalid_parameter", "documented")
    return Flaw(fault, spoil, kinds=SOURCE if field == "uid" else MIXED, words=(field,))


def _address_forms() -> Iterator[tuple[str, Flaw]]:
    types = {"missing": MISSING, "a number": 5, "null": None, "a list": ["rtmp://h/a"]}
    yield from spoil_field("rtmpurl-field", "rtmpurl", types, "documented")
    schemes = {
        "by http": lambda url: url.replace("rtmp://", "http://"),
        "by ftp": lambda url: url.replace("rtmp://", "ftp://"),
        "by rtmpt": lambda url: url.replace("rtmp://", "rtmpt://"),
        "by srt": lambda url: url.replace("rtmp://", "srt://"),
        "without a scheme": lambda url: url.replace("rtmp://", ""),
    }
    yield from spoil_field("address-scheme", "rtmpurl", schemes, "documented")
    lengths = {
        "of 513 bytes": lambda url: _first(url).ljust(513, "a"),
        "second of 513 bytes": lambda url: f"{_first(url)},{_first(url).ljust(513, 'a')}",
    }
    yield from spoil_field("address-length", "rtmpurl", lengths, "documented")
    characters = {
        "in Chinese": lambda url: f"{url}\u4e2d\u6587",
        "with an accent": lambda url: f"{url}\u00e9",
        "with a tab": lambda url: f"{url}\ta",
        "with a line break behind": lambda url: f"{url}\n",
        "with a control character": lambda url: f"{url}\x7f",
    }
    yield from spoil_field("address-characters", "rtmpurl", characters, "documented")
    yield from spoil_field("address-scheme", "rtmpurl", dict(_bad_ones()), "documented")
    blanks = {
        "with a space": lambda url: f"{url} a",
        "with a space behind the comma": lambda url: f"{url}, {url}-a",
        "with a space before": lambda url: f" {url}",
    }
    yield from spoil_field("address-characters", "rtmpurl", blanks, "assumed")
    ports = {
        "of port 0": lambda url: with_port(url, "0"),
        "of port 65536": lambda url: with_port(url, "65536"),
        "of an empty port": lambda url: with_port(url, ""),
        "of a port in words": lambda url: with_port(url, "rtmp"),
    }
    yield from spoil_field("address-port", "rtmpurl", ports, "assumed")
    yield from spoil_field("rtmpurl-count", "rtmpurl", {"empty": ""}, "documented")
    gaps = {
        "with a comma behind": lambda url: f"{url},",
        "with a comma before": lambda url: f",{url}",
        "with two commas": lambda url: f"{url},,{url}-a",
        "of commas alone": ",,",
    }
    yield from spoil_field("address-scheme", "rtmpurl", gaps, "documented")
    for told, spelling in SAME.items():
        fault = Fault("address-comparison", "duplicate_address", "assumed")
        yield f"rtmpurl twice, {told}", Flaw(fault, put("rtmpurl", _repeat(spelling)))


def _bad_ones() -> Iterator[tuple[str, Spelling]]:
    """One of five addresses is none; the last is the fifth."""
    for place, told in enumerate(("second", "third", "fourth", "fifth"), start=1):
        yield f"{told} by http", lambda url, place=place: _spoil_one(url, place)  # type: ignore[misc]


def _spoil_one(url: str, place: int) -> str:
    urls = [url, *(f"{url}-{number}" for number in range(1, 5))]
    urls[place] = urls[place].replace("rtmp://", "http://")
    return ",".join(urls)


def _repeat(spelling: Spelling) -> Spelling:
    def repeat(urls: str) -> str:
        first = _first(urls)
        return f"{first},{spelling(first)}"

    return repeat


def _first(urls: str) -> str:
    return urls.partition(",")[0]


def _numbers() -> Iterator[tuple[str, Flaw]]:
    appids = {"missing": MISSING, "a string": str, "null": None, "negative": -1, "half": 0.5}
    yield from spoil_field("appid-field", "appid", appids, "documented")
    yield from spoil_field("appid-field", "appid", {"of 65 bits": 2**64}, "documented")
    kinds = {"missing": MISSING, "0": 0, "3": 3, "a string": str, "null": None, "true": True}
    yield from spoil_field("streamtype-field", "streamtype", kinds, "documented")
