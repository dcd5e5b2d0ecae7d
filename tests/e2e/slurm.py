# slurm.py - a real Slurm of one machine for end-to-end tests: munged, slurmctld, some slurmd
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Every daemon is started in the foreground, on ports and in a folder of its own, and ended by its process."""
import os
import shutil
import signal
import socket
import subprocess
import time

from harness import Skip, clean_environment

CONF = """ClusterName=loop
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.sock
CredType=cred/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool.%n
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.%n.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.%n.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=2
{nodes}
PartitionName=main Nodes=n[1-{n}] Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(n):
    """Ports that nobody had a moment ago."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Slurm:
    """with Slurm(place, n) as slurm: slurm.srun("-n4", …); skips where it cannot be."""

    def __init__(self, place, n):
        self.place, self.n, self.started = os.path.join(place, "slurm"), n, []
        self.env = clean_environment({"SLURM_CONF": os.path.join(self.place, "slurm.conf"),
                                      "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})

    def start(self, *args, **more):
        with open(os.path.join(self.place, os.path.basename(args[0]) + ".out"), "ab") as log:
            self.started.append(subprocess.Popen(args, env={**self.env, **more}, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, start_new_session=True))

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("starting Slurm's daemons needs root")
        for program in ("munged", "slurmctld", "slurmd", "srun"):
            if not shutil.which(program, path=self.env["PATH"]):
                raise Skip(f"no {program} here")
        os.makedirs(os.path.join(self.place, "state"), mode=0o755)
        os.chmod(os.path.dirname(self.place), 0o755)
        ports = free_ports(self.n + 1)
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(f"NodeName=n{i + 1} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[i + 1]} CPUs=4 "
                          "RealMemory=100 State=UNKNOWN" for i in range(self.n))
        with open(self.env["SLURM_CONF"], "w") as file:
            file.write(CONF.format(host=host, place=self.place, port=ports[0], nodes=nodes, n=self.n))
        key = os.path.join(self.place, "munge.key")
        with open(key, "wb") as file:
            file.write(os.urandom(1024))
        os.chmod(key, 0o600)
        try:
            self.start("munged", "--foreground", "--force", f"--socket={self.place}/munge.sock", f"--key-file={key}",
                       f"--pid-file={self.place}/munge.pid", f"--seed-file={self.place}/munge.seed",
                       f"--log-file={self.place}/munge.log")
            self.wait_for(lambda: os.path.exists(f"{self.place}/munge.sock"), "munged")
            self.start("slurmctld", "-D")
            for i in range(self.n):
                name = f"n{i + 1}"
                os.makedirs(os.path.join(self.place, "spool." + name))
                self.start("slurmd", "-D", "-N", name, SLURMD_NODENAME=name)
            self.wait_for(self.is_idle, "slurmd")
        except BaseException:
            self.stop()
            raise
        return self

    def is_idle(self):
        told = subprocess.run(["sinfo", "-h", "-t", "idle", "-o", "%D"], env=self.env, text=True, capture_output=True,
                              timeout=20, check=False)
        return told.stdout.strip() == str(self.n)

    def wait_for(self, is_there, what):
        end = time.monotonic() + 30
        while not is_there():
            if time.monotonic() > end:
                raise Skip(f"{what} did not come up here")
            time.sleep(0.05)

    def srun(self, *args, cwd=None):
        return subprocess.run(["srun", *args], env=self.env, text=True, capture_output=True, timeout=60, cwd=cwd,
                              check=False)

    def stop(self):
        for process in reversed(self.started):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def __exit__(self, *_):
        self.stop()
