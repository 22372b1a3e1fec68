"""Which lip-sync model is meant; nothing heavy is loaded for it."""

from __future__ import annotations

from syncnet.settings import ScorerSettings
from syncnet.settings.checks import fitted
from weights import WeightsPolicy, find_weights

SYNCNET_V2_FILE = "syncnet_v2.model"


def meant_model(name: str, policy: WeightsPolicy) -> str:
    """``auto`` is syncnet_v2 where its verified file is at hand, else lite. Raises UsageError for an unknown name."""
    fitted(ScorerSettings, "model", name)
    if name != "auto":
        return name
    return "syncnet_v2" if find_weights(SYNCNET_V2_FILE, policy) is not None else "lite"
