"""Leaf and root are renewed before they end."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakerelay.web.tls import NAMES, open_tls
from tests.web.tls.certificates import DAY, FILES, NOW, names_of, shown_certificate


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def touch(path: Path, at: float) -> None:
    os.utime(path, (at, at))


class TestRenewal:
    def test_a_fresh_certificate_stays(self, folder: Path) -> None:
        tls = open_tls(folder, now=NOW)
        before = contents(folder)
        assert not tls.ensure_fresh(NOW + 300 * DAY)
        open_tls(folder, now=NOW + 300 * DAY)
        assert contents(folder) == before

    @pytest.mark.parametrize("now", [NOW + 310 * DAY, NOW + 4000 * DAY, NOW - 2 * DAY])
    def test_a_due_certificate_is_renewed_within_the_live_context(
        self, folder: Path, now: float
    ) -> None:
        tls = open_tls(folder, now=NOW)
        context, ca = tls.context, (folder / "ca.pem").read_bytes()
        assert tls.ensure_fresh(now)
        shown = shown_certificate(context, None)
        assert shown.not_valid_after_utc.timestamp() == now + 365 * DAY
        assert (folder / "ca.pem").read_bytes() == ca

    def test_a_missing_name_is_added_to_what_others_serve(self, folder: Path) -> None:
        ours = open_tls(folder, ["a.test"], now=NOW)
        theirs = open_tls(folder, ["b.test"], now=NOW)
        assert names_of(shown_certificate(theirs.context, None)) == {*NAMES, "a.test", "b.test"}
        ours.ensure_fresh(NOW)
        assert names_of(shown_certificate(ours.context, None)) == {*NAMES, "a.test", "b.test"}

    def test_a_due_renewal_forgets_the_names_of_others(self, folder: Path) -> None:
        open_tls(folder, ["gone.test"], now=NOW)
        renewed = open_tls(folder, now=NOW + 310 * DAY)
        assert names_of(shown_certificate(renewed.context, None)) == {*NAMES}

    def test_a_renewal_by_another_process_is_loaded(self, folder: Path) -> None:
        ours = open_tls(folder, now=NOW)
        theirs = open_tls(folder, now=NOW + 310 * DAY)
        assert ours.ensure_fresh(NOW + 310 * DAY)
        shown = [shown_certificate(tls.context, None) for tls in (ours, theirs)]
        assert shown[0] == shown[1]

    @pytest.mark.parametrize("name", ["leaf.pem", "ca.pem", "ca-bundle.pem", "truststore.p12"])
    def test_a_missing_file_is_made_again(self, folder: Path, name: str) -> None:
        tls = open_tls(folder, now=NOW)
        ca = (folder / "ca.pem").read_bytes()
        (folder / name).unlink()
        assert tls.ensure_fresh(NOW)
        assert (folder / name).stat().st_size
        assert (folder / "ca.pem").read_bytes() == ca

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda pem: b"", id="empty"),
            pytest.param(lambda pem: pem[:-40], id="cut off"),
            pytest.param(lambda pem: b"\xff" + pem, id="header not UTF-8"),
            pytest.param(lambda pem: b"[]" + pem[pem.index(b"\n") :], id="header a list"),
            pytest.param(lambda pem: b"{}" + pem[pem.index(b"\n") :], id="header empty"),
            pytest.param(lambda pem: pem[pem.index(b"\n") :], id="no header"),
        ],
    )
    def test_a_damaged_leaf_is_made_again(
        self, folder: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        open_tls(folder, now=NOW)
        leaf = folder / "leaf.pem"
        leaf.write_bytes(damage(leaf.read_bytes()))
        shown_certificate(open_tls(folder, now=NOW).context, None)

    def test_a_leaf_of_a_ca_that_was_deleted_is_made_again(self, folder: Path) -> None:
        now = datetime.now(UTC).timestamp()
        open_tls(folder, now=now)
        for name in ("ca.pem", "ca-key.pem"):
            (folder / name).unlink()
        shown_certificate(open_tls(folder, now=now).context, folder / "ca.pem")

    @pytest.mark.parametrize("written", range(len(FILES)))
    def test_a_start_interrupted_anywhere_is_taken_up_by_the_next(
        self, folder: Path, written: int
    ) -> None:
        now = datetime.now(UTC).timestamp()
        open_tls(folder, now=now)
        for name in FILES[written:]:
            (folder / name).unlink()
        (folder / f".{FILES[written]}.new").write_text("half a fi")
        shown_certificate(open_tls(folder, now=now).context, folder / "ca-bundle.pem")
