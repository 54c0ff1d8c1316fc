"""Trains a small neural network that tells classes apart, one epoch a step. Works for any table with a class column."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from training.session import Session, arguments


@dataclass(frozen=True)
class Parameters:
    """Hyperparameters; the job file may set each of them."""

    epochs: int = 1000
    seed: int = 7
    hidden: int = 64
    learning_rate: float = 0.00003
    alpha: float = 0.1
    batch_size: int = 16


class Trainer:
    """The network and all that its next epoch depends on: weights, optimizer, random state."""

    def __init__(self, parameters: Parameters) -> None:
        self.network = MLPClassifier(
            (parameters.hidden, parameters.hidden // 2),
            alpha=parameters.alpha,
            batch_size=parameters.batch_size,
            learning_rate_init=parameters.learning_rate,
            random_state=np.random.RandomState(parameters.seed),  # a number would shuffle every epoch alike
        )

    def save(self) -> bytes:
        return pickle.dumps(self.network)

    def load(self, state: bytes) -> None:
        self.network = pickle.loads(state)


def area(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Area under the ROC curve; with more than two classes the mean of each against the rest."""
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(labels, probabilities[:, 1]))
    return float(roc_auc_score(labels, probabilities, multi_class="ovr"))


def main(parameters: Parameters) -> None:
    """60 % of the rows train, 20 % are watched during training, 20 % judge the result."""
    with Session(parameters) as session:
        table = session.table()
        train_x, rest_x, train_y, rest_y = train_test_split(
            table.values, table.labels, test_size=0.4, stratify=table.labels, random_state=parameters.seed
        )
        valid_x, test_x, valid_y, test_y = train_test_split(
            rest_x, rest_y, test_size=0.5, stratify=rest_y, random_state=parameters.seed
        )
        scaler = StandardScaler().fit(train_x)
        scaled_train, scaled_valid = scaler.transform(train_x), scaler.transform(valid_x)
        labels = np.arange(len(table.classes))

        trainer = Trainer(parameters)
        for _ in session.steps(parameters.epochs, save=trainer.save, load=trainer.load):
            trainer.network.partial_fit(scaled_train, train_y, classes=labels)
            valid_auc = area(valid_y, trainer.network.predict_proba(scaled_valid))
            session.log(train_loss=trainer.network.loss_, valid_auc=valid_auc)

        model = Pipeline([("scale", scaler), ("classify", trainer.network)])
        probabilities = model.predict_proba(test_x)
        evaluation = {
            "test_auc": area(test_y, probabilities),
            "test_accuracy": accuracy_score(test_y, probabilities.argmax(axis=1)),
            "test_log_loss": log_loss(test_y, probabilities, labels=labels),
            "test_rows": len(test_y),
        }
        session.finish(model, table, evaluation=evaluation)


if __name__ == "__main__":
    main(arguments(Parameters))
