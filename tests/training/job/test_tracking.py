"""MLflow gets all of a job, and a job never waits for MLflow; against a real server."""

from __future__ import annotations

import socket

import pytest

from training.job.tracking import JOURNAL, Sender, Tracker, errors

GONE = "http://127.0.0.1:9"


def tracker(folder, uri="", job="job-1"):
    return Tracker(
        folder, uri, job=job, experiment="tracked", parameters={"epochs": 3}, tags={"shoestring.data_sha256": "da7a"}
    )


def runs(server, job):
    from mlflow import MlflowClient

    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("tracked")
    runs_of_job = client.search_runs([experiment.experiment_id], f"tags.`shoestring.job` = '{job}'")
    return client, runs_of_job


def history(server, job, key="loss"):
    client, (run,) = runs(server, job)
    return sorted((metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, key))


def test_everything_arrives_in_the_background(server, tmp_path):
    tracked = tracker(tmp_path, server.uri)
    for step in range(1, 4):
        tracked.log(step, {"loss": 1 / step, "auc": 0.5})
    tracked.status("FINISHED")
    assert tracked.close(60)
    _, (run,) = runs(server, "job-1")
    assert run.data.params == {"epochs": "3"} and run.info.status == "FINISHED"
    assert run.data.tags["shoestring.data_sha256"] == "da7a"
    assert history(server, "job-1") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


def test_resumed_attempt_goes_on_with_its_run_and_repeats_no_step(server, tmp_path):
    for attempt in (range(1, 5), range(3, 7)):
        tracked = tracker(tmp_path, job="job-2")
        for step in attempt:
            tracked.log(step, {"loss": float(step)})
        tracked.status("KILLED" if attempt.start == 1 else "FINISHED")
        assert not tracked.close(1)
        Sender(tmp_path / JOURNAL, server.uri).send()
    assert history(server, "job-2") == [(step, float(step)) for step in range(1, 7)]
    _, (run,) = runs(server, "job-2")
    assert run.info.status == "FINISHED"


def test_running_attempt_shows_as_running(server, tmp_path):
    for status in ("KILLED", None):
        tracked = tracker(tmp_path, job="job-3")
        if status:
            tracked.status(status)
        tracked.close(1)
        Sender(tmp_path / JOURNAL, server.uri).send()
    _, (run,) = runs(server, "job-3")
    assert run.info.status == "RUNNING"


def test_server_that_goes_and_comes_back_misses_nothing(server, tmp_path):
    tracked = tracker(tmp_path, job="job-4")
    sender = Sender(tmp_path / JOURNAL, server.uri)
    tracked.log(1, {"loss": 1.0})
    sender.send()
    server.stop()
    tracked.log(2, {"loss": 2.0})
    try:
        with pytest.raises(errors()):
            sender.send()
    finally:
        server.start()
    tracked.log(3, {"loss": 3.0})
    sender.send()
    assert history(server, "job-4") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_absent_server_keeps_the_journal_and_says_so(server, tmp_path, capfd):
    tracked = tracker(tmp_path, GONE, job="job-5")
    tracked.log(1, {"loss": 1.0})
    tracked.status("FINISHED")
    assert not tracked.close(60)
    assert f"mlflow at {GONE} is left out for now" in capfd.readouterr().out
    Sender(tmp_path / JOURNAL, server.uri).send()
    assert history(server, "job-5") == [(1, 1.0)]


def test_torn_line_costs_that_line_only(server, tmp_path):
    tracked = tracker(tmp_path, job="job-6")
    tracked.log(1, {"loss": 1.0})
    tracked.close(1)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"at": 5, "step": 2, "metr')
    two = tracker(tmp_path, job="job-6")
    two.log(3, {"loss": float("nan")})
    two.log(4, {"loss": 4.0})
    two.close(1)
    Sender(tmp_path / JOURNAL, server.uri).send()
    assert [step for step, _ in history(server, "job-6")] == [1, 3, 4]


def test_server_that_never_answers_is_not_waited_for(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracked = tracker(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}", job="job-7")
        tracked.log(1, {"loss": 1.0})
        assert not tracked.close(1)
    assert '"loss": 1.0' in (tmp_path / JOURNAL).read_text()
