"""Face detectors behind one protocol (protocol.py), and the one registry that makes them (registry.py)."""
