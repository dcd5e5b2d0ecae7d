# slurm.py - a real Slurm of one machine for end-to-end tests: munged, slurmctld, some slurmd
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Every daemon is started in the foreground, on ports and in a folder of its own, and ended by its process."""
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import time

from harness import Skip, clean_environment

CONF = {
    "ClusterName": "loop",
    "SlurmctldHost": "{host}(127.0.0.1)",
    "SlurmctldPort": "{port}",
    "SlurmUser": "root",
    "SlurmdUser": "root",
    "AuthType": "auth/munge",
    "AuthInfo": "socket={place}/munge.sock",
    "CredType": "cred/munge",
    "StateSaveLocation": "{place}/state",
    "SlurmdSpoolDir": "{place}/spool.%n",
    "SlurmctldPidFile": "{place}/slurmctld.pid",
    "SlurmdPidFile": "{place}/slurmd.%n.pid",
    "SlurmctldLogFile": "{place}/slurmctld.log",
    "SlurmdLogFile": "{place}/slurmd.%n.log",
    "MpiDefault": "none",
    "ProctrackType": "proctrack/linuxproc",
    "TaskPlugin": "task/none",
    "SwitchType": "switch/none",
    "ReturnToService": "2",
    "SchedulerType": "sched/backfill",
    "SchedulerParameters": "batch_sched_delay=0,sched_min_interval=1000,sched_interval=2,bf_interval=1",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_Core",
    "SlurmdParameters": "config_overrides",
    "JobAcctGatherType": "jobacct_gather/none",
    "AccountingStorageType": "accounting_storage/none",
    "KillWait": "2",
}

# With accounting; the password of the connection to slurmdbd is the place of munge's socket.
CONF_ACCOUNTING = {
    "AccountingStorageType": "accounting_storage/slurmdbd",
    "AccountingStorageHost": "127.0.0.1",
    "AccountingStoragePort": "{dbd_port}",
    "AccountingStoragePass": "{place}/munge.sock",
    "JobAcctGatherType": "jobacct_gather/linux",
    "JobAcctGatherFrequency": "1",
}

# With our energy plug-in, beside those of the distribution.
CONF_ENERGY = {
    "PluginDir": "{modules}:{system_modules}",
    "AcctGatherEnergyType": "acct_gather_energy/energyscopium",
    "AcctGatherNodeFreq": "1",
    "JobAcctGatherType": "jobacct_gather/linux",
    "JobAcctGatherFrequency": "task=1,energy=1",
}

# cgroup v1 as it is mounted here: each node has a tree of its own, slurm_NODE
CONF_CGROUPS = {
    "ProctrackType": "proctrack/cgroup",
    "TaskPlugin": "task/cgroup",
    "JobAcctGatherType": "jobacct_gather/cgroup",
}
CGROUP_CONF = "CgroupAutomount=yes\nCgroupMountpoint=/sys/fs/cgroup\nCgroupPlugin=cgroup/v1\n"

CONF_DBD = """AuthType=auth/munge
AuthInfo=socket={place}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={db_port}
StorageUser=slurm
StoragePass=pw
StorageLoc=slurm_acct
LogFile={place}/slurmdbd.log
PidFile={place}/slurmdbd.pid
"""

SYSTEM_MODULES = ("/usr/lib/x86_64-linux-gnu/slurm-wlm", "/usr/lib/aarch64-linux-gnu/slurm-wlm", "/usr/lib64/slurm")


def free_ports(n):
    """Ports that nobody has, below those that the kernel hands out: no connection takes one before a daemon has it."""
    ports = []
    for port in random.sample(range(10000, 32000), 22000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == n:
            return ports
    raise Skip(f"no {n} ports are free here")


class Slurm:
    """
        with Slurm(place, n) as slurm: slurm.srun("-n4", …)

    Skips where it cannot be. accounting: slurmdbd on a MariaDB of its own, so that there is sacct. modules: the folder of our
    energy plug-in, which is then in use. conf: further settings; None takes one away. env_of(node): environment of its slurmd.
    plugstack: text of plugstack.conf. cgroups: jobs have them (v1), and nodes names that no other test has, for they are the machine's.
    """

    def __init__(self, place, n, accounting=False, modules=None, conf=None, env_of=None, plugstack="", cgroups=False):
        self.place, self.n, self.started, self.slurmd = os.path.join(place, "slurm"), n, [], {}
        self.prefix, self.cgroups, self.plugstack = f"e{os.getpid()}n" if cgroups else "n", cgroups, plugstack
        self.nodes = [f"{self.prefix}{i + 1}" for i in range(n)]
        self.accounting, self.modules, self.conf = accounting, modules, conf or {}
        self.env_of = env_of or (lambda node: {})
        self.env = clean_environment({"SLURM_CONF": os.path.join(self.place, "slurm.conf"),
                                      "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})

    def path(self, name):
        return os.path.join(self.place, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self, *args, **more):
        with open(os.path.join(self.place, os.path.basename(args[0]) + ".out"), "ab") as log:
            process = subprocess.Popen(args, env={**self.env, **more}, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True)
        self.started.append(process)
        return process

    def check_programs(self):
        if os.geteuid() != 0:
            raise Skip("starting Slurm's daemons needs root")
        wanted = ["munged", "slurmctld", "slurmd", "srun"]
        if self.accounting:
            wanted += ["slurmdbd", "mariadbd", "mariadb-install-db", "sacct", "sacctmgr"]
        for program in wanted:
            if not shutil.which(program, path=self.env["PATH"]):
                raise Skip(f"no {program} here")
        if self.cgroups and not os.path.isdir("/sys/fs/cgroup/freezer"):
            raise Skip("no cgroup v1 with a freezer here, which this test's Slurm is told to use")

    def write_conf(self):
        ports = free_ports(self.n + 3)
        values = {"host": socket.gethostname().split(".")[0], "place": self.place, "port": ports[0], "dbd_port": ports[1],
                  "db_port": ports[2], "modules": self.modules,
                  "system_modules": next((m for m in SYSTEM_MODULES if os.path.isdir(m)), "")}
        settings = {**CONF, **(CONF_CGROUPS if self.cgroups else {}), **(CONF_ACCOUNTING if self.accounting else {}), **(CONF_ENERGY if self.modules else {}), **self.conf}
        lines = [f"{key}={value}" for key, value in settings.items() if value is not None]
        lines += ["NodeName={node} NodeHostname={{host}} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=100 "
                  "State=UNKNOWN".format(node=node, port=port) for node, port in zip(self.nodes, ports[3:])]
        lines += [f"PlugStackConfig={self.place}/plugstack.conf"]
        lines += [f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES MaxTime=INFINITE State=UP"]
        with open(self.env["SLURM_CONF"], "w", encoding="utf-8") as file:
            file.write("\n".join(lines).format(**values) + "\n")
        with open(self.path("plugstack.conf"), "w", encoding="utf-8") as file:
            file.write(self.plugstack + "\n")
        with open(self.path("cgroup.conf"), "w", encoding="utf-8") as file:
            file.write(CGROUP_CONF if self.cgroups else "")
        if self.accounting:
            with open(self.path("slurmdbd.conf"), "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(CONF_DBD.format(**values))
        self.db_port = values["db_port"]

    def start_munge(self):
        key = os.path.join(self.place, "munge.key")
        with open(key, "wb") as file:
            file.write(os.urandom(1024))
        os.chmod(key, 0o600)
        self.start("munged", "--foreground", "--force", f"--socket={self.place}/munge.sock", f"--key-file={key}",
                   f"--pid-file={self.place}/munge.pid", f"--seed-file={self.place}/munge.seed",
                   f"--log-file={self.place}/munge.log")
        self.wait_to_start(lambda: os.path.exists(f"{self.place}/munge.sock"), "munged")

    def quietly(self, *args, stdin=None):
        return subprocess.run(args, env=self.env, text=True, capture_output=True, timeout=60, check=False, input=stdin)

    def start_database(self):
        os.makedirs(self.path("db"))
        shutil.chown(self.path("db"), "mysql")
        made = self.quietly("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={self.place}/db/data",
                            "--auth-root-authentication-method=normal", "--skip-test-db")
        if made.returncode != 0:
            raise Skip(f"no database could be made here: {made.stderr[-200:]}")
        self.start("mariadbd", "--no-defaults", "--user=mysql", f"--datadir={self.place}/db/data", f"--socket={self.place}/db/sock",
                   "--bind-address=127.0.0.1", f"--port={self.db_port}", f"--pid-file={self.place}/db/pid",
                   "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0",
                   "--innodb-lock-wait-timeout=900")
        client = ["mariadb", "--no-defaults", "-S", self.path("db/sock")]
        self.wait_to_start(lambda: self.quietly(*client, "-e", "select 1").returncode == 0, "mariadbd")
        self.quietly(*client, stdin="create user slurm@'127.0.0.1' identified by 'pw'; create user slurm@localhost identified by 'pw';"
                     "create database slurm_acct; grant all on slurm_acct.* to slurm@'127.0.0.1';"
                     "grant all on slurm_acct.* to slurm@localhost;")
        self.start("slurmdbd", "-D")
        self.wait_to_start(lambda: self.quietly("sacctmgr", "-n", "list", "cluster").returncode == 0, "slurmdbd")
        self.quietly("sacctmgr", "-i", "add", "cluster", "loop")

    def start_node(self, node):
        os.makedirs(os.path.join(self.place, "spool." + node), exist_ok=True)
        self.slurmd[node] = self.start("slurmd", "-D", "-N", node, SLURMD_NODENAME=node, **self.env_of(node))
        return self.slurmd[node]

    def __enter__(self):
        self.check_programs()
        os.makedirs(os.path.join(self.place, "state"), mode=0o755)
        os.chmod(os.path.dirname(self.place), 0o755)
        self.write_conf()
        try:
            self.start_munge()
            if self.accounting:
                self.start_database()
            self.start("slurmctld", "-D")
            for node in self.nodes:
                self.start_node(node)
            # From here on our plug-ins are in it: that it does not come up is no reason to skip.
            self.wait_for(self.is_idle, "the nodes")
        except BaseException:
            self.stop()
            raise
        return self

    def is_idle(self):
        told = subprocess.run(["sinfo", "-h", "-t", "idle", "-o", "%D"], env=self.env, text=True, capture_output=True,
                              timeout=20, check=False)
        return told.stdout.strip() == str(self.n)

    def wait_for(self, is_there, what, error=AssertionError):
        end = time.monotonic() + 60
        while not is_there():
            if time.monotonic() > end:
                raise error(f"{what} did not come")
            time.sleep(0.05)

    def wait_to_start(self, is_there, what):
        """What is not our product may be unable to run here; later on nothing is skipped any more."""
        self.wait_for(is_there, what, Skip)

    def call(self, *args, user=None, cwd=None, env=None, timeout=60):
        """A command of Slurm's, as root or as another user."""
        who = {}
        if user:
            known = pwd.getpwnam(user)
            who = {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": [known.pw_gid]}
        return subprocess.run(args, env={**self.env, **(env or {})}, text=True, capture_output=True, timeout=timeout, cwd=cwd,
                              check=False, **who)

    def srun(self, *args, **how):
        return self.call("srun", *args, **how)

    def sbatch(self, *args, **how):
        """The id of a batch job."""
        done = self.call("sbatch", "--parsable", *args, **how)
        if done.returncode != 0:
            raise AssertionError(f"sbatch: {done.stderr}")
        return done.stdout.strip().split(";")[0]

    def job(self, job):
        """What slurmctld says of a job; {}: it does not know it (any more)."""
        told = self.call("scontrol", "-o", "show", "job", str(job))
        return dict(word.split("=", 1) for word in told.stdout.split() if "=" in word) if told.returncode == 0 else {}

    def wait_for_job(self, job, *states):
        """It is over, on all its nodes, in one of these states."""
        end = time.monotonic() + 90  # slurmctld looks at time limits every 30 s
        while True:
            known = self.job(job)
            queued = self.call("squeue", "-h", "-j", str(job), "-o", "%T").stdout.strip()
            if known.get("JobState") in states and queued != "COMPLETING":
                return known
            if time.monotonic() > end:
                raise AssertionError(f"job {job} is {known.get('JobState')}, not {states}: {known}")
            time.sleep(0.05)

    def sacct(self, job, *fields, has=lambda rows: True):
        """Rows of a job and its steps as dictionaries, once it is over there, and has(rows): slurmdbd learns of things one by one."""
        wanted = ["JobID", "State", "End", *fields]
        end = time.monotonic() + 20
        while True:
            told = self.quietly("sacct", "-n", "-P", "-j", str(job), "-o", ",".join(wanted))
            rows = [dict(zip(wanted, line.split("|"))) for line in told.stdout.splitlines()]
            if rows and all(row["End"] not in ("Unknown", "") for row in rows) and has(rows):
                return rows
            if time.monotonic() > end:
                raise AssertionError(f"job {job} does not end in sacct: {told.stdout} {told.stderr}")
            time.sleep(0.1)

    def watts(self, node):
        """CurrentWatts of a node; None: not known."""
        told = re.search(r"CurrentWatts=(\S+)", self.call("scontrol", "show", "node", node).stdout)
        return int(told[1]) if told and told[1].isdigit() else None

    def wait_for_watts(self, node):
        self.wait_for(lambda: self.watts(node) is not None, f"power of {node}")
        return self.watts(node)

    def steps(self):
        """(process, open files) of Slurm's shepherds of jobs, which have left slurmd's session."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if "slurmstepd" not in os.readlink(f"/proc/{pid}/exe"):
                    continue
                files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                continue
            if any(file.startswith(self.place + "/") for file in files):
                yield int(pid), files

    def of_jobs(self):
        """Processes that jobs started, and left running."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if f"SLURM_CONF={self.env['SLURM_CONF']}".encode() in words and int(pid) != os.getpid():
                yield int(pid)

    def kill_node(self, node):
        """As when its power fails, but that its processes are the machine's."""
        for pid, files in list(self.steps()):
            if any(file.endswith(f"/slurmd.{node}.log") for file in files):
                kill(pid)
        os.killpg(self.slurmd[node].pid, signal.SIGKILL)
        self.slurmd[node].wait()

    def stop(self):
        for process in reversed(self.started):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        for pid in [*(pid for pid, _ in self.steps()), *self.of_jobs()]:
            kill(pid)
        if self.cgroups:
            self.remove_cgroups()

    def remove_cgroups(self):
        """What is left of this Slurm's nodes in the machine's tree."""
        end = time.monotonic() + 5
        is_left = True
        while is_left and time.monotonic() < end:
            is_left = False
            for controller in os.listdir("/sys/fs/cgroup"):
                for node in self.nodes:
                    for folder, _, _ in os.walk(f"/sys/fs/cgroup/{controller}/slurm_{node}", topdown=False):
                        is_left |= not remove_cgroup(folder)
            time.sleep(0.05 if is_left else 0)

    def __exit__(self, *_):
        self.stop()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def remove_cgroup(folder):
    try:
        with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
            for pid in file.read().split():
                kill(int(pid))
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
