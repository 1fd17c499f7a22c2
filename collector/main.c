/*
 * nodecanary: pings the peers of an INI file, publishes the results, exits.
 *
 * A run: the configuration is loaded, the output is opened (and locked), the targets are
 * built, the previous counters are restored, names are looked up, the targets are pinged,
 * and the new file replaces the old one. A run that fails on the way publishes the previous
 * counters and that it failed, wherever it can.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/procfile.h"
#include "base/stop.h"
#include "cmdline.h"
#include "config/configload.h"
#include "estimate.h"
#include "peers/lookup.h"
#include "peers/self.h"
#include "peers/targets.h"
#include "ping/batches.h"
#include "ping/icmpsocket.h"
#include "ping/pathmtu.h"
#include "ping/probe.h"
#include "ping/trace.h"
#include "print.h"
#include "publish/exposition.h"
#include "publish/outfile.h"
#include "publish/promfile.h"
#include "publish/republish.h"
#include "publish/restore.h"

/* The most mistakes of a configuration that are logged, but for --check. */
#define ERRORS_MAX 20

struct run {
	struct cmdline cmdline;
	struct config config;
	struct outfile outfile;
	struct targets targets;
	struct stats_node node;
	struct self self;
	struct batches batches;
	int64_t start_ns; /* monotonic */
	struct run_info info;
	bool publishes; /* outfile is open */
};

/* A process makes one run. The buffer of the writer is too large for the stack. */
static struct run run;
static struct writer writer;

/*
 * VmHWM begins at zero with exec. ru_maxrss is inherited, so it would be the peak of the
 * parent where that was larger.
 */
static uint64_t peak_memory_bytes(void)
{
	uint64_t kilobytes;

	return procfile_read("/proc/self/status", "VmHWM:", &kilobytes) ? kilobytes * 1024
									: 0;
}

static int64_t usage_ns(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage) < 0)
		return 0;
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_NS_PER_S +
	       (int64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
		       CLOCK_NS_PER_US;
}

/* Publishes what is in the writer and the output file. */
static int commit(void)
{
	if (writer_flush(&writer) < 0)
		log_err("%s: cannot write the file", run.outfile.path);
	else if (outfile_commit(&run.outfile, run.config.collector.fsync) == 0)
		return 0;
	return EX_CANTCREAT;
}

/*
 * Publishes the metrics and the state; of a run that did not take place no gauges, which
 * would be of another run. Without an output file they go to standard output.
 */
static int publish(void)
{
	struct exposition exposition = {
		.targets = &run.targets,
		.node = &run.node,
		.run = &run.info,
		.file = run.publishes ? exposition_file(run.outfile.path) : NULL};

	run.info.end_ns = clock_wall_ns();
	run.info.has_echo_counts = echocounts_read(&run.info.echo);
	writer_init(&writer, run.publishes ? run.outfile.fd : STDOUT_FILENO);
	exposition_write(&writer, &exposition);
	if (run.publishes)
		return commit();
	if (writer_flush(&writer) == 0)
		return 0;
	log_err("cannot write to standard output");
	return EX_CANTCREAT;
}

/* Selects the targets that are measured, by what is known now. */
static void select_targets(bool guess)
{
	self_find(&run.self, &run.targets, guess);
	targets_select(&run.targets, self_own_name(&run.self));
}

/*
 * Copies the counters of the previous file line by line, without knowing the peers. A file
 * that is damaged for good is replaced by one without counters; one that cannot be read now
 * must stay, or a transient error would lose them. 0 if there is something to publish,
 * -1 after logging otherwise.
 */
static int republish(void)
{
	int previous = outfile_previous(&run.outfile);
	enum promfile_result result = PROMFILE_VALID;

	if (previous == OUTFILE_UNREADABLE)
		return -1;
	writer_init(&writer, run.outfile.fd);
	if (previous >= 0) {
		result = republish_previous(&writer, previous, run.outfile.path,
					    clock_wall_ns());
		close(previous);
		if (result == PROMFILE_VALID)
			return 0;
	}
	if (result == PROMFILE_UNREADABLE || result == PROMFILE_NO_MEMORY) {
		log_warnx("%s: %s", run.outfile.path, promfile_reason(result));
		return -1;
	}
	if (result != PROMFILE_VALID) {
		log_warnx("%s: %s: counters start from zero", run.outfile.path,
			  promfile_reason(result));
		if (outfile_restart(&run.outfile) < 0)
			return -1;
		writer_init(&writer, run.outfile.fd);
	}
	republish_nothing(&writer, run.outfile.path, clock_wall_ns());
	return 0;
}

