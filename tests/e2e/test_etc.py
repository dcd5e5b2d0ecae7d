#!/usr/bin/env python3
# test_etc.py - what etc/ installs is taken by those that read it: systemd, sysusers, tmpfiles, udev, the daemon itself
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys

import harness
from harness import Skip, equal, expect

ROOT = harness.SOURCE_ROOT
ETC = os.path.join(ROOT, "etc")
DAEMON = os.path.join(os.path.dirname(harness.PROGRAM), "energyscopiumd")
VALUES = {"sbindir": "/usr/sbin", "sysconfdir": "/etc", "datadir": "/usr/share"}


def need(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise Skip(f"no {program} here")
    return path


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def text_of(name):
    """A file of etc/, as 'meson install --prefix=/usr' would leave it."""
    with open(os.path.join(ETC, name), encoding="utf-8") as file:
        return re.sub(r"@(\w+)@", lambda m: VALUES[m.group(1)], file.read())


def put(path, text="", mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def run(*args, **kwargs):
    return subprocess.run(args, text=True, capture_output=True, timeout=60, check=False, **kwargs)


def text_of_unit():
    """The unit, with a program that exists here."""
    return text_of("energyscopiumd.service.in").replace("/usr/sbin/energyscopiumd", "/bin/true")


def test_unit_verify(place):
    """systemd finds nothing wrong with the unit."""
    analyze = need("systemd-analyze")
    path = put(os.path.join(place, "energyscopiumd.service"), text_of_unit())
    done = run(analyze, "verify", "--man=no", path)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "energyscopiumd" in line]
    equal(ours, [], "systemd-analyze verify")
    bad = put(os.path.join(place, "bad/energyscopiumd.service"),
              text_of_unit().replace("ProtectHome=yes", "ProtectHome=perhaps"))
    done = run(analyze, "verify", "--man=no", bad)
    expect("energyscopiumd.service" in done.stdout + done.stderr, "a wrong value is seen by verify at all")


def test_unit_security(place):
    """The unit's exposure is rated low by systemd, and its capabilities are two."""
    analyze = need("systemd-analyze")
    path = put(os.path.join(place, "energyscopiumd.service"), text_of_unit())
    done = run(analyze, "security", "--offline=true", "--no-pager", path)
    rating = re.search(r"Overall exposure level for energyscopiumd.service: ([\d.]+)", done.stdout)
    if not rating:
        raise Skip(f"systemd-analyze says no rating: {done.stderr.strip()[:200]}")
    expect(float(rating.group(1)) < 3.0, f"exposure {rating.group(1)}\n{done.stdout}")
    for key in ("CapabilityBoundingSet", "AmbientCapabilities"):
        equal(re.findall(rf"^{key}=(.*)$", text_of_unit(), re.M), ["CAP_DAC_READ_SEARCH CAP_PERFMON"], key)
    for line in ("User=energyscopium", "NoNewPrivileges=yes", "ProtectSystem=strict", "Type=notify"):
        expect(line in text_of_unit().splitlines(), f"the unit has {line}")


def make_root(place):
    root = os.path.join(place, "root")
    put(os.path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")
    put(os.path.join(root, "etc/group"), "root:x:0:\n")
    put(os.path.join(root, "etc/shadow"), "root:*:19000::::::\n", 0o600)
    put(os.path.join(root, "etc/gshadow"), "root:*::\n", 0o600)
    put(os.path.join(root, "usr/lib/sysusers.d/energyscopium.conf"), text_of("sysusers.conf"))
    put(os.path.join(root, "usr/lib/tmpfiles.d/energyscopium.conf"), text_of("tmpfiles.conf.in"))
    put(os.path.join(root, "usr/share/energyscopium/energyscopiumd.yaml"), text_of("energyscopiumd.yaml"))
    return root


def test_sysusers(place):
    """systemd-sysusers makes the daemon's user and group."""
    need_root()
    sysusers = need("systemd-sysusers")
    root = make_root(place)
    done = run(sysusers, f"--root={root}")
    equal(done.returncode, 0, done.stderr)
    with open(os.path.join(root, "etc/passwd"), encoding="utf-8") as file:
        expect(re.search(r"^energyscopium:x:\d+:\d+:EnergyScopium daemon:/var/lib/energyscopium:\S*/nologin$",
                         file.read(), re.M), "user")
    with open(os.path.join(root, "etc/group"), encoding="utf-8") as file:
        expect(re.search(r"^energyscopium:x:\d+:$", file.read(), re.M), "group")


def test_tmpfiles(place):
    """systemd-tmpfiles opens the counters to the group alone, and never replaces a site's configuration."""
    need_root()
    sysusers, tmpfiles = need("systemd-sysusers"), need("systemd-tmpfiles")
    root = make_root(place)
    equal(run(sysusers, f"--root={root}").returncode, 0, "sysusers")
    zones = ["intel-rapl/intel-rapl:0", "intel-rapl/intel-rapl:0/intel-rapl:0:0", "intel-rapl/intel-rapl:a",
             "intel-rapl-mmio/intel-rapl-mmio:0"]
    paths = [put(os.path.join(root, "sys/devices/virtual/powercap", zone, "energy_uj"), "1\n", 0o400) for zone in zones]
    other = put(os.path.join(root, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/max_energy_range_uj"), "9\n", 0o444)
    done = run(tmpfiles, f"--root={root}", "--create", "energyscopium.conf")
    equal(done.returncode, 0, done.stderr)
    with open(os.path.join(root, "etc/group"), encoding="utf-8") as file:
        gid = int(re.search(r"^energyscopium:x:(\d+):", file.read(), re.M).group(1))
    for path in paths:
        st = os.stat(path)
        equal((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o440, 0, gid), path)
    equal(stat.S_IMODE(os.stat(other).st_mode), 0o444, "what is no counter")
    st = os.stat(os.path.join(root, "var/lib/energyscopium"))
    equal((stat.S_IMODE(st.st_mode), st.st_gid), (0o750, gid), "state")
    config = os.path.join(root, "etc/energyscopium/energyscopiumd.yaml")
    with open(config, encoding="utf-8") as file:
        equal(file.read(), text_of("energyscopiumd.yaml"), "the example is taken into use")
    put(config, "serve: everybody\n")
    equal(run(tmpfiles, f"--root={root}", "--create", "energyscopium.conf").returncode, 0, "again")
    with open(config, encoding="utf-8") as file:
        equal(file.read(), "serve: everybody\n", "a site's own stays")


def test_udev_rules(place):
    """udev reads the rules without a complaint, and runs their commands for a zone of powercap."""
    udevadm = need("udevadm")
    rules = os.path.join(ETC, "60-energyscopium.rules")
    done = run(udevadm, "verify", "--resolve-names=never", rules)
    if done.returncode == 0:
        return
    if "Unknown command" not in done.stderr and "verify" not in done.stderr:
        raise AssertionError(f"udevadm verify: {done.stdout}{done.stderr}")
    # Before systemd 254: what 'test' complains of while it reads all rules, ours in a namespace of our own
    need_root()
    need("unshare")
    for text, is_wrong in ((text_of("60-energyscopium.rules"), False), ('SUBSYSTEM=="powercap", KERNEL=\n', True)):
        folder = os.path.join(place, "wrong" if is_wrong else "right")
        put(os.path.join(folder, "60-energyscopium.rules"), text)
        done = run("unshare", "-m", "sh", "-c",
                   f"mkdir -p /run/udev/rules.d && mount --bind '{folder}' /run/udev/rules.d && "
                   f"exec '{udevadm}' test /sys/devices/virtual/mem/null")
        said = [line for line in (done.stdout + done.stderr).splitlines() if "60-energyscopium.rules:" in line]
        if not is_wrong and "60-energyscopium.rules" not in done.stdout + done.stderr:
            raise Skip(f"udevadm test reads no rules here: {done.stderr.strip()[-200:]}")
        equal(bool(said), is_wrong, f"{said}")


def yaml_files():
    yield from sorted(glob.glob(os.path.join(ETC, "*.yaml")))


def daemon():
    if not os.access(DAEMON, os.X_OK):
        raise Skip("energyscopiumd is not built")
    return DAEMON


def test_yaml(place):
    """The daemon takes each example of a configuration, also with all its suggestions in force."""
    program = daemon()
    for path in yaml_files():
        done = run(program, "--config", path, "--check-config")
        equal(done.returncode, 0, f"{path}: {done.stdout}{done.stderr}")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"^#(\w+:|  - )", r"\1", file.read(), flags=re.M)
        done = run(program, "--config", put(os.path.join(place, "all.yaml"), text), "--check-config")
        equal(done.returncode, 0, f"{path} without its #: {done.stdout}{done.stderr}")


def test_yaml_keys(place):
    """Each key that an example shows is one that the manual knows."""
    page = os.path.join(ROOT, "doc/man/energyscopiumd.yaml.5")
    if not os.path.exists(page):
        raise Skip("no manual")
    with open(page, encoding="utf-8") as file:
        keys = set(re.findall(r"^\.It Ic (\S+)", file.read(), re.M))
    for path in yaml_files():
        with open(path, encoding="utf-8") as file:
            used = set(re.findall(r"^#?([a-z_]+):", file.read(), re.M))
        equal(used - keys, set(), f"keys of {path} that the manual does not know")


def documents(text):
    """The documents of a manifest, by what PyYAML makes of them."""
    try:
        import yaml  # pylint: disable=import-outside-toplevel
    except ImportError as why:
        raise Skip("no PyYAML here") from why
    return [document for document in yaml.safe_load_all(text) if document]


def test_kubernetes(place):
    """The DaemonSet's manifest fits together, and the daemon takes its configuration."""
    by_kind = {document["kind"]: document for document in documents(text_of("kubernetes/daemonset.yaml"))}
    pod = by_kind["DaemonSet"]["spec"]["template"]
    equal(pod["metadata"]["labels"], by_kind["DaemonSet"]["spec"]["selector"]["matchLabels"], "selector")
    container = pod["spec"]["containers"][0]
    equal({mount["name"] for mount in container["volumeMounts"]}, {volume["name"] for volume in pod["spec"]["volumes"]},
          "volumes")
    equal(container["securityContext"]["capabilities"], {"drop": ["ALL"], "add": ["DAC_READ_SEARCH", "PERFMON"]}, "rights")
    config = put(os.path.join(place, "energyscopiumd.yaml"), by_kind["ConfigMap"]["data"]["energyscopiumd.yaml"])
    done = run(daemon(), "--config", config, "--check-config")
    equal(done.returncode, 0, done.stdout + done.stderr)
    options = set(re.findall(r"--[a-z-]+", run(daemon(), "--help").stdout))
    equal({word for word in container["command"] if word.startswith("--")} - options, set(), "options that there are not")


def installed():
    """Where 'meson install' would put each file of the source or the build, as a plan of the build."""
    build = os.path.dirname(os.path.dirname(harness.PROGRAM))
    done = run(need("meson"), "introspect", "--installed", build)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def test_install(place):
    """'meson install' puts each file where systemd, udev and people look."""
    daemon()
    plan = installed()
    for name in ("lib/systemd/system/energyscopiumd.service", "lib/sysusers.d/energyscopium.conf",
                 "lib/tmpfiles.d/energyscopium.conf", "lib/udev/rules.d/60-energyscopium.rules",
                 "share/energyscopium/energyscopiumd.yaml"):
        expect(any(path.endswith("/" + name) for path in plan.values()), f"{name} is installed")
    unit = next(path for path in plan if path.endswith("/energyscopiumd.service"))
    with open(unit, encoding="utf-8") as file:
        program = re.search(r"^ExecStart=(\S+)", file.read(), re.M).group(1)
    expect(program in plan.values(), f"the unit starts '{program}', which is not installed")


def test_install_plugins(place):
    """The plug-ins for Slurm are installed where manual and tutorial tell PluginDir to look."""
    plan = installed()
    prefix = next((path[:-len("/bin/energyscopium")] for path in plan.values() if path.endswith("/bin/energyscopium")), None)
    folders = {os.path.dirname(path) for path in plan.values() if path.endswith("energyscopium-spank.so")}
    if not folders:
        raise Skip("the plug-in for Slurm was not built here (its headers)")
    equal(folders, {f"{prefix}/lib/energyscopium/slurm"}, "folder")
    for page in ("man/energyscopium-slurm.7", "tutorial/administrators.md"):
        with open(os.path.join(ROOT, "doc", page), encoding="utf-8") as file:
            expect("PluginDir=/usr/lib/energyscopium/slurm:" in file.read(), page)


def test_install_documents(place):
    """Each manual page and document is installed."""
    plan = {os.path.basename(path) for path in installed()}
    documents_here = {os.path.basename(path) for folder in ("man/*.[1-9]", "*.md", "tutorial/*.md")
                      for path in glob.glob(os.path.join(ROOT, "doc", folder))}
    expect(documents_here, "documents are found")
    equal(sorted(documents_here - plan), [], "not installed")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
