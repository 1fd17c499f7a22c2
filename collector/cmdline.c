#include "cmdline.h"

#include <getopt.h>
#include <string.h>

#include "config/configload.h"

#define LETTERS ":c:d:o:ntClqvVh"
#define LONG_ALL 256

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"drop-ins", required_argument, NULL, 'd'},
	{"output", required_argument, NULL, 'o'},
	{"dry-run", no_argument, NULL, 'n'},
	{"table", no_argument, NULL, 't'},
	{"check", no_argument, NULL, 'C'},
	{"list-peers", no_argument, NULL, 'l'},
	{"all", no_argument, NULL, LONG_ALL},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

void cmdline_help(FILE *out)
{
	fputs("Usage: nodecanary [-c FILE] [-d DIR] [-o FILE|-] [-n] [-t] [-C] [-l] [-q|-v]\n"
	      "\n"
	      "Pings the peers of an INI file and publishes latency and loss for the textfile\n"
	      "collector of Prometheus' node_exporter.\n"
	      "\n"
	      "  -c, --config FILE   configuration (" CONFIGLOAD_DEFAULT_FILE ")\n"
	      "  -d, --drop-ins DIR  directory of further *.ini files (FILE.d)\n"
	      "  -o, --output FILE   file to publish, in place of `textfile`; - is stdout\n"
	      "  -n, --dry-run       ping, but publish nothing\n"
	      "  -t, --table         print a table of the results\n"
	      "  -C, --check         check the configuration and say what a run would do\n"
	      "  -l, --list-peers    print whom this node would ping, and whom not and why\n"
	      "      --all           with -l: who pings whom, of the whole list\n"
	      "  -q, --quiet         errors only\n"
	      "  -v, --verbose       say more\n"
	      "  -V, --version       print the version\n"
	      "  -h, --help          print this\n"
	      "\n"
	      "Exit status: 0 published (peers that are down are data, not failure), 64 usage,\n"
	      "71 system error, 73 the output cannot be written, 75 another run holds the lock,\n"
	      "77 no permission for raw sockets, 78 configuration.\n",
	      out);
}

/* The culprit, and what is wrong with it. */
static enum cmdline_mode wrong(const char *culprit, const char *why)
{
	log_errx("%s%s; `nodecanary --help` names the options", culprit, why);
	return CMDLINE_WRONG;
}

/*
 * getopt's complaint. An unknown letter is in optopt; any other culprit stands before
 * optind, which has gone past it.
 */
static enum cmdline_mode wrong_option(char *argv[], const char *why)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	const char *word = argv[optind - 1];

	return wrong(optopt && !strchr(LETTERS, optopt) ? letter : word, why);
}

/* A mode that excludes others; the second one is a mistake. */
static enum cmdline_mode merge_modes(enum cmdline_mode old, enum cmdline_mode new)
{
	if (old == CMDLINE_RUN || old == new)
		return new;
	return wrong("-C and -l", " exclude each other");
}

enum cmdline_mode cmdline_parse(struct cmdline *cmdline, int argc, char *argv[])
{
	enum cmdline_mode mode = CMDLINE_RUN;
	bool quiet = false, verbose = false, all = false;
	int c;

	*cmdline = (struct cmdline){.config = CONFIGLOAD_DEFAULT_FILE,
				    .verbosity = LOG_LEVEL_WARNING};
	opterr = 0;
	/* Begins anew, whatever has been parsed before. */
	optind = 0;
	while ((c = getopt_long(argc, argv, LETTERS, long_options, NULL)) != -1) {
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
		case ':': return wrong_option(argv, " wants an argument");
		default: return wrong_option(argv, " is no option, or takes no argument");
		}
		if (mode == CMDLINE_WRONG)
			return mode;
	}
	if (optind < argc)
		return wrong(argv[optind], " is no option");
	if (quiet && verbose)
		return wrong("-q and -v", " exclude each other");
	if (all && mode != CMDLINE_LIST)
		return wrong("--all", " goes with -l alone");
	if (all)
		mode = CMDLINE_LIST_ALL;
	if (quiet)
		cmdline->verbosity = LOG_LEVEL_ERROR;
	if (verbose)
		cmdline->verbosity = LOG_LEVEL_INFO;
	return mode;
}
