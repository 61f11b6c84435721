import argparse
import os

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from azureml.core.run import Run
from chainer import iterators, optimizers, serializers
from chainer.dataset import concat_examples

run = Run.get_context()


class MyNetwork(chainer.Chain):
    def __init__(self, n_mid_units=100, n_out=10):
        super().__init__()
        with self.init_scope():
            self.l1 = L.Linear(None, n_mid_units)
            self.l2 = L.Linear(n_mid_units, n_mid_units)
            self.l3 = L.Linear(n_mid_units, n_out)

    def __call__(self, x):
        h = F.relu(self.l1(x))
        h = F.relu(self.l2(h))
        return self.l3(h)


def main():
    parser = argparse.ArgumentParser(description="Chainer example: MNIST")
    parser.add_argument("--batchsize", "-b", type=int, default=100)
    parser.add_argument("--epochs", "-e", type=int, default=20)
    parser.add_argument("--output_dir", "-o", default="./outputs")
    parser.add_argument("--gpu_id", default=-1, type=int)
    args = parser.parse_args()

    os.makedirs(args.output_dir, exist_ok=True)

    train, test = chainer.datasets.get_mnist()
    train_iter = iterators.SerialIterator(train, args.batchsize)

    model = MyNetwork()
    if args.gpu_id >= 0:
        chainer.backends.cuda.get_device_from_id(args.gpu_id).use()
        model.to_gpu(args.gpu_id)

    optimizer = optimizers.MomentumSGD(lr=0.01, momentum=0.9)
    optimizer.setup(model)

    while train_iter.epoch < args.epochs:
        train_batch = train_iter.next()
        image_train, target_train = concat_examples(train_batch, args.gpu_id)
        prediction_train = model(image_train)
        loss = F.softmax_cross_entropy(prediction_train, target_train)
        model.cleargrads()
        loss.backward()
        optimizer.update()

        if train_iter.is_new_epoch:
            print(f"epoch:{train_iter.epoch:02d} train_loss:{float(loss.array):.04f} ", end="")
            images, targets = concat_examples(test, args.gpu_id)
            with chainer.using_config("train", False), chainer.using_config("enable_backprop", False):
                prediction_test = model(images)
            accuracy = F.accuracy(prediction_test, targets)
            print(f"val_accuracy:{float(accuracy.array):.04f}")
            run.log("Accuracy", np.float64(accuracy.array))

    serializers.save_npz(os.path.join(args.output_dir, "model.npz"), model)


if __name__ == "__main__":
    main()
