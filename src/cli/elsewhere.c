/*
 * elsewhere.c - commands that hand work to other machines, or to a daemon of this one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/elsewhere.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define ADVICE_MAX_BYTES 1000U
#define HOSTS_MAX 4096U

/** struct grammar - options of a program; words between blanks */
struct grammar {
	const char *name;
	const char *with_argument; /* options whose argument is the next word */
	const char *with_two;
	const char *flags; /* long ones without argument; "*": all that are not in the other lists */
	unsigned operands; /* before the program */
};

/* Programs that become or start another one in the same place. */
static const struct grammar wrappers[] = {
	{ "chrt", "-T -P -D --sched-runtime --sched-period --sched-deadline", "", "*", 1 },
	{ "env", "-u --unset -C --chdir", "", "*", 0 },
	{ "ionice", "-c --class -n --classdata", "", "*", 0 },
	{ "nice", "-n --adjustment", "", "*", 0 },
	{ "nohup", "", "", "*", 0 },
	{ "numactl",
	  "-i --interleave -N --cpunodebind -C --physcpubind -m --membind -p --preferred", "", "*",
	  0 },
	{ "setsid", "", "", "*", 0 },
	{ "stdbuf", "-i --input -o --output -e --error", "", "*", 0 },
	{ "sudo", "-u --user -g --group -C -D -h -p -R -T", "", "*", 0 },
	{ "taskset", "", "", "*", 1 },
	{ "time", "-f --format -o --output", "", "*", 0 },
	{ "timeout", "-k --kill-after -s --signal", "", "*", 1 },
};

#define MPI_ARGUMENTS                                                                     \
	"-n -np --np -c -N -H -host --host -hosts -hostfile --hostfile -machinefile "     \
	"--machinefile -f -ppn -npernode --npernode -perhost --map-by -map-by --bind-to " \
	"-bind-to --rank-by -x -wdir --wdir -wd -iface -bootstrap -launcher --prefix "    \
	"--output-filename -genvlist -envlist"
#define MPI_TWO "-mca --mca -genv -env -gmca --gmca --prtemca --pmixmca"
#define MPI_FLAGS                                                                                   \
	"--oversubscribe -oversubscribe --allow-run-as-root --report-bindings -l -q -v "            \
	"--tag-output --timestamp-output --use-hwthread-cpus --display-map -prepend-rank -genvall " \
	"-verbose --nooversubscribe"
#define SSH_ARGUMENTS "-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w"

enum family {
	FAMILY_MPI,
	FAMILY_SRUN,
	FAMILY_FLUX,
	FAMILY_REMOTE,
	FAMILY_CONTAINER,
	FAMILY_BATCH
};

