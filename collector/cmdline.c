#include "cmdline.h"

#include <getopt.h>
#include <string.h>

#include "base/text.h"
#include "config/configload.h"

/* In place of a letter, which getopt_long() would return as a char. */
#define LONG_ALL 256

/* All options, in the order of the help. */
static const struct row {
	int letter;
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *help;
} rows[] = {
	/* letter, name, argument, help */
	{'c', "config", "FILE", "configuration (" CONFIGLOAD_DEFAULT_FILE ")"},
	{'d', "drop-ins", "DIR", "directory of further *.ini files (FILE.d)"},
	{'o', "output", "FILE", "file to publish, in place of `textfile`; - is stdout"},
	{'n', "dry-run", NULL, "ping, but publish nothing"},
	{'t', "table", NULL, "print a table of the results"},
	{'C', "check", NULL, "check the configuration and say what a run would do"},
	{'l', "list-peers", NULL,
	 "print which peers this node pings, and why not the others"},
	{LONG_ALL, "all", NULL, "with -l: who pings whom, of the whole list"},
	{'q', "quiet", NULL, "errors only"},
	{'v', "verbose", NULL, "more messages"},
	{'V', "version", NULL, "print the version"},
	{'h', "help", NULL, "print this"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char usage[] =
	"Usage: nodecanary [-c FILE] [-d DIR] [-o FILE|-] [-n] [-t] [-C] [-l] [-q|-v]\n"
	"\n"
	"Pings the peers of an INI file and publishes latency and loss for the textfile\n"
	"collector of Prometheus' node_exporter.\n"
	"\n";

/* The numbers of sysexits.h, ascending from left to right. */
static const char statuses[] =
	"\n"
	"Exit status:\n"
	"   0 published, whether peers are up or not   64 usage\n"
	"  71 system error                             73 cannot write the output\n"
	"  75 another run holds the lock               77 no permission for raw sockets\n"
	"  78 configuration\n";

void cmdline_help(FILE *out)
{
	fputs(usage, out);
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		const char letter[] = {'-', (char)row->letter, ',', '\0'};
		char name[32]; /* name and argument, to be padded together */

		snprintf(name, sizeof(name), "%s %s", row->name,
			 row->argument ? row->argument : "");
		fprintf(out, "  %-3s --%-12s  %s\n",
			row->letter == LONG_ALL ? "" : letter, name, row->help);
	}
	fputs(statuses, out);
}

/* The rows as getopt_long() wants them. */
struct getopt_tables {
	char letters[2 * ROWS + 2];
	struct option names[ROWS + 1];
};

static void build_tables(struct getopt_tables *tables)
{
	char *letter = tables->letters;

	*letter++ = ':'; /* tells a missing argument from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		tables->names[i] = (struct option){
			row->name, row->argument ? required_argument : no_argument, NULL,
			row->letter};
		if (row->letter == LONG_ALL)
			continue;
		*letter++ = (char)row->letter;
		if (row->argument)
			*letter++ = ':';
	}
}

/* In a unit's journal this line is all there is, so it names the word that is wrong. */
static enum cmdline_mode wrong(const char *culprit, const char *why)
{
	log_errx("%s %s; see `nodecanary --help`", culprit, why);
	return CMDLINE_WRONG;
}

/*
 * What getopt_long() refused. An unknown letter is in optopt; anything else is in the word
 * before optind, which has already moved past it.
 */
static enum cmdline_mode wrong_option(const char *letters, char *argv[], const char *why)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	return wrong(optopt && !strchr(letters, optopt) ? letter : argv[optind - 1], why);
}

/* Each mode excludes all others; naming one of them twice is harmless. */
static enum cmdline_mode merge_modes(enum cmdline_mode old, enum cmdline_mode new)
{
	if (old == CMDLINE_RUN || old == new)
		return new;
	return wrong("-C and -l", "exclude each other");
}

/* What only the whole line shows. */
static enum cmdline_mode check_modes(enum cmdline_mode mode, bool all, bool quiet,
				     bool verbose)
{
	if (quiet && verbose)
		return wrong("-q and -v", "exclude each other");
	if (all && mode != CMDLINE_LIST)
		return wrong("--all", "requires -l");
	return all ? CMDLINE_LIST_ALL : mode;
}

/*
 * The same names as for `textfile`. The name may become the label `file`, so one that is not
 * in UTF-8 would make the whole file invalid.
 */
static bool is_output(const char *path)
{
	return strcmp(path, "-") == 0 ||
	       (options_is_prom_path(path) && text_is_utf8(path, strlen(path)));
}

enum cmdline_mode cmdline_parse(struct cmdline *cmdline, int argc, char *argv[])
{
	enum cmdline_mode mode = CMDLINE_RUN;
	bool quiet = false, verbose = false, all = false;
	struct getopt_tables tables = {.letters = ""};
	int c;

	*cmdline = (struct cmdline){.config = CONFIGLOAD_DEFAULT_FILE,
				    .verbosity = LOG_LEVEL_WARNING};
	build_tables(&tables);
	opterr = 0; /* its own messages lack the level prefix of the journal */
	optind = 0; /* glibc and musl: forget any line parsed before */
	while ((c = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		switch (c) {
		case 'c': cmdline->config = optarg; break;
		case 'd': cmdline->drop_ins = optarg; break;
		case 'o': cmdline->output = optarg; break;
		case 'n': cmdline->dry_run = true; break;
		case 't': cmdline->table = true; break;
		case 'C': mode = merge_modes(mode, CMDLINE_CHECK); break;
		case 'l': mode = merge_modes(mode, CMDLINE_LIST); break;
		case LONG_ALL: all = true; break;
		case 'q': quiet = true; break;
		case 'v': verbose = true; break;
		case 'V': return CMDLINE_VERSION;
		case 'h': return CMDLINE_HELP;
		case ':':
			return wrong_option(tables.letters, argv, "requires an argument");
		default:
			return wrong_option(tables.letters, argv,
					    "is not an option, or takes no argument");
		}
		/* The first mistake only: what follows it may be its argument. */
		if (mode == CMDLINE_WRONG)
			return mode;
	}
	if (optind < argc)
		return wrong(argv[optind], "is not an option");
	if (cmdline->output && !is_output(cmdline->output)) {
		log_errx(
			"-o `%s`: expected - or a file that ends in .prom (node_exporter reads no other), in UTF-8; see `nodecanary --help`",
			cmdline->output);
		return CMDLINE_WRONG;
	}
	if (quiet)
		cmdline->verbosity = LOG_LEVEL_ERROR;
	if (verbose)
		cmdline->verbosity = LOG_LEVEL_INFO;
	return check_modes(mode, all, quiet, verbose);
}
