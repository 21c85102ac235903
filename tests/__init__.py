"""The tests, for pytest and for trial alike."""

import signal

from hypothesis import HealthCheck, settings

# On a busy machine an example takes as long as it takes; what is promised of time is not promised here.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Where the tests run in the background SIGINT is ignored, and what they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
