/*
 * The file of the previous run, as an attacker would write it. The input is the file
 * without its seal, which the target adds: otherwise no input would get past it. An input
 * that begins with a seal is the whole file.
 *
 * What is restored is written, read back, and written again with the same bytes; and what
 * a run without a configuration republishes restores to the same.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char ini[] =
	"[probe]\nbuckets = 1ms 10ms 100ms\n"
	"[peers]\nalpha = 10.0.0.1 rack=\"r 7\"\nbeta = beta.example.net\n"
	"[probe both]\nfamily = both\nhistogram = group\n[peers both]\n"
	"gamma = gamma.example.net\ndelta = 10.0.0.3, fd00::3\n"
	"[probe off]\nhistogram = off\n[peers off]\na%\\b = fd00::4\n";

static struct config config;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fleet fleet;

	(void)argc;
	(void)argv;
	fleet_load(&fleet, ini);
	config = fleet.config;
	targets_free(&fleet.targets);
	return 0;
}

static void begin(struct fleet *fleet)
{
	*fleet = (struct fleet){.config = config};
	assert_int_equal(targets_build(&fleet->targets, &config), 0);
}

/* What is written after `text` has been taken over, to be freed; NULL where it is not. */
static char *restore_and_write(const char *text, size_t len)
{
	struct fleet fleet;
	char *written = NULL;

	begin(&fleet);
	if (fleet_restore_bytes(&fleet, text, len) == RESTORE_TAKEN) {
		targets_select(&fleet.targets, "");
		written = fleet_write(&fleet, NULL);
	}
	targets_free(&fleet.targets);
	return written;
}

static void check_taken(const char *written)
{
	char *again = restore_and_write(written, strlen(written));

	assert_non_null(again);
	assert_same_text(again, written);
	assert_strict(written);
	fuzz_keep(written);
	free(again);
}

/* Republished without a configuration, the state is the same to the next run. */
static void check_republished(const char *text, const char *written)
{
	char *republished = fleet_republish(text), *after;

	if (!republished)
		return;
	after = restore_and_write(republished, strlen(republished));
	assert_true(!after == !written);
	if (written)
		assert_same_text(after, written);
	free(after);
	free(republished);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_messages messages;
	char *body = strndup((const char *)data, size), *text, *written;
	bool whole = strncmp(body, PROMFILE_STATE "end ",
			     sizeof(PROMFILE_STATE "end ") - 1) == 0;
	off_t said;

	text = whole ? strdup(body) : fleet_seal(body);
	fuzz_messages_begin(&messages);
	written = restore_and_write(text, strlen(text));
	said = fuzz_messages_end(&messages);
	assert_true(written ? said == 0 : said > 0);
	if (written)
		check_taken(written);
	check_republished(text, written);
	free(written);
	free(text);
	free(body);
	return 0;
}
