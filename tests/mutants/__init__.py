"""A server to measure the contract kit by: correct, or wrong in one way that is known."""

from tests.mutants.faults import FAULTS as FAULTS
from tests.mutants.servers import Mutant as Mutant
from tests.mutants.servers import open_mutant as open_mutant
from tests.mutants.variants import VARIANTS as VARIANTS
