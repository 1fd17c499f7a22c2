// What is recorded for dashboards, and the past of the latency.
local promql = import 'promql.libsonnet';
{
  local config = $._config,
  local raw = [
    {
      name: 'nodecanary-pairs',
      rules: [
      { record: 'nodecanary:fresh:bool2m', expr: 'group by (J, instance) (rate(@runs_total[2m]) > 0)' },
      { record: 'pair:nodecanary_requests:rate5m', expr: 'rate(@requests_total[5m]) > 0' },
      {
        record: 'pair:nodecanary_loss:ratio_rate5m',
        expr: '1 - rate(@replies_total[5m]) / pair:nodecanary_requests:rate5m',
      },
      {
        comment:: |||
          With histogram = group or off a pair has the means of single runs, of which each scrape sees one.
        |||,
        record: 'pair:nodecanary_rtt_seconds:mean_rate5m',
        expr: |||
          rate(@rtt_seconds_sum[5m]) / (rate(@rtt_seconds_count[5m]) > 0)
            or
          avg_over_time(@rtt_mean_seconds[5m])
            and @rtt_mean_seconds
            and on (J, instance) nodecanary:fresh:bool2m
        |||,
      },
      ],
    },
    {
      comment:: |||
        The past of the latency, in two steps and seldom, because a day of all pairs is too much to read every time.
        Pairs that are young or half lost teach nothing: the mean of few replies may be low by chance.
      |||,
      name: 'nodecanary-past',
      interval: '4m',
      rules: [
      {
        record: 'pair:nodecanary_rtt_seconds:mean_rate5m_min4m',
        expr: |||
          min_over_time(pair:nodecanary_rtt_seconds:mean_rate5m[4m])
            and pair:nodecanary_rtt_seconds:mean_rate5m offset 5m
            and pair:nodecanary_loss:ratio_rate5m < 0.5
        |||,
      },
      {
        record: 'pair:nodecanary_rtt_seconds:mean_rate5m_min1d',
        expr: 'min_over_time(pair:nodecanary_rtt_seconds:mean_rate5m_min4m[1d])',
      },
      ],
    },
    {
      comment:: |||
        For dashboards: quantiles of pairs, and the views of a node on its peers (outbound), of its observers on a
        peer (inbound), and of the members of one group on the peers of another (groups). All buckets of all pairs
        are read four times here, which is most of the work of this file: once a minute will do.
      |||,
      name: 'nodecanary-views',
      interval: '1m',
      rules: [
      {
        comment:: |||
          A quantile of nothing is NaN: `>= 0` drops it.
        |||,
        record: 'pair:nodecanary_rtt_seconds:p50_rate5m',
        expr: 'histogram_quantile(0.5, rate(@rtt_seconds_bucket[5m])) >= 0',
      },
      {
        record: 'pair:nodecanary_rtt_seconds:p99_rate5m',
        expr: 'histogram_quantile(0.99, rate(@rtt_seconds_bucket[5m])) >= 0',
      },
      {
        record: 'outbound:nodecanary_requests:rate5m',
        expr: 'sum by (J, instance, group) (rate(@requests_total[5m])) > 0',
      },
      {
        record: 'outbound:nodecanary_replies:rate5m',
        expr: 'sum by (J, instance, group) (rate(@replies_total[5m]))',
      },
      {
        record: 'outbound:nodecanary_loss:ratio_rate5m',
        expr: '1 - outbound:nodecanary_replies:rate5m / outbound:nodecanary_requests:rate5m',
      },
      {
        comment:: |||
          With histogram = group there is one histogram for all peers: the same view.
        |||,
        record: 'outbound:nodecanary_rtt_seconds_sum:rate5m',
        expr: |||
          sum by (J, instance, group) (rate(@rtt_seconds_sum[5m]))
            or sum by (J, instance, group) (rate(@group_rtt_seconds_sum[5m]))
        |||,
      },
      {
        record: 'outbound:nodecanary_rtt_seconds_count:rate5m',
        expr: |||
          (
            sum by (J, instance, group) (rate(@rtt_seconds_count[5m]))
              or sum by (J, instance, group) (rate(@group_rtt_seconds_count[5m]))
          ) > 0
        |||,
      },
      {
        record: 'outbound:nodecanary_rtt_seconds_bucket:rate5m',
        expr: |||
          sum by (J, instance, group, le) (rate(@rtt_seconds_bucket[5m]))
            or sum by (J, instance, group, le) (rate(@group_rtt_seconds_bucket[5m]))
        |||,
      },
      {
        record: 'outbound:nodecanary_rtt_seconds:mean_rate5m',
        expr: |||
          outbound:nodecanary_rtt_seconds_sum:rate5m / outbound:nodecanary_rtt_seconds_count:rate5m
            or avg by (J, instance, group) (pair:nodecanary_rtt_seconds:mean_rate5m)
        |||,
      },
      {
        record: 'outbound:nodecanary_rtt_seconds:p50_rate5m',
        expr: 'histogram_quantile(0.5, outbound:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      {
        record: 'outbound:nodecanary_rtt_seconds:p99_rate5m',
        expr: 'histogram_quantile(0.99, outbound:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      {
        record: 'inbound:nodecanary_loss:ratio_rate5m',
        expr: |||
          1 - sum by (J, group, peer) (rate(@replies_total[5m]))
            / (sum by (J, group, peer) (rate(@requests_total[5m])) > 0)
        |||,
      },
      {
        record: 'inbound:nodecanary_rtt_seconds:mean_rate5m',
        expr: |||
          sum by (J, group, peer) (rate(@rtt_seconds_sum[5m]))
            / (sum by (J, group, peer) (rate(@rtt_seconds_count[5m])) > 0)
            or avg by (J, group, peer) (pair:nodecanary_rtt_seconds:mean_rate5m)
        |||,
      },
      {
        comment:: |||
          While a new set of buckets is being rolled out, sums of buckets that only some observers have
          would be nonsense: only the bounds that all of them have are used.
        |||,
        record: 'inbound:nodecanary_rtt_seconds_bucket:rate5m',
        expr: |||
          sum by (J, group, peer, le) (rate(@rtt_seconds_bucket[5m]))
            and on (J, group, peer, le) (
              count by (J, group, peer, le) (@rtt_seconds_bucket)
                == on (J, group, peer) group_left ()
              count by (J, group, peer) (@rtt_seconds_bucket{le="+Inf"})
            )
        |||,
      },
      {
        record: 'inbound:nodecanary_rtt_seconds:p50_rate5m',
        expr: 'histogram_quantile(0.5, inbound:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      {
        record: 'inbound:nodecanary_rtt_seconds:p99_rate5m',
        expr: 'histogram_quantile(0.99, inbound:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      {
        comment:: |||
          From which group a node looks at a group: from that group itself where it is a member; else
          from the smallest group of which it is a member, the rack rather than the fleet.
        |||,
        record: 'nodecanary:from_group:info',
        expr: |||
          group by (J, instance, group, from_group) (
            label_replace(@self_info, "from_group", "$1", "group", "(.*)")
          )
          or on (J, instance, group)
          0 * outbound:nodecanary_requests:rate5m + on (J, instance) group_left (from_group)
            group by (J, instance, from_group) (
              label_replace(
                bottomk by (J, instance) (1, @group_observers),
                "from_group", "$1", "group", "(.*)"
              )
            )
        |||,
      },
      {
        record: 'groups:nodecanary_loss:ratio_rate5m',
        expr: |||
          1 - sum by (J, from_group, group) (
            outbound:nodecanary_replies:rate5m
              * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
          ) / sum by (J, from_group, group) (
            outbound:nodecanary_requests:rate5m
              * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
          )
        |||,
      },
      {
        record: 'groups:nodecanary_rtt_seconds:mean_rate5m',
        expr: |||
          sum by (J, from_group, group) (
            outbound:nodecanary_rtt_seconds_sum:rate5m
              * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
          ) / sum by (J, from_group, group) (
            outbound:nodecanary_rtt_seconds_count:rate5m
              * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
          )
        |||,
      },
      {
        record: 'groups:nodecanary_rtt_seconds_bucket:rate5m',
        expr: |||
          sum by (J, from_group, group, le) (
            outbound:nodecanary_rtt_seconds_bucket:rate5m
              * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
          )
          and on (J, from_group, group, le) (
            count by (J, from_group, group, le) (
              outbound:nodecanary_rtt_seconds_bucket:rate5m
                * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
            )
            == on (J, from_group, group) group_left ()
            count by (J, from_group, group) (
              outbound:nodecanary_rtt_seconds_bucket:rate5m{le="+Inf"}
                * on (J, instance, group) group_left (from_group) nodecanary:from_group:info
            )
          )
        |||,
      },
      {
        record: 'groups:nodecanary_rtt_seconds:p50_rate5m',
        expr: 'histogram_quantile(0.5, groups:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      {
        record: 'groups:nodecanary_rtt_seconds:p99_rate5m',
        expr: 'histogram_quantile(0.99, groups:nodecanary_rtt_seconds_bucket:rate5m) >= 0',
      },
      ],
    },
  ],
  prometheusRules+:: { groups+: [
    group { rules: [rule { expr: promql.expand(rule.expr, config) } for rule in group.rules] }
    for group in raw
  ] },
}
