import unittest

from fakerelay import FakeRelay


class RelayTest(unittest.TestCase):
    def setUp(self) -> None:
        self.relay = self.enterContext(FakeRelay(quota=1))

    def test_quota(self) -> None:
        assert self.relay.start("rtmp://cdn.example.com/live/anna").is_accepted
        refused = self.relay.start("rtmp://cdn.example.com/live/bob", uid="bob")
        assert refused.code == 42901
