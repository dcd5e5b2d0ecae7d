/*
 * local.h - what is said to the daemon of this node, and its bytes
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Packets have the header of ipc/message.h (magic, version, type, length, number); the messages of that file are understood by the daemon
 * too (tags, release, take), these here have bodies of their own, by wire/pack.h. Fields are only ever added at the end: who does not know
 * them passes over them, who misses them takes zero. Answers repeat the number; a list is as many packets, then ES_LOCAL_LAST: what
 * does not fit the socket's buffer follows when the client has read. A refusal or failure is an ES_IPC_ANSWER with a verdict and words.
 * Questions may be sent before earlier ones are answered; they are answered in turn, but for SWEEP and RELEASE, which take time.
 */
#ifndef ES_WIRE_LOCAL_H
#define ES_WIRE_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define ES_LOCAL_SOCKET "/run/energyscopium/socket" /* the one path to bind-mount into containers */

/* Numbers are spoken between programs of different versions: add, never renumber. */
enum es_local_type {
	ES_LOCAL_HELLO = 16, /* text: who asks. Answer: WELCOME */
	ES_LOCAL_DOMAINS =
		17, /* those that this client may see, in the order of its page. Answer: DOMAIN…, LAST */
	ES_LOCAL_WATCH =
		18, /* i64: period wanted, ns. Answer: PAGE with a descriptor; again: another period, no descriptor */
	ES_LOCAL_SWEEP =
		19, /* read the meters now. Answer: ES_IPC_ANSWER when the page has them (time: boot clock of the sweep), at once where there was one less than the client's least period ago */
	ES_LOCAL_JOB_BEGIN =
		20, /* struct es_local_job; the same again adds what was not known. Answer: ES_IPC_ANSWER */
	ES_LOCAL_JOB_END =
		21, /* struct es_local_end. Answer: ES_IPC_ANSWER at once; files follow (PENDING in JOB_STATUS) */
	ES_LOCAL_JOB_STATUS = 22, /* text: id, "" the peer's own; u32 flags. Answer: JOB */
	ES_LOCAL_JOBS = 23, /* all that the client may see. Answer: JOB…, LAST */
	ES_LOCAL_JOB_OPEN =
		24, /* text: id; u32 which of its recordings, newest first. Answer: FILE with a descriptor, read-only */
	ES_LOCAL_STATE = 25, /* how the daemon is. Answer: STATE_IS */
	ES_LOCAL_JOB_TOTAL =
		26, /* text: id; all nodes of a job, from the shared directory. Answer: JOB… one for each node heard from, LAST */

	ES_LOCAL_WELCOME = 144, /* struct es_local_welcome */
	ES_LOCAL_DOMAIN = 145, /* struct es_local_domain */
	ES_LOCAL_LAST = 146, /* u32: how many came before */
	ES_LOCAL_PAGE = 147, /* struct es_local_page, and a descriptor the first time */
	ES_LOCAL_JOB = 148, /* struct es_local_job_is */
	ES_LOCAL_FILE = 149, /* text: name; and a descriptor */
	ES_LOCAL_STATE_IS = 150, /* text: JSON, "schema": "energyscopium.daemon/1" */
};

#define ES_LOCAL_ID_MAX_BYTES 64U /* of a job or step: letters, digits and ._+-:[] */
#define ES_LOCAL_LIST_MAX_BYTES 1024U /* lists of CPUs, of GPUs */
#define ES_LOCAL_NODES_MAX_BYTES 2048U /* a list of nodes, as the scheduler writes it */

enum es_local_flag {
	ES_LOCAL_EXCLUSIVE = 1U << 0, /* nobody else has a job on this node */
	ES_LOCAL_SHARED = 1U << 1, /* others may; neither: found out from CPUs and cgroups */
	ES_LOCAL_OFF = 1U << 2, /* the user wants no line */
	ES_LOCAL_REPAIRED = 1U
			    << 3, /* found by its cgroup: its begin, or its end, was never told */
	ES_LOCAL_RESTARTED = 1U << 4, /* a requeued job: not the first time */
	ES_LOCAL_ENDED = 1U << 5,
	ES_LOCAL_PENDING = 1U << 6, /* ended, and its files are still being written */
	ES_LOCAL_OF_USER = 1U << 7, /* only its user says that there is such a job, not root */
};

