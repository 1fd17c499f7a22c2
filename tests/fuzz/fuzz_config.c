/*
 * A configuration file, whatever is in it. What is refused is refused with a message;
 * what is accepted can be checked, listed, published, and read back.
 */
#include "fuzz.h"

#include "ping/batches.h"
#include "estimate.h"
#include "print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *nowhere;

static void check_lists(struct fleet *fleet)
{
	struct batches batches;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	assert_non_null(nowhere);
	for (size_t i = 0; i < fleet->config.group_count; i++)
		assert_true(targets_list_hash(&fleet->targets, i) < UINT64_C(1) << 48);
	assert_int_equal(batches_build(&batches, &fleet->targets, INT64_MAX), 0);
	(void)estimate_print(nowhere, &fleet->targets, &batches);
	batches_free(&batches);
	print_peers(nowhere, &fleet->targets);
}

static void check_published(struct fleet *fleet)
{
	char *written = fleet_write(fleet, NULL), *again;

	assert_strict(written);
	fuzz_keep(written);
	targets_reset(&fleet->targets);
	fleet->node = (struct stats_node){.runs = 0};
	assert_int_equal(fleet_restore(fleet, written), RESTORE_TAKEN);
	targets_select(&fleet->targets, "");
	again = fleet_write(fleet, NULL);
	assert_same_text(again, written);
	free(again);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_messages messages;
	struct fleet fleet = {.node = {.counters_start_ns = FLEET_NOW_NS}};
	int fd = fleet_fd((const char *)data, size);
	enum config_result result;
	char path[64];
	off_t said;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_messages_begin(&messages);
	result = configload_read(&fleet.config, path, NULL);
	said = fuzz_messages_end(&messages);
	assert_true(result != CONFIG_NO_MEMORY);
	assert_true(result == CONFIG_VALID || said > 0);
	if (result == CONFIG_VALID) {
		assert_int_equal(targets_build(&fleet.targets, &fleet.config), 0);
		targets_select(&fleet.targets, "");
		fuzz_messages_begin(&messages);
		check_lists(&fleet);
		fuzz_messages_end(&messages);
		check_published(&fleet);
		targets_free(&fleet.targets);
	}
	config_free(&fleet.config);
	close(fd);
	return 0;
}
