"""Real-time loyalty at one till: on, or disabled until somebody enables it or the till is reopened (LY3)."""

import threading


class RealTimeLoyalty:
    """In memory, so that a till that is started anew begins with it on. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_off = False

    @property
    def is_off(self) -> bool:
        return self._is_off

    def switch(self, *, on: bool) -> bool:
        """Whether that changed anything."""
        with self._lock:
            changed = self._is_off == on
            self._is_off = not on
        return changed

    def reopened(self) -> None:
        """The business day ended: whoever opens the next one is asked anew."""
        self.switch(on=True)