/** struct es_local_job - a job or step on this node, as somebody who should know says; "" and 0: not known */
struct es_local_job {
	char id[ES_LOCAL_ID_MAX_BYTES];
	char step[ES_LOCAL_ID_MAX_BYTES]; /* "": the job itself */
	char scheduler
		[16]; /* slurm, oar, pbs, lsf, flux, kubernetes, docker, podman, apptainer, script */
	uint32_t uid;
	bool has_uid;
	uint32_t flags; /* enum es_local_flag */
	uint32_t n_cpus; /* hardware threads allocated on this node */
	char cpus[ES_LOCAL_LIST_MAX_BYTES]; /* which, as the kernel writes lists: 0-3,8 */
	bool has_gpus; /* else nobody said, and a GPU's owner is found otherwise */
	char gpus[ES_LOCAL_LIST_MAX_BYTES]; /* numbers, UUIDs or PCI addresses, with commas between */
	char cgroup[ES_PATH_MAX_BYTES /
		    4]; /* below the mount of its hierarchy, with a leading slash */
	int64_t pid; /* a process of it, where no cgroup of its own is known */
	uint32_t n_nodes, node_index; /* of the job */
	char nodes[ES_LOCAL_NODES_MAX_BYTES];
	char name[ES_NAME_MAX_BYTES], cluster[64], account[ES_LOCAL_ID_MAX_BYTES],
		partition[ES_LOCAL_ID_MAX_BYTES];
	uint32_t restarts;
	int64_t t_ns; /* boot clock; 0: now */
};

/** struct es_local_end - a job or step is over on this node */
struct es_local_end {
	char id[ES_LOCAL_ID_MAX_BYTES], step[ES_LOCAL_ID_MAX_BYTES];
	bool has_status;
	int32_t status; /* as waitpid tells */
	int64_t t_ns; /* boot clock; 0: now */
};

/** struct es_local_welcome - who answers, and what the client may see */
struct es_local_welcome {
	char version[32]; /* of the program */
	char node[ES_NAME_MAX_BYTES];
	char boot_id[64];
	int64_t least_period_ns; /* nothing is shown to this client more often */
	uint8_t view; /* enum es_local_view */
	char job[ES_LOCAL_ID_MAX_BYTES]; /* the peer's, by its cgroup; "": none */
	char words[ES_NAME_MAX_BYTES]; /* why it sees no more */
};

enum es_local_view {
	ES_LOCAL_VIEW_NOTHING = 0, /* no job of this user's here */
	ES_LOCAL_VIEW_NODE = 1, /* the meters of the node */
	ES_LOCAL_VIEW_SHARE = 2, /* what is attributed to the user's job */
};

#define ES_LOCAL_INSTANCES_MAX 8U

/** struct es_local_instance, es_local_domain - as struct es_instance and es_domain of core, whose enums travel as names */
struct es_local_instance {
	char uuid[64];
	uint32_t gpu_instance, compute_instance, gpu_slices, compute_slices;
	uint64_t memory_bytes;
};