/*
 * For runs that know no peers: the configuration is invalid, or there is no memory. Returns
 * `status`, the reason why the run failed.
 */
static int republish_failure(int status)
{
	if (republish() == 0)
		commit();
	return status;
}

/*
 * After the output is open, nothing more is opened for writing but in its directory; without
 * an output, nothing at all. Where the kernel has no Landlock, the run goes on without.
 */
static void confine(void)
{
	int version = landlock_confine(run.outfile.directory);

	if (version < 0)
		log_info("not confined by Landlock: %s", strerror(errno));
	else if (run.outfile.directory < 0)
		log_info(
			"confined by Landlock ABI %d: nothing can be written or executed",
			version);
	else
		log_info(
			"confined by Landlock ABI %d: nothing can be executed, or written but in the directory of the output",
			version);
}

/* The configuration is invalid, so only -o names the output. */
static int republish_after_invalid_configuration(void)
{
	const char *path = run.cmdline.output;

	if (!path || strcmp(path, "-") == 0 || run.cmdline.dry_run ||
	    outfile_open(&run.outfile, path) != OUTFILE_OPEN)
		return EX_CONFIG;
	confine();
	run.config.collector.fsync = true;
	return republish_failure(EX_CONFIG);
}

static const char *output_path(void)
{
	return run.cmdline.output ? run.cmdline.output : run.config.collector.textfile;
}

static int open_output(void)
{
	const char *path = output_path();

	if (run.cmdline.dry_run || strcmp(path, "-") == 0)
		return 0;
	switch (outfile_open(&run.outfile, path)) {
	case OUTFILE_OPEN: run.publishes = true; return 0;
	case OUTFILE_LOCKED: return EX_TEMPFAIL;
	case OUTFILE_FAILED: break;
	}
	return EX_CANTCREAT;
}

static int restore_state(void)
{
	enum restore_result result = RESTORE_TAKEN;
	int previous = -1;

	if (run.publishes)
		previous = outfile_previous(&run.outfile);
	else if (strcmp(output_path(), "-") != 0)
		previous = outfile_peek(output_path());
	if (previous >= 0) {
		result = restore_read(previous, output_path(), &run.targets, &run.node);
		close(previous);
	}
	if (previous == OUTFILE_UNREADABLE || result == RESTORE_FAILED)
		return EX_OSERR;
	if (run.node.counters_start_ns == 0)
		run.node.counters_start_ns = clock_wall_ns();
	return 0;
}

/* liboping aborts the process where it gets no socket, so a socket is tried first. */
static int check_permission(void)
{
	int error = run.config.peer_count ? icmpsocket_try(ADDRESS_IPV4) : 0;

	if (error != EPERM && error != EACCES)
		return 0;
	log_errx(
		"no permission for raw sockets: run as root, or give CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in a systemd unit, or `setcap cap_net_raw=ep` on the program)");
	return EX_NOPERM;
}

/*
 * Which names are looked up depends on which peer this node is, and the other way round. The
 * first run may guess by a first label; a wrong guess only looks up other names.
 */
static void resolve_and_select(void)
{
	int64_t deadline_ns = run.start_ns + run.config.collector.resolve_timeout_ns;
	int64_t begin_ns = clock_monotonic_ns();

	select_targets(run.node.last_resolve_ns == 0);
	/* Without any lookup the previous addresses stay in use; that was logged. */
	(void)lookup_run(&run.targets, &run.node, &run.self, deadline_ns,
			 clock_wall_ns());
	run.info.resolve_ns = clock_monotonic_ns() - begin_ns;
	select_targets(false);
	(void)self_report(&run.self, &run.targets);
}

/* On a terminal, a run that takes longer than a second shows its progress. */
static void show_progress(const struct batch *batch, unsigned round, unsigned rounds)
{
	static bool shown;

	(void)batch;
	if (round > 0 && clock_monotonic_ns() - run.start_ns > CLOCK_NS_PER_S) {
		fprintf(stderr, "\rround %u of %u", round, rounds);
		shown = true;
	}
	if (round == 0 && shown)
		fputs("\r\033[K", stderr);
}

