"""Memory between steps: what one step frees, the next takes again.

glibc gives large blocks back to the system as soon as they are free, and the system clears each page of those it gives
out instead. A step of learning from pictures frees and takes gigabytes; on a CPU, clearing them is a tenth of its time.
"""

import ctypes

# Of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER, _NONE = -1, 0


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, for its own next use.

    Returns:
        Whether that can be chosen here: it is glibc's.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, _NONE)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