struct es_local_domain {
	char id[ES_NAME_MAX_BYTES], name[ES_NAME_MAX_BYTES], source[32];
	char type[16], kind[16], state[16];
	bool is_power, may_mirror, is_partial, is_there, is_asked, has_activity;
	int32_t package, die, core;
	int32_t parent, duplicate_of; /* indices in this list, -1 */
	uint64_t unit_nj, modulus_nj, peak_mw, limit_mw;
	char limit_kind[16];
	int64_t update_period_ns, hold_ns;
	uint64_t idle_mw, full_mw;
	uint32_t idle_spread_ppm, spread_ppm, accuracy_ppm;
	char pci[24], model[64], uuid[64];
	char reason[ES_NAME_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
	uint32_t n_instances;
	struct es_local_instance instances[ES_LOCAL_INSTANCES_MAX];
	int64_t least_period_ns; /* it is read no more often, whatever is asked for; 0: as often as the page is written */
};

/** struct es_local_page - what WATCH gives */
struct es_local_page {
	uint64_t epoch;
	uint32_t n_domains;
	int64_t period_ns; /* as granted: never shorter than welcome's */
};

/** struct es_local_part - what a job had of a part of the node */
struct es_local_part {
	char domain[ES_NAME_MAX_BYTES]; /* package-0, gpu-2, rest: what the node draws beside its parts */
	char kind[16]; /* measured, …, attributed */
	char rule[16]; /* exclusive, direct, cpu_time, activity, slices, allocation */
	uint64_t dynamic_uj, idle_uj;
};

/** struct es_local_machine - what a node is made of: models of whole nodes and a default PUE depend on it; "" and 0: not known */
struct es_local_machine {
	char cpu_model[ES_NAME_MAX_BYTES], gpu_model[64];
	uint32_t n_cpus, n_packages, n_gpus;
	uint64_t memory_bytes;
	uint8_t virt; /* 0 not known, 1 none, 2 a VM, 3 a container */
	bool has_battery;
	bool has_node_meter; /* its energy is that of a meter of the whole node */
	char country[8], timezone[64];
};

#define ES_LOCAL_PARTS_MAX 16U /* in a packet; the sums below are of all */

/** struct es_local_job_is - a job as the daemon knows it */
struct es_local_job_is {
	struct es_local_job job;
	char node[ES_NAME_MAX_BYTES];
	int64_t start_unix_ns, stop_unix_ns; /* stop 0: it runs */
	int64_t dur_ns;
	bool has_energy;
	uint64_t energy_uj; /* node energy so far, before any model */
	uint64_t uncertainty_uj; /* half width of 95 % */
	char kind[16];
	char idle_method[16]; /* none, configured, seen */
	uint32_t covered_ppm; /* of its time */
	char recording[ES_NAME_MAX_BYTES]; /* name in the spool */
	uint32_t n_parts;
	struct es_local_part parts[ES_LOCAL_PARTS_MAX];
	struct es_local_machine machine;
};

/*
 * es_local_put_… - a whole packet: header and body; returns its bytes, or -EMSGSIZE: more than @size; -EINVAL: an id, a
 * list, a time or a count that es_local_get_…() would refuse. What is not UTF-8 in a text, or a control character,
 * becomes '?': the name of a job is its user's to choose.
 * es_local_get_… - from a body (behind the header) that anybody may have sent; 0 or -EBADMSG, and then nothing is set.
 * Names are checked: an id has only its letters, texts are UTF-8 without control characters, lists have digits, commas,
 * hyphens (GPUs: also letters, colons, dots, slashes, underscores), a cgroup is an absolute path without "..". Times
 * lie within ES_TIME_MAX_NS.
 */
int es_local_put_empty(uint16_t type, uint32_t number, uint8_t *out, size_t size);
int es_local_put_text(uint16_t type, uint32_t number, const char *text, uint32_t value,
		      uint8_t *out,
		      size_t size); /* HELLO, JOB_STATUS, JOB_OPEN, JOB_TOTAL, FILE, STATE_IS */
int es_local_get_text(const void *body, size_t n, char *ret, size_t size, uint32_t *ret_value);
int es_local_put_watch(uint32_t number, int64_t period_ns, uint8_t *out, size_t size);
int es_local_get_watch(const void *body, size_t n, int64_t *ret_period_ns);
int es_local_put_job(uint32_t number, const struct es_local_job *job, uint8_t *out, size_t size);
int es_local_get_job(const void *body, size_t n, struct es_local_job *ret);
int es_local_put_end(uint32_t number, const struct es_local_end *what, uint8_t *out, size_t size);
int es_local_get_end(const void *body, size_t n, struct es_local_end *ret);
int es_local_put_welcome(uint32_t number, const struct es_local_welcome *welcome, uint8_t *out,
			 size_t size);
int es_local_get_welcome(const void *body, size_t n, struct es_local_welcome *ret);
int es_local_put_domain(uint32_t number, const struct es_local_domain *domain, uint8_t *out,
			size_t size);
int es_local_get_domain(const void *body, size_t n, struct es_local_domain *ret);
int es_local_put_last(uint32_t number, uint32_t count, uint8_t *out, size_t size);
int es_local_get_last(const void *body, size_t n, uint32_t *ret_count);
int es_local_put_page(uint32_t number, const struct es_local_page *page, uint8_t *out, size_t size);
int es_local_get_page(const void *body, size_t n, struct es_local_page *ret);
int es_local_put_job_is(uint32_t number, const struct es_local_job_is *job, uint8_t *out,
			size_t size);
int es_local_get_job_is(const void *body, size_t n, struct es_local_job_is *ret);

/** es_local_id_problem - why a job or step cannot have this id, in words behind "job 'ID': "; NULL: it can. It may be a file's name. */
const char *es_local_id_problem(const char *id);

#endif
