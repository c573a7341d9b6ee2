"""The asv suite: seconds (``time_``), memory (``peakmem_``), bounds (``track_``) of commits."""
