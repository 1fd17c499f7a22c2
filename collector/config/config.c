#include "config/config.h"

#include <stdlib.h>
#include <string.h>

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
	free(config->peers);
	free(config->groups);
	free(config->files);
	memset(config, 0, sizeof(*config));
}

bool config_has_names(const struct config *config)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].host)
			return true;
	return false;
}