/* After the rounds, so that it disturbs none of them. */
static void diagnose(int64_t deadline_ns)
{
	struct cookie cookie;

	if (cookie_init(&cookie) < 0) {
		log_err("cannot read random numbers");
		return;
	}
	pathmtu_run(&run.targets, &cookie, deadline_ns, clock_wall_ns());
	trace_run(&run.targets, &cookie, deadline_ns, clock_wall_ns());
}

static int probe_targets(void)
{
	int64_t deadline_ns = run.start_ns + run.config.collector.deadline_ns;

	if (run.config.peer_count > 0 && !probe_verify_library())
		return EX_OSERR;
	if (batches_build(&run.batches, &run.targets, deadline_ns) < 0)
		return EX_OSERR;
	if (run.batches.count > 0 && isatty(STDERR_FILENO) &&
	    run.cmdline.verbosity > LOG_LEVEL_ERROR)
		run.batches.items[0].progress = show_progress;
	if (batches_run(&run.batches, &run.targets, &run.node) < 0)
		return EX_OSERR;
	targets_finish_roaming(&run.targets, clock_wall_ns());
	diagnose(deadline_ns);
	return 0;
}

/* If neither members_only nor fanout left a peer out, it has an address of this host. */
static const char *idle_reason(const struct group *group,
			       const struct target_group *members)
{
	if (group->options.members_only && !members->self)
		return print_self_reason(members);
	return group->options.fanout == OPTIONS_FANOUT_ALL
		       ? "all peers have an address of this host"
		       : "all peers that `fanout` chose have an address of this host";
}

/* Why this node pings nobody, for each group that has peers besides it. */
static void report_idle_groups(void)
{
	for (size_t i = 0; i < run.config.group_count; i++) {
		const struct target_group *members = &run.targets.groups[i];
		const struct group *group = &run.config.groups[i];

		if (members->states[TARGET_UNSELECTED] > 0)
			log_warnx("group `%s`: this node pings no peer: %s", group->name,
				  idle_reason(group, members));
	}
}

/* Not for a stop request: whoever sent it knows why nothing was measured. */
static void report_missed_deadline(void)
{
	char deadline[NUMBER_DURATION_SIZE];

	number_format_duration(deadline, run.config.collector.deadline_ns);
	log_warnx(
		"nothing was measured: no measured round could begin within deadline = %s",
		deadline);
}

static void finish_info(void)
{
	/* There is a batch for whoever is measured, or asked by roaming. */
	bool measures_nobody =
		run.batches.count == 0 && targets_have_unselected(&run.targets);

	run.info.took_place = true;
	run.info.success = batches_measured(&run.batches) && !measures_nobody;
	if (measures_nobody)
		report_idle_groups();
	else if (!run.info.success && batches_missed_deadline(&run.batches))
		report_missed_deadline();
	run.node.runs += run.info.success;
	run.info.duration_ns = clock_monotonic_ns() - run.start_ns;
	run.info.cpu_ns = usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
	run.info.peak_memory_bytes = peak_memory_bytes();
}

/*
 * A run that fails publishes that, with the counters of all peers, so the targets are
 * selected in any case.
 */
static int measure(void)
{
	int status = check_permission();

	if (status == 0) {
		resolve_and_select();
		status = probe_targets();
	} else {
		select_targets(false);
	}
	if (status != 0) {
		if (run.publishes)
			publish();
		return status;
	}
	finish_info();
	if (run.publishes || (run.cmdline.output && !run.cmdline.dry_run))
		status = publish();
	if (run.cmdline.table)
		print_results(stdout, &run.targets, print_wants_colour(stdout));
	return status;
}

static int list_peers(void)
{
	resolve_and_select();
	print_peers(stdout, &run.targets);
	return 0;
}

/* --check sends nothing and looks up nothing, so it knows addresses and names only. */
static int check_configuration(void)
{
	select_targets(false);
	if (!self_report(&run.self, &run.targets))
		return EX_CONFIG;
	estimate_assume_members(&run.config, &run.targets);
	select_targets(false);
	if (batches_build(&run.batches, &run.targets, INT64_MAX) < 0)
		return EX_OSERR;
	if (strcmp(output_path(), "-") != 0)
		outfile_check_neighbours(output_path());
	return estimate_print(stdout, &run.targets, &run.batches) ? 0 : EX_CONFIG;
}

