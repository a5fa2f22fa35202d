"""How many examples Hypothesis tries: `HYPOTHESIS_PROFILE=ci`, `nightly`; by default `dev`."""

import os

from hypothesis import HealthCheck, settings

# Several people's machines, and CI's, are slow at times: a slow example is no failure.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _PATIENT, max_examples=50)
settings.register_profile("ci", _PATIENT, max_examples=300, derandomize=True, print_blob=True)
settings.register_profile("nightly", _PATIENT, max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
