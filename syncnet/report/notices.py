"""What a reader should know of the model and the detector that gave the numbers."""

from __future__ import annotations

from syncnet.settings import ScorerSettings
from syncnet.system.invocation import WEIGHTS_CALL
from weights import Identity


def find_notices(settings: ScorerSettings, model: Identity, detector: Identity) -> tuple[str, ...]:
    """A sentence for each choice that fell back for want of a file, and for each file that is not the published one."""
    notices = []
    if settings.model == "auto" and model.name == "lite":
        notices.append(
            "Scored with the embedded model, because the published one is not here. "
            f"`{WEIGHTS_CALL} fetch syncnet_v2.model` downloads it."
        )
    if settings.detector == "auto" and detector.name == "haar":
        notices.append(
            "Faces were found with haar, which is slower, because yunet is not here. "
            f"`{WEIGHTS_CALL} fetch face_detection_yunet_2023mar.onnx` downloads it."
        )
    notices += [
        f"The file of {identity.name} is not the published one (--allow_unverified_weights)."
        for identity in (model, detector)
        if not identity.verified
    ]
    return tuple(notices)
