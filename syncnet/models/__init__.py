"""The lip-sync models behind one protocol (protocol.py), and the one registry that loads them (registry.py)."""
