#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->peer_count; i++) {
		free(config->peers[i].name);
		free(config->peers[i].host);
		labels_free(&config->peers[i].labels);
	}
	for (size_t i = 0; i < config->group_count; i++) {
		free(config->groups[i].name);
		labels_free(&config->groups[i].labels);
	}
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	/* Peers point at the names of files, so these are freed together. */
	free(config->peers);
	free(config->groups);
	free(config->files);
	memset(config, 0, sizeof(*config));
}

/* A run without names never forks the processes that resolve them. */
bool config_has_names(const struct config *config)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].host)
			return true;
	return false;
}

/* The values of the enum ascend from good to bad. */
enum config_result config_worse(enum config_result a, enum config_result b)
{
	return a > b ? a : b;
}

/* One mistake in a template is thousands in a list that was made from it. */
static size_t error_count, error_limit = SIZE_MAX;

enum config_result config_error(struct place place, const char *fmt, ...)
{
	/* A line of an INI file may be quoted beside two long paths. */
	char message[1024];
	va_list ap;

	if (error_count++ >= error_limit)
		return CONFIG_INVALID;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (place.line)
		log_errx("%s:%u: %s", place.path, place.line, message);
	else
		log_errx("%s: %s", place.path, message);
	return CONFIG_INVALID;
}

void config_limit_errors(size_t most)
{
	error_limit = most;
}

void config_finish_errors(void)
{
	size_t more = error_count > error_limit ? error_count - error_limit : 0;

	if (more >= 1000)
		log_errx("and %zu,%03zu more; `nodecanary --check` prints all",
			 more / 1000, more % 1000);
	else if (more > 0)
		log_errx("and %zu more; `nodecanary --check` prints all", more);
	error_count = 0;
}

_Static_assert(LABELS_MAX == 32, "as the message below says");

enum config_result config_add_label(struct place place, const char *peer,
				    struct label_list *list, const char *label,
				    char *value)
{
	const char *why = labels_forbidden(label);

	if (!why)
		why = labels_unquote(value);
	if (!why && list->count == LABELS_MAX)
		why = "too many labels (at most 32)";
	if (!why) {
		switch (labels_add(list, label, value)) {
		case LABELS_ADDED: return CONFIG_VALID;
		case LABELS_NO_MEMORY: return CONFIG_NO_MEMORY;
		case LABELS_DUPLICATE: why = "already set"; break;
		}
	}
	if (peer)
		return config_error(place, "peer `%s`: label `%s`: %s", peer, label, why);
	return config_error(place, "label `%s`: %s", label, why);
}
