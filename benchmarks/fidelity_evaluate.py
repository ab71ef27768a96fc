"""torch-fidelity on two folders, with the course's classifier as its extractor and its own defaults, as a process:
`python -m benchmarks.fidelity_evaluate FAKE REAL OUT`."""

import json
import sys
from pathlib import Path

NAMES = (
    "frechet_inception_distance",
    "kernel_inception_distance_mean",
    "inception_score_mean",
    "precision",
    "recall",
)


def main(fake, real, out):
    import torch_fidelity

    from gancourse.models import load

    class Fashion(torch_fidelity.FeatureExtractorBase):
        def __init__(self, name, features_list, **_):
            super().__init__(name, features_list)
            self.network = load("classifier")

        @staticmethod
        def get_provided_features_list():
            return "features", "logits"

        def forward(self, images):
            """images: uint8 (N, 3, H, W); grey files come as RGB, of which one channel is the file."""
            features = self.network.features(images[:, :1])
            layers = {"features": features, "logits": self.network.fc(features)}
            return tuple(layers[name] for name in self.features_list)

    torch_fidelity.register_feature_extractor("fashion", Fashion)
    numbers = torch_fidelity.calculate_metrics(
        input1=fake,
        input2=real,
        feature_extractor="fashion",
        feature_layer_isc="logits",
        **{f"feature_layer_{metric}": "features" for metric in ("fid", "kid", "prc")},
        **dict.fromkeys(("isc", "fid", "kid", "prc"), True),
        cuda=False,
        cache=False,
        verbose=False,
    )
    Path(out).write_text(json.dumps({name: float(numbers[name]) for name in NAMES}))


if __name__ == "__main__":
    main(*sys.argv[1:])
