"""The tests, for pytest and for trial alike."""

from hypothesis import HealthCheck, settings

# On a busy machine an example takes as long as it takes; what is promised of time is not promised here.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
