"""The contract, rule by rule, as tests of any server: `pytest contract_tests`."""