static const struct client {
	struct grammar grammar;
	enum family family;
} clients[] = {
	{ { "aprun", "", "", "", 0 }, FAMILY_MPI },
	{ { "bsub", "", "", "", 0 }, FAMILY_BATCH },
	{ { "clush", "-w -g -x -X -f -t -u -o -l", "", "-b -B -S -a -v -q -n", 0 }, FAMILY_REMOTE },
	{ { "docker", "", "", "", 0 }, FAMILY_CONTAINER },
	{ { "flux", "-n --ntasks -N --nodes -c --cores-per-task -t --time-limit -q --queue", "",
	    "--exclusive -x", 1 },
	  FAMILY_FLUX },
	{ { "ibrun", "", "", "", 0 }, FAMILY_MPI },
	{ { "jsrun", "", "", "", 0 }, FAMILY_MPI },
	{ { "kubectl", "", "", "", 0 }, FAMILY_CONTAINER },
	{ { "mpiexec", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "mpiexec.hydra", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "mpiexec.openmpi", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "mpirun", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "mpirun.mpich", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "mpirun.openmpi", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "nerdctl", "", "", "", 0 }, FAMILY_CONTAINER },
	{ { "oarsh", SSH_ARGUMENTS, "", "*", 1 }, FAMILY_REMOTE },
	{ { "oarsub", "", "", "", 0 }, FAMILY_BATCH },
	{ { "oc", "", "", "", 0 }, FAMILY_CONTAINER },
	{ { "orterun", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "pdsh", "-w -x -l -t -u -f -R -g -X", "", "-a -A -S -b -N -i", 0 }, FAMILY_REMOTE },
	{ { "podman", "", "", "", 0 }, FAMILY_CONTAINER },
	{ { "prterun", MPI_ARGUMENTS, MPI_TWO, MPI_FLAGS, 0 }, FAMILY_MPI },
	{ { "qsub", "", "", "", 0 }, FAMILY_BATCH },
	{ { "rsh", "-l", "", "-n", 1 }, FAMILY_REMOTE },
	{ { "sbatch", "", "", "", 0 }, FAMILY_BATCH },
	{ { "srun",
	    "-A --account -c --cpus-per-task -C --constraint -d -D --chdir -e --error -G --gpus "
	    "-i --input -J --job-name -m --distribution -M --clusters --mem --mem-per-cpu --mpi -n "
	    "--ntasks --ntasks-per-node -N --nodes -o --output -p --partition -q --qos -r -S -t "
	    "--time -T -w --nodelist -W -x --exclude --cpu-bind --export --gres",
	    "",
	    "-E -H -I -k -K -l -O -s -u -v -Q -X -Z --exact --exclusive --overlap --pty --label "
	    "--unbuffered --verbose --quiet --no-kill --oversubscribe --kill-on-bad-exit",
	    0 },
	  FAMILY_SRUN },
	{ { "ssh", SSH_ARGUMENTS, "", "*", 1 }, FAMILY_REMOTE },
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; n && (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *value_of(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=' && env[i][n + 1] != '\0')
			return env[i] + n + 1;
	return NULL;
}

/* Words that the option at argv[i] takes, itself included; 0: not known. */
static size_t option_words(const struct grammar *grammar, char *const *argv, size_t i)
{
	const char *option = argv[i];
	bool is_long = option[1] == '-';

	if (has_word(grammar->with_two, option))
		return 3;
	if (has_word(grammar->with_argument, option))
		return 2;
	if (strchr(option, '=') || strcmp(grammar->flags, "*") == 0 ||
	    has_word(grammar->flags, option))
		return 1;
	/* -n64: a letter with its argument. */
	if (!is_long && option[1] && option[2]) {
		const char letter[] = { '-', option[1], '\0' };

		return has_word(grammar->with_argument, letter) ? 1 : 0;
	}
	return 0;
}

/* Behind the options and operands of the program at argv[i]; 0: an option that is not known, or nothing is there. */
static size_t behind(const struct grammar *grammar, char *const *argv, size_t i)
{
	unsigned operands = grammar->operands;

	for (i++; argv[i];) {
		size_t words = 1;

		if (strcmp(argv[i], "--") == 0 && operands == 0)
			return argv[i + 1] ? i + 1 : 0;
		if (argv[i][0] == '-' && argv[i][1])
			words = option_words(grammar, argv, i);
		else if (strcmp(grammar->name, "env") == 0 && strchr(argv[i], '='))
			words = 1;
		else if (operands == 0)
			return i;
		else
			operands--;
		if (words == 0)
			return 0;
		while (words-- && argv[i])
			i++;
	}
	return 0;
}

static const struct client *find_client(char *const *argv, size_t *ret_at)
{
	size_t at = 0;

	for (unsigned depth = 0; depth < 16; depth++) {
		const char *name = base_name(argv[at]);
		const struct grammar *wrapper = NULL;

		for (size_t i = 0; i < ES_ARRAY_SIZE(clients); i++) {
			if (strcmp(clients[i].grammar.name, name) != 0)
				continue;
			*ret_at = at;
			return &clients[i];
		}
		for (size_t i = 0; i < ES_ARRAY_SIZE(wrappers); i++)
			if (strcmp(wrappers[i].name, name) == 0)
				wrapper = &wrappers[i];
		at = wrapper ? behind(wrapper, argv, at) : 0;
		if (at == 0)
			return NULL;
	}
	return NULL;
}

/* "n1" and "n1.site" are one. */
static bool is_same_host(const char *a, size_t n_a, const char *b, size_t n_b)
{
	const char *dot_a = memchr(a, '.', n_a), *dot_b = memchr(b, '.', n_b);

	if (dot_a && dot_b)
		return n_a == n_b && memcmp(a, b, n_a) == 0;
	n_a = dot_a ? (size_t)(dot_a - a) : n_a;
	n_b = dot_b ? (size_t)(dot_b - b) : n_b;
	return n_a == n_b && memcmp(a, b, n_a) == 0;
}

static bool is_this(const char *name, size_t n, const char *hostname)
{
	return (n == 9 && memcmp(name, "localhost", 9) == 0) ||
	       (n == 9 && memcmp(name, "127.0.0.1", 9) == 0) ||
	       (hostname[0] && is_same_host(name, n, hostname, strlen(hostname)));
}

size_t es_count_hosts(const char *text, const char *hostname, bool *ret_has_this)
{
	es_cleanup(es_freep) const char **names = calloc(HOSTS_MAX, sizeof(*names));
	es_cleanup(es_freep) size_t *sizes = calloc(HOSTS_MAX, sizeof(*sizes));
	size_t n = 0;

	*ret_has_this = false;
	while (names && sizes && *text && n < HOSTS_MAX) {
		size_t blank = strspn(text, " \t\r,\n"),
		       size = strcspn(text + blank, " \t\r,\n:*#"), i;
		const char *name = text + blank;

		for (i = 0; i < n && !is_same_host(names[i], sizes[i], name, size); i++)
			continue;
		if (size && i == n) {
			names[n] = name;
			sizes[n++] = size;
			*ret_has_this = *ret_has_this || is_this(name, size, hostname);
		}
		/* What else is in the line says how many slots, not which hosts. */
		text = name + size;
		text += strcspn(text, ",\n");
	}
	return n;
}

/* Of n[001-004,7],m1 as Slurm writes it; -1: no such list. */
static int64_t count_node_list(const char *list)
{
	int64_t n = 0;
	bool is_inside = false;

	for (const char *p = list; *p; p++) {
		char *end;
		unsigned long first, last;

		if (*p == '[') {
			is_inside = true;
		} else if (*p == ']') {
			is_inside = false;
			continue;
		}
		if (!is_inside) {
			n += p == list || p[-1] == ',';
			continue;
		}
		if (!isdigit((unsigned char)p[1]))
			return -1;
		first = last = strtoul(p + 1, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last - first > HOSTS_MAX || (*end != ',' && *end != ']'))
			return -1;
		/* The first of the brackets was counted with their name. */
		n += (int64_t)(last - first) + (*p == ',');
		p = end - 1;
	}
	return is_inside ? -1 : n;
}

/* The argument of the first of several options, before @until; NULL: not given. */
static const char *argument_of(char *const *argv, size_t from, size_t until, const char *names)
{
	for (size_t i = from; argv[i] && i < until; i++) {
		const char *equals = strchr(argv[i], '=');
		char letter[] = { '-', argv[i][0] == '-' ? argv[i][1] : '\0', '\0' };
		char name[64] = "";

		if (has_word(names, argv[i]))
			return argv[i + 1];
		if (equals && (size_t)(equals - argv[i]) < sizeof(name)) {
			memcpy(name, argv[i], (size_t)(equals - argv[i]));
			if (has_word(names, name))
				return equals + 1;
		}
		if (letter[1] && letter[1] != '-' && argv[i][2] && has_word(names, letter) &&
		    isdigit((unsigned char)argv[i][2]))
			return argv[i] + 2;
	}
	return NULL;
}

/* "4", or the least of "4-8". */
static int64_t number_of(const char *text)
{
	char digits[20] = "";
	size_t n = text ? strspn(text, "0123456789") : 0;
	int64_t number;

	if (n == 0 || n >= sizeof(digits) || (text[n] != '\0' && text[n] != '-'))
		return -1;
	memcpy(digits, text, n);
	return es_parse_i64(digits, &number) == 0 && number > 0 && number <= INT32_MAX ? number
										       : -1;
}

/* What the scheduler gave: a number, or a file with a line for each slot. */
static int64_t scheduled_nodes(const struct es_elsewhere_of *of, bool *ret_has_this)
{
	static const char *const numbers[] = { "SLURM_JOB_NUM_NODES", "SLURM_NNODES",
					       "PBS_NUM_NODES", "FLUX_JOB_NNODES" };
	static const char *const files[] = { "PBS_NODEFILE", "OAR_NODEFILE", "OAR_NODE_FILE",
					     "PE_HOSTFILE", "LSB_DJOB_HOSTFILE" };

	/* A shell of salloc has the variables of the job but is on no node of it. */
	*ret_has_this = !value_of(of->env, "SLURM_JOB_ID") || value_of(of->env, "SLURMD_NODENAME");
	for (size_t i = 0; i < ES_ARRAY_SIZE(numbers); i++)
		if (number_of(value_of(of->env, numbers[i])) > 0)
			return number_of(value_of(of->env, numbers[i]));
	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++) {
		const char *path = value_of(of->env, files[i]);
		es_cleanup(es_freep) char *hosts = path ? of->read_hosts(path) : NULL;

		if (hosts)
			return (int64_t)es_count_hosts(hosts, of->hostname, ret_has_this);
	}
	return -1;
}

static bool has_scheduler(char *const *env)
{
	static const char *const ids[] = { "SLURM_JOB_ID", "PBS_JOBID", "OAR_JOB_ID",  "LSB_JOBID",
					   "FLUX_JOB_ID",  "JOB_ID",	"COBALT_JOBID" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(ids); i++)
		if (value_of(env, ids[i]))
			return true;
	return false;
}

static void find_mpi(const struct es_elsewhere_of *of, struct es_elsewhere *found)
{
	size_t from = found->client_at + 1,
	       until = found->program_at ? found->program_at : SIZE_MAX;
	const char *hosts = argument_of(of->argv, from, until, "-H -host --host -hosts");
	const char *path = argument_of(of->argv, from, until,
				       "-hostfile --hostfile -machinefile --machinefile -f");
	es_cleanup(es_freep) char *text = !hosts && path ? of->read_hosts(path) : NULL;
	bool has_this = true;

	found->nodes = -1;
	if (hosts || text)
		found->nodes =
			(int64_t)es_count_hosts(hosts ? hosts : text, of->hostname, &has_this);
	else if (!path)
		found->nodes = scheduled_nodes(of, &has_this);
	/* Nothing says of other machines: mpirun starts all ranks on this one; vendors' launchers do not. */
	if (!hosts && !path && found->nodes < 0 && !has_scheduler(of->env) &&
	    !has_word("aprun ibrun jsrun", found->client))
		return;
	if (found->nodes == 1 && has_this)
		return;
	found->how = has_this ? ES_LAUNCH_AROUND : ES_LAUNCH_ELSEWHERE;
}

/* Also on a single node: ranks of srun and flux are children of the node's daemon, not ours. */
static void find_scheduler(const struct es_elsewhere_of *of, struct es_elsewhere *found)
{
	size_t from = found->client_at + 1,
	       until = found->program_at ? found->program_at : SIZE_MAX;
	const char *list = argument_of(of->argv, from, until, "-w --nodelist");
	bool has_this, is_srun = strcmp(found->client, "srun") == 0;

	found->nodes = scheduled_nodes(of, &has_this);
	if (number_of(argument_of(of->argv, from, until, "-N --nodes")) > 0)
		found->nodes = number_of(argument_of(of->argv, from, until, "-N --nodes"));
	else if (is_srun && list)
		found->nodes = count_node_list(list);
	found->how = has_scheduler(of->env) && has_this ? ES_LAUNCH_AROUND : ES_LAUNCH_ELSEWHERE;
}

static void find_container(const struct es_elsewhere_of *of, struct es_elsewhere *found)
{
	static const char *const variables[] = { "DOCKER_HOST", "CONTAINER_HOST" };
	const char *host = NULL, *context = value_of(of->env, "DOCKER_CONTEXT");
	bool is_remote = strcmp(found->client, "kubectl") == 0 || strcmp(found->client, "oc") == 0;

	/* Its own options come before the word that says what to do. */
	for (size_t i = found->client_at + 1; of->argv[i] && of->argv[i][0] == '-'; i++) {
		is_remote = is_remote || strcmp(of->argv[i], "--remote") == 0 ||
			    strcmp(of->argv[i], "-r") == 0;
		host = host ? host : argument_of(of->argv, i, i + 1, "-H --host --url");
	}
	for (size_t i = 0; !host && i < ES_ARRAY_SIZE(variables); i++)
		host = value_of(of->env, variables[i]);
	is_remote = is_remote || (host && strncmp(host, "unix://", 7) != 0) ||
		    (context && strcmp(context, "default") != 0);
	found->how = is_remote ? ES_LAUNCH_ELSEWHERE : ES_LAUNCH_DAEMON;
	found->nodes = is_remote ? -1 : 1;
}

static void find_remote(const struct es_elsewhere_of *of, struct es_elsewhere *found)
{
	const char *hosts = argument_of(of->argv, found->client_at + 1, SIZE_MAX, "-w");
	bool takes_list = strcmp(found->client, "pdsh") == 0 || strcmp(found->client, "clush") == 0;

	found->how = ES_LAUNCH_ELSEWHERE;
	if (takes_list)
		found->nodes = hosts ? count_node_list(hosts) : -1;
	else
		found->nodes = 1;
}

void es_elsewhere_find(const struct es_elsewhere_of *of, struct es_elsewhere *ret)
{
	struct es_elsewhere found = { .how = ES_LAUNCH_NONE, .nodes = -1 };
	const struct client *client =
		of->argv && of->argv[0] ? find_client(of->argv, &found.client_at) : NULL;

	*ret = found;
	if (!client)
		return;
	found.client = client->grammar.name;
	if (client->family != FAMILY_CONTAINER && client->family != FAMILY_BATCH)
		found.program_at = behind(&client->grammar, of->argv, found.client_at);
	switch (client->family) {
	case FAMILY_MPI:
		find_mpi(of, &found);
		break;
	case FAMILY_SRUN:
	case FAMILY_FLUX:
		find_scheduler(of, &found);
		break;
	case FAMILY_REMOTE:
		find_remote(of, &found);
		break;
	case FAMILY_CONTAINER:
		find_container(of, &found);
		break;
	case FAMILY_BATCH:
		found.how = ES_LAUNCH_ELSEWHERE;
		break;
	}
	if (found.how != ES_LAUNCH_NONE)
		*ret = found;
}

void es_put_shell_word(const char *word, struct es_buf *out)
{
	bool is_plain = *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789_-+=.,:/@%^") == strlen(word);

	(void)es_buf_str(out, is_plain ? "" : "'");
	for (const char *p = word; *p; p++)
		if (*p == '\'')
			(void)es_buf_str(out, "'\\''");
		else
			(void)es_buf_u8(out, (uint8_t)*p);
	(void)es_buf_str(out, is_plain ? "" : "'");
}

/* Several programs in one launch, or words that would make a long line: said in words. */
static bool is_simple(char *const *argv)
{
	size_t n = 0;

	for (size_t i = 0; argv[i]; i++) {
		if (strcmp(argv[i], ":") == 0)
			return false;
		n += strlen(argv[i]) + 3;
	}
	return n < ADVICE_MAX_BYTES;
}

void es_elsewhere_advice(const struct es_elsewhere_of *of, const struct es_elsewhere *elsewhere,
			 struct es_buf *out)
{
	static const char ours[] = "energyscopium run --";
	bool is_kubernetes = elsewhere->client && (strcmp(elsewhere->client, "kubectl") == 0 ||
						   strcmp(elsewhere->client, "oc") == 0);

	if (elsewhere->how == ES_LAUNCH_NONE || elsewhere->how == ES_LAUNCH_DAEMON ||
	    (elsewhere->how == ES_LAUNCH_AROUND && elsewhere->nodes == 1))
		return;
	if (elsewhere->program_at && is_simple(of->argv)) {
		if (strcmp(base_name(of->argv[elsewhere->program_at]), "energyscopium") == 0) {
			(void)es_buf_str(out, "each node measures itself");
			return;
		}
		for (size_t i = 0; of->argv[i]; i++) {
			(void)es_buf_str(out, i ? " " : "");
			if (i == elsewhere->program_at)
				(void)es_buf_printf(out, "%s ", ours);
			es_put_shell_word(of->argv[i], out);
		}
		return;
	}
	if (is_kubernetes)
		(void)es_buf_str(out, "run energyscopium on the node where the pod runs");
	else
		(void)es_buf_printf(out, "put '%s' before the program that %s starts", ours,
				    elsewhere->client);
}
