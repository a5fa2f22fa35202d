"""Scenarios that are always played: each rule has one at least, each boundary its own."""

from fakerelay.contract.catalogue.lists import list_scenarios as list_scenarios
from fakerelay.contract.catalogue.scenarios import MOST_FILLED as MOST_FILLED
from fakerelay.contract.catalogue.scenarios import Scenario as Scenario
