// Short forms in expressions. J stands for the labels that keep fleets apart; @NAME for the metric nodecanary_NAME (@up
// for up) with the selector of the configuration.
{
  // None is the beginning of another.
  local metrics = [
    'address_conflict', 'counters_start_timestamp_seconds', 'discarded_rounds_total',
    'echo_requests_received_total', 'echo_requests_sent_total', 'group_observers', 'group_rtt_seconds_bucket',
    'group_rtt_seconds_count', 'group_rtt_seconds_sum', 'last_run_success',
    'last_run_timestamp_seconds', 'mtu_replies_total', 'mtu_requests_total', 'path_mtu_bytes',
    'peer_info', 'peer_list_hash', 'peer_resolved', 'peers', 'receive_drops_total', 'replies_total',
    'requests_total', 'roam_unresponsive', 'rtt_mean_seconds', 'rtt_seconds_bucket',
    'rtt_seconds_count', 'rtt_seconds_sum', 'runs_total', 'self_info', 'unsent_total',
  ],

  local selected(text, metric, name, selector) =
    std.strReplace(std.strReplace(text, '@' + metric + '{', name + '{' + selector + ','), '@' + metric, name + '{' + selector + '}'),

  // Lines of a text, without the empty one that ends a text block. std.rstripChars, std.findSubstr and
  // std.escapeStringJson take seconds for long texts where std.split and std.strReplace take none.
  lines(text)::
    local all = std.split(text, '\n');
    if all[std.length(all) - 1] == '' then all[0:std.length(all) - 1] else all,

  expand(text, config)::
    local jobs = std.strReplace(config.jobLabels, ',', ', ');
    local labelled = std.strReplace(std.strReplace(text, '(J)', '(' + jobs + ')'), '(J,', '(' + jobs + ',');
    if config.selector == '' then std.strReplace(std.strReplace(labelled, '@up', 'up'), '@', 'nodecanary_')
    else std.foldl(
      function(found, metric) selected(found, metric, 'nodecanary_' + metric, config.selector),
      metrics, selected(labelled, 'up', 'up', config.selector)
    ),
}
