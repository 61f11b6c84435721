import pickle
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import VisionDataset


class CIFAR10(VisionDataset):
    """The training part of CIFAR-10's Python files, of any size."""

    def __init__(self, root, transform=None):
        super().__init__(root, transform=transform)
        self.images, self.labels = [], []
        for path in sorted(Path(root, "cifar-10-batches-py").glob("data_batch_*")):
            with path.open("rb") as file:
                batch = pickle.load(file, encoding="latin1")
            self.images.append(batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            self.labels += batch["labels"]
        self.images = np.concatenate(self.images)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]
