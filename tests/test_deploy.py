"""The files of deploy/ that start a training: their fields are known, and the commands that they build train here.

No cluster is asked. Each command is started twice on this machine, as two machines of the engine would start it, with
the variables that the engine sets and a tiny model.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from glowlite.training import config as runs
from tests.glowlite.training.world import free_port, train_in

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SETTINGS = "--preset tiny --batch 4 --init-batch 8 --validation-count 4 --accelerator cpu --checkpoint-minutes 0"
# of sbatch's manual page
SBATCH = {
    *("job-name", "nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task", "time", "signal", "requeue"),
    *("open-mode", "output", "partition", "account", "mem"),
}
# of SkyPilot's YAML reference
SKY = {"name", "num_nodes", "workdir", "resources", "envs", "secrets", "file_mounts", "volumes", "setup", "run"}
# of the TrainJob's definition (trainer.kubeflow.org/v1alpha1): names, and what stands below them
TRAINER = {"image", "command", "args", "env", "numNodes", "resourcesPerNode", "numProcPerNode"}
POD = {
    *("serviceAccountName", "volumes", "initContainers", "containers", "imagePullSecrets", "securityContext"),
    *("nodeSelector", "affinity", "tolerations", "schedulingGates"),
}


def job() -> dict:
    return yaml.safe_load((DEPLOY / "trainjob.yaml").read_text())


def test_slurms_options_exist_and_the_script_is_one():
    text = (DEPLOY / "train.sbatch").read_text()
    named = dict(re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", text, re.MULTILINE))
    assert set(named) <= SBATCH and len(named) > 5
    assert named["ntasks-per-node"] == "1", "one torchrun on each machine"
    seconds = int(named["signal"].partition("@")[2])
    assert seconds > int(re.search(r"--shutdown-timeout (\d+)", text).group(1)) > 30, "there is time to save"
    assert text.startswith("#!/bin/bash\n")
    assert subprocess.run(["bash", "-n", DEPLOY / "train.sbatch"]).returncode == 0


def test_the_fields_of_the_train_job_exist():
    found = job()
    assert (found["apiVersion"], found["kind"]) == ("trainer.kubeflow.org/v1alpha1", "TrainJob")
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", found["metadata"]["name"])
    spec = found["spec"]
    assert set(spec) <= {"runtimeRef", "initializer", "trainer", "runtimePatches", "suspend", "activeDeadlineSeconds"}
    assert set(spec["runtimeRef"]) <= {"name", "apiGroup", "kind"} and set(spec["trainer"]) <= TRAINER
    assert isinstance(spec["trainer"]["numNodes"], int) and isinstance(spec["trainer"]["numProcPerNode"], int)
    assert int(spec["trainer"]["resourcesPerNode"]["limits"]["nvidia.com/gpu"]) == spec["trainer"]["numProcPerNode"]
    (patch,) = spec["runtimePatches"]
    assert set(patch) == {"manager", "trainingRuntimeSpec"}
    (node,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = node["template"]["spec"]["template"]["spec"]
    assert node["name"] == "node" and set(pod) <= POD
    (container,) = pod["containers"]
    assert container["name"] == "node" and set(container) <= {"name", "env", "volumeMounts", "securityContext"}
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    (place,) = container["volumeMounts"]
    out = next(each["value"] for each in spec["trainer"]["env"] if each["name"] == "RUN")
    assert out.startswith(place["mountPath"] + "/")


def test_the_fields_of_skypilot_exist():
    found = yaml.safe_load((DEPLOY / "train.sky.yaml").read_text())
    assert set(found) <= SKY and all(isinstance(value, str) for value in found["envs"].values())
    (place,) = found["file_mounts"]
    assert found["envs"]["RUN"].startswith(place + "/")
    assert found["file_mounts"][place]["mode"] in ("MOUNT", "COPY", "MOUNT_CACHED")
    assert "-c constraints.txt" in found["setup"]
    assert subprocess.run(["bash", "-n", "-c", found["run"]]).returncode == 0


def tool(folder: Path, name: str, text: str) -> None:
    """A program that stands in for one of Slurm's."""
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


def by_slurm(folder: Path, number: int, port: int) -> tuple[list[str], dict]:
    """The script, with programs that do as Slurm's: srun starts its command, as machine `number` here."""
    tool(folder, "scontrol", 'test "$*" = "show hostnames machines" && echo 127.0.0.1 && echo other')
    tool(folder, "srun", 'while [[ $1 == -* ]]; do shift; done; exec "$@"')
    job = {"SLURM_JOB_NODELIST": "machines", "SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS": "2", "SLURM_JOB_ID": "7"}
    task = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": str(number), "SLURM_LOCALID": "0", "SLURM_GPUS_ON_NODE": "1"}
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    more = {"SLURM_NODEID": str(number), "PORT": str(port), "PATH": path}
    return ["bash", str(DEPLOY / "train.sbatch")], job | task | more


def by_kubernetes(folder: Path, number: int, port: int) -> tuple[list[str], dict]:
    """The container's command, with the variables that Kubeflow Trainer sets."""
    trainer = job()["spec"]["trainer"]
    machines = {"PET_NNODES": "2", "PET_NPROC_PER_NODE": "1", "PET_NODE_RANK": str(number)}
    return trainer["command"] + trainer["args"], machines | {
        "PET_MASTER_ADDR": "127.0.0.1",
        "PET_MASTER_PORT": str(port),
    }


def by_skypilot(folder: Path, number: int, port: int) -> tuple[list[str], dict]:
    """The task's command, with the variables that SkyPilot sets."""
    command = yaml.safe_load((DEPLOY / "train.sky.yaml").read_text())["run"]
    variables = {
        "NUM_NODES": "2",
        "NODE_RANK": str(number),
        "NUM_GPUS_PER_NODE": "1",
        "NODE_IPS": "127.0.0.1\n10.0.0.2",
    }
    return ["bash", "-c", command], {f"SKYPILOT_{name}": value for name, value in variables.items()} | {
        "PORT": str(port)
    }


def said(folder: Path) -> str:
    return "".join((folder / f"{number}.txt").read_text() for number in (0, 1))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the files are for machines with a shell of Unix")
@pytest.mark.parametrize("engine", [by_slurm, by_kubernetes, by_skypilot])
def test_the_command_of_each_engine_goes_on_with_a_training(engine, tmp_path):
    out, port, processes = tmp_path / "run", free_port(), []
    train_in(tmp_path, 1, "--out", out, *SETTINGS.split(), "--images", "8")
    for number in (0, 1):
        command, variables = engine(tmp_path, number, port)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        environment |= {"RUN": str(out), "SETTINGS": f"{SETTINGS} --images 16"}
        with (tmp_path / f"{number}.txt").open("w") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path, env=environment))
    try:
        limit = time.monotonic() + 200
        while None in (codes := [process.poll() for process in processes]) and not any(codes):
            assert time.monotonic() < limit, said(tmp_path)
            time.sleep(0.1)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert codes == [0, 0], said(tmp_path)
    assert runs.read_run(out)[1]["images"] == 16
    assert "16 images in" in (tmp_path / "0.txt").read_text()
