"""From a video file to frames and samples on one clock (PyAV)."""