/* Everything that needs no file: this node as far as the system knows it, and the peers. */
static int prepare(void)
{
	if (self_init(&run.self, &run.config) < 0 ||
	    targets_build(&run.targets, &run.config) < 0)
		return EX_OSERR;
	return 0;
}

/* `status` is that of stop_init(): a run that fails there publishes its failure, too. */
static int run_mode(enum cmdline_mode mode, int status)
{
	int opened = mode == CMDLINE_RUN ? open_output() : 0;

	if (opened != 0)
		return opened;
	confine();
	if (status == 0)
		status = prepare();
	if (status != 0)
		return run.publishes ? republish_failure(status) : status;
	if (mode == CMDLINE_CHECK)
		return check_configuration();
	if (mode == CMDLINE_LIST_ALL)
		return print_observers(stdout, &run.targets) < 0 ? EX_OSERR : 0;
	status = restore_state();
	if (status != 0)
		return status;
	return mode == CMDLINE_LIST ? list_peers() : measure();
}

static int load_and_run(enum cmdline_mode mode)
{
	enum config_result loaded;
	int status = 0;

	/* Every 15 seconds the journal would get all of them again. */
	if (mode != CMDLINE_CHECK)
		config_limit_errors(ERRORS_MAX);
	loaded = configload_read(&run.config, run.cmdline.config, run.cmdline.drop_ins);
	if (loaded == CONFIG_NO_MEMORY)
		return EX_OSERR;
	/* From here on there may be a dot-file, which a signal must not leave. */
	if (stop_init() < 0) {
		log_err("cannot wait for signals");
		status = EX_OSERR;
	}
	if (loaded == CONFIG_VALID)
		return run_mode(mode, status);
	return mode == CMDLINE_RUN ? republish_after_invalid_configuration() : EX_CONFIG;
}

/* A full disk or a closed pipe shows only when the buffer of stdio is written out. */
static int close_stdout(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_err("cannot write to standard output");
	return status ? status : EX_CANTCREAT;
}

/*
 * A parent may have closed the standard descriptors. Then files would get their numbers,
 * and messages would be written into them. What takes their place cannot be written to, so
 * that output which nobody gets is an error. And a reader of the messages that has gone
 * must not end the run, so SIGPIPE is ignored; nor must a limit of the size of files, which
 * write(2) reports once SIGXFSZ is ignored. A parent may have ignored SIGCHLD: then the
 * kernel would reap our children, and give their process ids, which we kill, to others.
 *
 * Threads share one heap: with an arena for each, memory would grow with the batches.
 */
static int prepare_process(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
#ifdef M_ARENA_MAX /* glibc's; musl has one heap anyway */
	mallopt(M_ARENA_MAX, 1);
#endif
	if (fd >= 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
	    signal(SIGXFSZ, SIG_IGN) != SIG_ERR && signal(SIGCHLD, SIG_DFL) != SIG_ERR)
		return 0;
	log_err(fd < 0 ? "cannot open /dev/null" : "cannot set up signals");
	return -1;
}

int main(int argc, char *argv[])
{
	enum cmdline_mode mode;
	int status = 0;

	/* The usual level, until the options have been read. */
	log_open(LOG_LEVEL_WARNING);
	if (prepare_process() < 0)
		return EX_OSERR;
	run.start_ns = clock_monotonic_ns();
	run.outfile.directory = run.outfile.fd = -1;
	mode = cmdline_parse(&run.cmdline, argc, argv);
	log_open(run.cmdline.verbosity);
	switch (mode) {
	case CMDLINE_WRONG: return EX_USAGE;
	case CMDLINE_HELP: cmdline_help(stdout); break;
	case CMDLINE_VERSION: puts("nodecanary " NODECANARY_VERSION); break;
	case CMDLINE_RUN:
	case CMDLINE_CHECK:
	case CMDLINE_LIST:
	case CMDLINE_LIST_ALL: status = load_and_run(mode); break;
	}
	outfile_close(&run.outfile);
	batches_free(&run.batches);
	self_free(&run.self);
	targets_free(&run.targets);
	config_free(&run.config);
	/* A usual run prints nothing and never touches stdio, which costs memory. */
	return mode == CMDLINE_RUN && !run.cmdline.table ? status : close_stdout(status);
}
