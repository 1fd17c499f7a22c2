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

enum config_result config_error(struct place place, const char *fmt, ...)
{
	/* A line of an INI file is short, but it may be quoted beside two long paths. */
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (place.line)
		log_errx("%s:%u: %s", place.path, place.line, message);
	else
		log_errx("%s: %s", place.path, message);
	return CONFIG_INVALID;
}
