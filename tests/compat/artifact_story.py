"""What MLflow's client does with artifacts, on any server and with any version of the client.

A program too: `python artifact_story.py URL` tells the story with the client of that Python.
"""

import os
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

LARGE = 24 * 2**20
"""More than the server takes of any other body."""


def tell(url: str) -> None:
    """Run the whole story against the server at `url`. Raises AssertionError."""
    mlflow.set_tracking_uri(url)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(MlflowClient(url), folder)
        media(MlflowClient(url))
        tables()
        deletion(MlflowClient(url), folder)
        large_file(folder)
        odd_names(MlflowClient(url), folder)


def files(client: MlflowClient, folder: Path) -> None:
    (folder / "tree" / "dir").mkdir(parents=True)
    (folder / "tree" / "a.txt").write_text("0")
    (folder / "tree" / "dir" / "b.txt").write_text("1")
    with mlflow.start_run() as run:
        assert client.list_artifacts(run.info.run_id) == []
        mlflow.log_artifact(str(folder / "tree" / "a.txt"))
        mlflow.log_artifact(str(folder / "tree" / "a.txt"), "deep/er")
        mlflow.log_artifacts(str(folder / "tree"))
        mlflow.log_artifacts(str(folder / "tree"), artifact_path="below")
        mlflow.log_text("text é", "text/note.txt")
        mlflow.log_dict({"k": [1, 2]}, "dict/a.json")
        mlflow.log_dict({"k": [1, 2]}, "dict/a.yaml")
    run_id = run.info.run_id
    found = [(one.path, one.is_dir, one.file_size) for one in client.list_artifacts(run_id)]
    folders = [(name, True, None) for name in ("below", "deep", "dict", "dir", "text")]
    assert found == [("a.txt", False, 1), *folders]
    assert [one.path for one in client.list_artifacts(run_id, "below")] == ["below/a.txt", "below/dir"]
    assert [one.path for one in client.list_artifacts(run_id, "below/dir")] == ["below/dir/b.txt"]
    assert client.list_artifacts(run_id, "a.txt") == []
    assert client.list_artifacts(run_id, "none") == []
    uri = run.info.artifact_uri
    assert mlflow.artifacts.load_text(f"{uri}/text/note.txt") == "text é"
    assert mlflow.artifacts.load_dict(f"{uri}/dict/a.json") == {"k": [1, 2]}
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/below/dir/b.txt") == "1"
    everything = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=""))
    assert sorted(os.listdir(everything)) == ["a.txt", "below", "deep", "dict", "dir", "text"]
    assert (everything / "below" / "dir" / "b.txt").read_text() == "1"
    one = Path(mlflow.artifacts.download_artifacts(artifact_uri=f"{uri}/dir", dst_path=str(folder / "down")))
    assert os.listdir(one) == ["b.txt"]
    assert [file.path for file in mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="dict")] == [
        "dict/a.json",
        "dict/a.yaml",
    ]


def media(client: MlflowClient) -> None:
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    image = np.arange(100 * 100 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 100, 3)
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "plots/figure.png")
        mlflow.log_image(image, "image.png")
        mlflow.log_image(image, key="dog", step=100, timestamp=100, synchronous=True)
    run_id, uri = run.info.run_id, run.info.artifact_uri
    assert np.array_equal(np.asarray(mlflow.artifacts.load_image(f"{uri}/image.png")), image)
    assert [one.path for one in client.list_artifacts(run_id, "plots")] == ["plots/figure.png"]
    for one in client.list_artifacts(run_id, "images"):
        assert "dog" in one.path
        assert Path(client.download_artifacts(run_id, one.path)).stat().st_size == one.file_size


def tables() -> None:
    with mlflow.start_run() as run:
        mlflow.log_table({"a": [1, 2], "b": ["x", "y"]}, "table.json")
        mlflow.log_table(pd.DataFrame({"a": [3], "b": ["z"]}), "table.json")
    loaded = mlflow.load_table("table.json", run_ids=[run.info.run_id])
    assert loaded["a"].tolist() == [1, 2, 3]
    assert loaded["b"].tolist() == ["x", "y", "z"]


def deletion(client: MlflowClient, folder: Path) -> None:
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder / "tree"))
    with mlflow.start_run() as other:
        mlflow.log_artifacts(str(folder / "tree"))
    repository = get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("a.txt")
    assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["dir"]
    repository.delete_artifacts("dir")
    assert client.list_artifacts(run.info.run_id) == []
    repository.delete_artifacts("dir")
    mlflow.MlflowClient().log_text(run.info.run_id, "again", "a.txt")
    # What `mlflow gc` does with a deleted run.
    repository.delete_artifacts()
    assert client.list_artifacts(run.info.run_id) == []
    repository.delete_artifacts()
    assert len(client.list_artifacts(other.info.run_id)) == 2


def large_file(folder: Path) -> None:
    """Also with the upload in parts switched on, which a local store has not: the client then sends it as usual."""
    content = os.urandom(LARGE)
    (folder / "large.bin").write_bytes(content)
    for switch in ("false", "true"):
        os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = switch
        os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "5242880"
        os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = "5242880"
        try:
            with mlflow.start_run() as run:
                mlflow.log_artifact(str(folder / "large.bin"), "models")
            down = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="models/large.bin")
        finally:
            for name in ("ENABLE_PROXY_MULTIPART_UPLOAD", "MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"):
                del os.environ[f"MLFLOW_{name}"]
            del os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"]
        assert Path(down).read_bytes() == content


def odd_names(client: MlflowClient, folder: Path) -> None:
    names = ["with space.txt", "été.txt", "🍃.txt", "a+b&c=d.txt", "no extension", "page.html", "100% done.txt"]
    (folder / "odd").mkdir()
    for name in names:
        (folder / "odd" / name).write_text(name)
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder / "odd"))
    assert sorted(one.path for one in client.list_artifacts(run.info.run_id)) == sorted(names)
    down = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=""))
    assert {path.name: path.read_text() for path in down.iterdir()} == {name: name for name in names}


if __name__ == "__main__":
    tell(sys.argv[1])
    print(f"mlflow {mlflow.__version__}: all told")
