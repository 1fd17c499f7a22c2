// The groups of verdicts and alerts. Verdicts stand in the same group as the alerts that are made of them: groups are
// evaluated at different moments, which would delay each step by up to an interval.
local promql = import 'promql.libsonnet';
{
  local mixin = $,
  local config = $._config,
  local v = $,

  // --- texts ---

  local escaped(label) = '{{ $labels.%s | urlquery }}' % label,
  local query(labels) = std.join('&', ['%s=%s' % [label, escaped(label)] for label in labels]),
  local page = {
    group: 'nodecanary.html?' + query(['job', 'group']),
    job: 'nodecanary.html?' + query(['job']),
    pair: 'nodecanary-pair.html?' + query(['job', 'instance', 'group', 'peer']),
  },

  local alert(name, severity, expr, texts, wait={}) = wait {
    alert: 'Nodecanary' + name,
    expr: expr,
    labels: { severity: severity },
    annotations: {
      summary: texts[0],
      description: std.join(' ', promql.lines(texts[1])),
      action: std.join(' ', promql.lines(texts[2])),
      console: '{{ $externalURL }}%s/%s' % [config.consoles, page[texts[3]]],
      runbook_url: config.runbook % std.asciiLower('Nodecanary' + name),
    },
  },
  local after(time) = { 'for': time },
  local holding(time) = { keep_firing_for: time },

  // Names of what a series says, for texts.
  local names(series, label) =
    '{{ range query (printf "topk(20, %s)" %s) }}{{ .Labels.%s }} {{ end }}' % series + [label],

  // `family` only if the other family is well.
  local ofFamily(held, level, labels) = |||
    count without (family) (%(held)s) == on (%(labels)s) group_left () count without (family) (%(level)s:nodecanary_measured:count)
      or ignoring (family)
    %(held)s
  ||| % { held: held, level: level, labels: labels },
  local ofPair(held) = |||
    count without (family) (%(held)s) == count without (family) (pair:nodecanary_loss:ratio_last)
      or ignoring (family)
    %(held)s
  ||| % { held: held },
  local inPeer = 'J, group, peer',
  local inObserver = 'J, instance, group',

  local over = '{{ with $labels.family }} over {{ . }}{{ end }}',

  // --- down ---

  local downAlerts = [
    alert('GroupDown', 'critical', v.held('group:nodecanary_down:bool', 4, 5), [
      'Most nodes of group {{ $labels.group }} are down or cut off from each other.',
      |||
        At least half of the nodes of group {{ $labels.group }}, or most of its observers, have no connection. It is
        the network between them, or what they all depend on, not each of them.
      |||,
      'Open the console page: blocks that reach each other show where the network is split. Then the switch or router between them; power and cooling if the nodes are off.',
      'group',
    ]),
    alert('SiteDown', 'critical', v.held('site:nodecanary_down:bool', 4, 5) + '\n  unless on (J, group) ' + v.lately('group:nodecanary_down:bool')
                                  + '\n' + self.smallerSites('down'), [
      '{{ $labels.level }} {{ $labels.site }} is unreachable.',
      'Most nodes of group {{ $labels.group }} with the label {{ $labels.level }}="{{ $labels.site }}" are down or cut off from the others.',
      'Look at what they share: the uplink and power of {{ $labels.site }}, its switch. Reach one of its nodes by another network (console, BMC).',
      'group',
    ]),
    alert('Split', 'critical', 'max_over_time(part:nodecanary_down:count[1m])\n  and\n' + v.held('part:nodecanary_down:count', 4, 5), [
      'Group {{ $labels.group }} is split: {{ $value }} nodes are cut off from the others.',
      |||
        {{ $value }} nodes of group {{ $labels.group }} run and reach each other, but not the rest{{ with $labels.family }} over {{ . }}{{ end }}:
        {{ range sortByLabel "peer" (query (printf "group by (peer) (peer:nodecanary_part:bool{group=%q})" $labels.group)) }}{{ .Labels.peer }} {{ end }}
      |||,
      'Look at what these nodes share: a switch, its uplink, a VLAN, a firewall. Services with a quorum may have lost it on their side.',
      'group',
    ]),
    alert('NodeDown', 'critical', ofFamily(
      '%s and %s' % [v.held('inbound:nodecanary_down:bool', 4, 5), v.lately('peer:nodecanary_down:bool')], 'inbound', inPeer
    ), [
      'Node {{ $labels.peer }} is unreachable.',
      |||
        Most observers of {{ $labels.peer }} in group {{ $labels.group }} got no reply from it%s. It is down or cut off.
      ||| % over,
      'Is it still scraped? Then its network to the others is broken; otherwise look at its console or BMC.',
      'group',
    ]),
    alert('Unanswered', 'warning', ofFamily(v.held('peer:nodecanary_unanswered:bool', 6, 8), 'inbound', inPeer), [
      'Node {{ $labels.peer }} does not answer pings, but it is alive.',
      |||
        Most observers of {{ $labels.peer }} in group {{ $labels.group }} get no reply from it%s, while it runs, is scraped,
        and reaches most others itself. Pings to it are refused or get lost; other traffic may be well.
      ||| % over,
      'Look at its firewall (`nft list ruleset`, `sysctl net.ipv4.icmp_echo_ignore_all`) and at the address in the list of peers.',
      'group',
    ]),
    alert('ObserverProblem', 'warning', ofFamily(v.held('observer:nodecanary_down:bool', 6, 8), 'outbound', inObserver), [
      'Node {{ $labels.instance }} cannot reach most of its peers.',
      |||
        {{ $labels.instance }} gets no reply from most of the peers of group {{ $labels.group }} that others
        reach%s, while it is itself reached. The problem is this node's own.
      ||| % over,
      'On the node: `nodecanary -n -t`, its routes, and a firewall that drops echo replies.',
      'group',
    ]),
    alert('PathDown', 'warning', ofPair(v.held('path:nodecanary_down:bool', 6, 8)), [
      'Node {{ $labels.instance }} cannot reach {{ $labels.peer }}.',
      |||
        {{ $labels.instance }} gets no reply from {{ $labels.peer }} of group {{ $labels.group }}%s. Both are well with others: the path between them is bad.
      ||| % over,
      'From one to the other: `mtr -n`, then bonding and ECMP members, access lists. The opposite direction has an alert of its own if it fails, too.',
      'pair',
    ]),
    alert('Flapping', 'critical', |||
      group by (J, group, peer) (peer:nodecanary_flapping:bool)
        or
      group by (J, instance, group, peer) (path:nodecanary_flapping:bool and path:nodecanary_flapping:bool offset 5m)
        or
      group by (J, instance, group) (observer:nodecanary_flapping:bool)
        or
      group by (J, group, level, site) (site:nodecanary_flapping:bool)
        or
      group by (J, group) (group:nodecanary_flapping:bool)
    |||, [
      '{{ with $labels.site }}{{ $labels.level }} {{ . }}{{ else }}{{ with $labels.instance }}The path from {{ . }} to {{ or $labels.peer "its peers" }}{{ else }}{{ with $labels.peer }}Node {{ . }}{{ else }}Group {{ $labels.group }}{{ end }}{{ end }}{{ end }} goes down again and again.',
      'It was silent for more than %s %% of the last 45 minutes, in several outages, and answered in between.' % (100 * config.flapShare),
      'Look at the log of the switch port and of the interface (link up, link down), at reboots (`last -x`), at a duplicate address.',
      'group',
    ], holding('10m')),
  ],

  smallerSites(kind)::
    local labels = std.split(config.siteLabels, ',');
    std.join('\n', [
      |||
        unless on (J, group, level, site) (
            nodecanary:site:info{level="%(small)s"} and on (J, group, peer) (
              nodecanary:site:info{level="%(large)s"} and on (J, group, level, site) site:nodecanary_%(k)s:bool
            )
          )
      ||| % { small: labels[i], large: labels[j], k: kind }
      for i in std.range(0, std.length(labels) - 1)
      for j in std.range(i + 1, std.length(labels) - 1)
    ]),

  // --- loss ---

  local ratio(level) = '%s:nodecanary_loss:ratio_rate5m' % level,
  local lossAlerts = [
    alert('GroupLoss', 'warning', 'group:nodecanary_lossy:bool', [
      'Packets are lost between most nodes of group {{ $labels.group }}.',
      'Most members of group {{ $labels.group }}, or most of its observers, lose packets to most others. It is the network between them, not each of them.',
      'Errors and drops of the switches between them, their load; a change of the network at that time.',
      'group',
    ], after('30s') + holding(config.lossHold)),
    alert('SiteLoss', 'warning', 'site:nodecanary_lossy:bool unless on (J, group) max_over_time(group:nodecanary_lossy:bool[15m])\n' + self.smallerSites('lossy'), [
      'Packets to {{ $labels.level }} {{ $labels.site }} are lost.',
      'Most nodes of group {{ $labels.group }} with the label {{ $labels.level }}="{{ $labels.site }}" lose packets.',
      'Look at what they share: errors and drops at the uplink and switch of {{ $labels.site }}.',
      'group',
    ], after('30s') + holding(config.lossHold)),
    alert('InboundLoss', 'warning', |||
      %(ratio)s
        and on (J, group, peer) (
          count without (family) (peer:nodecanary_lossy:bool)
            == count without (family) (inbound:nodecanary_measured:count)
        )
      or ignoring (family)
      peer:nodecanary_lossy:bool * on (J, group, peer) group_left () %(ratio)s
    ||| % { ratio: ratio('inbound') }, [
      'Node {{ $labels.peer }} loses packets.',
      |||
        Most observers of {{ $labels.peer }} in group {{ $labels.group }} lose requests to it%s, more than chance explains;
        {{ $value | humanizePercentage }} of all in the last five minutes.
        {{ range query (printf "node:nodecanary_lost_on_the_way:ratio_rate15m and on (job, instance) nodecanary_self_info{group=%%q,peer=%%q}" $labels.group $labels.peer) }}{{ if gt .Value 0.7 }}They get lost on the way to it.{{ else if lt .Value 0.3 }}They reach it; its replies get lost.{{ end }}{{ end }}
      ||| % over,
      'On the node: `ip -s link`, `ethtool -S` (errors, drops); the same at the switch port; the cable.',
      'group',
    ], holding(config.lossHold)),
    alert('OutboundLoss', 'warning', |||
      %(ratio)s
        * on (J, instance, group) group_left (peer) (
          count without (family) (observer:nodecanary_lossy:bool)
            == on (J, instance, group) group_left () count without (family) (outbound:nodecanary_measured:count)
        ) ^ 0
      or ignoring (family)
      observer:nodecanary_lossy:bool * on (J, instance, group) group_left () %(ratio)s
    ||| % { ratio: ratio('outbound') }, [
      'Node {{ $labels.instance }} loses packets to most of its peers.',
      |||
        {{ $labels.instance }} loses requests to most of the peers of group {{ $labels.group }} that others reach without
        loss%s; {{ $value | humanizePercentage }} of all in the last five minutes. Requests to it are not lost: the
        problem is this node's own, as a pinger.
      ||| % over,
      'On the node: its CPU, the rate limits of its firewall (echo replies), full queues (`nstat -az`, `tc -s qdisc`).',
      'group',
    ], after('30s') + holding(config.lossHold)),
    alert('Loss', 'warning', |||
      max without (family) (%(ratio)s)
        and
      count without (family) (path:nodecanary_lossy:bool) == count without (family) (%(ratio)s)
        or ignoring (family)
      (%(ratio)s and path:nodecanary_lossy:bool)
    ||| % { ratio: ratio('pair') }, [
      'Packets from {{ $labels.instance }} to {{ $labels.peer }} are lost.',
      |||
        {{ $labels.instance }} loses requests to {{ $labels.peer }} of group {{ $labels.group }}%s, more than chance explains;
        {{ $value | humanizePercentage }} in the last five minutes. Most other pairs of the two nodes are well: it is the path between them.
      ||| % over,
      '`mtr -n -c 100` in both directions; members of bonds and ECMP groups one by one.',
      'pair',
    ], holding(config.lossHold)),
  ],

  // --- latency ---

  local slower = 'more than %s ms slower than %s times the best of the last day' % [1000 * config.slowSeconds, config.slowFactor],
  local latencyAlerts = [
    alert('GroupLatency', 'warning', 'group:nodecanary_slow:bool', [
      'Round trips between most nodes of group {{ $labels.group }} are slower than before.',
      'Round trips to most members of group {{ $labels.group }}, or of most of its observers, are %s. It is the network between them, not each of them.' % slower,
      'The load of the network between them; a new route.',
      'group',
    ], after('10m')),
    alert('SiteLatency', 'warning', 'site:nodecanary_slow:bool unless on (J, group) max_over_time(group:nodecanary_slow:bool[2m])\n' + self.smallerSites('slow'), [
      'Round trips to {{ $labels.level }} {{ $labels.site }} are slower than before.',
      'Round trips to most nodes of group {{ $labels.group }} with the label {{ $labels.level }}="{{ $labels.site }}" are %s.' % slower,
      'The load of the uplink of {{ $labels.site }}; a new route to it.',
      'group',
    ], after('10m')),
    alert('InboundLatency', 'warning', |||
      %(mean)s
        and on (J, group, peer) (
          count without (family) (peer:nodecanary_slow:bool)
            == count without (family) (inbound:nodecanary_measured:count)
        )
      or ignoring (family)
      peer:nodecanary_slow:bool * on (J, group, peer) group_left () %(mean)s
    ||| % { mean: 'inbound:nodecanary_rtt_seconds:mean_rate5m' }, [
      'Round trips to node {{ $labels.peer }} are slower than before.',
      |||
        For most observers of {{ $labels.peer }} in group {{ $labels.group }}, round trips to it%s are %s:
        now {{ $value | humanizeDuration }}. Its link or the node itself is slow.
      ||| % [over, slower],
      'On the node: load, interrupts, a saturated link (`ip -s link`), a link that came up slower (`ethtool`).',
      'group',
    ], after('10m')),
    alert('OutboundLatency', 'warning', |||
      %(mean)s
        * on (J, instance, group) group_left (peer) (
          count without (family) (observer:nodecanary_slow:bool)
            == on (J, instance, group) group_left () count without (family) (outbound:nodecanary_measured:count)
        ) ^ 0
      or ignoring (family)
      observer:nodecanary_slow:bool * on (J, instance, group) group_left () %(mean)s
    ||| % { mean: 'outbound:nodecanary_rtt_seconds:mean_rate5m' }, [
      'Round trips of node {{ $labels.instance }} are slower than before.',
      |||
        Round trips of {{ $labels.instance }} to most of the peers of group {{ $labels.group }} to which those of others
        are not slow%s are %s: now {{ $value | humanizeDuration }}. Round trips to it are not: the problem is this node's own, as a pinger.
      ||| % [over, slower],
      'On the node: its load, its egress queue (`tc -s qdisc`).',
      'group',
    ], after('10m')),
    alert('Latency', 'warning', |||
      max without (family) (%(mean)s)
        and
      count without (family) (path:nodecanary_slow:bool) == count without (family) (%(mean)s)
        or ignoring (family)
      (%(mean)s and path:nodecanary_slow:bool)
    ||| % { mean: 'pair:nodecanary_rtt_seconds:mean_rate5m' }, [
      'Round trips from {{ $labels.instance }} to {{ $labels.peer }} are slower than before.',
      |||
        Round trips from {{ $labels.instance }} to {{ $labels.peer }} of group {{ $labels.group }}%s are %s:
        now {{ $value | humanizeDuration }}. Most other pairs of the two nodes are well: it is the path between them.
      ||| % [over, slower],
      'A change of route: the hop limit on the console page of the pair, `mtr -n` in both directions.',
      'pair',
    ], after('10m')),
  ],

  local mtuAlerts = [
    alert('MtuBlackHole', 'warning', |||
      group by (J, group, peer) (peer:nodecanary_mtu:bool)
        or
      group by (J, instance, group, peer) (path:nodecanary_mtu:bool)
        or
      group by (J, instance, group) (observer:nodecanary_mtu:bool)
        or
      group by (J, group, level, site) (site:nodecanary_mtu:bool)
        or
      group by (J, group) (group:nodecanary_mtu:bool)
    |||, [
      'Large packets {{ with $labels.instance }}from {{ . }} {{ end }}{{ with $labels.peer }}to {{ . }} {{ end }}{{ with $labels.site }}to {{ $labels.level }} {{ . }} {{ end }}get lost in group {{ $labels.group }}.',
      'Small packets pass, those of the configured `mtu` do not, and no router says why. Connections hang as soon as they send much.',
      'The MTU of each interface and switch port on the way; a firewall that drops "fragmentation needed" or "packet too big". `tracepath -n`.',
      'group',
    ], after('15m')),
    alert('RoamPairDown', 'warning', |||
      group by (J, instance, group) (
        count by (J, instance, group) (nodecanary:roam_unresponsive:bool) > 2
      )
        or
      group by (J, instance, group, peer) (nodecanary:roam_unresponsive:bool)
        unless on (J, instance, group) count by (J, instance, group) (nodecanary:roam_unresponsive:bool) > 2
    |||, [
      'Node {{ $labels.instance }} cannot reach {{ or $labels.peer "several nodes" }}.',
      'Found by the tour of all pairs (`roam`) in group {{ $labels.group }}; both ends are well with the peers that they watch.',
      'From one to the other: `mtr -n`; routes, access lists, bonding and ECMP members.',
      'group',
    ], after('15m')),
  ],

  // --- whether there are measurements at all ---

  local measurementRecords = [
    {
      comment:: |||
        Share of the requests that did not leave, for pairs that have such. Names without an address are reported as
        that, a host that can send nothing by its failing runs, and what is down as down.
      |||,
      record: 'pair:nodecanary_unsent:ratio_rate5m',
      expr: |||
        (rate(@unsent_total[5m]) > 0)
          / (rate(@unsent_total[5m]) + rate(@requests_total[5m]))
          unless on (J, instance) @last_run_success == 0
          unless on (J, instance, group, peer, family) @peer_resolved == 0
          unless on (J, instance, group) max_over_time(node:nodecanary_down:bool[2m])
          unless on (J, group, peer, family) max_over_time(inbound:nodecanary_down:bool[2m])
          unless on (J, instance, group, peer, family) pair:nodecanary_down:bool
      |||,
    },
    {
      record: 'peer:nodecanary_unsent:count',
      expr: |||
        count by (J, group, peer) (pair:nodecanary_unsent:ratio_rate5m > 0.05)
          > 0.5 * count by (J, group, peer) (
            @requests_total and on (J, instance) nodecanary:fresh:bool2m
          )
          > 1
      |||,
    },
    {
      comment:: |||
        Peers whose names an observer cannot look up; where most observers cannot; and where that is so for most names
        of most observers.
      |||,
      record: 'pair:nodecanary_unresolved:bool',
      expr: |||
        group by (J, instance, group, peer) (
          @peer_resolved == 0 and on (J, instance) nodecanary:fresh:bool2m
        )
      |||,
    },
    {
      record: 'peer:nodecanary_unresolved:count',
      expr: |||
        count by (J, group, peer) (pair:nodecanary_unresolved:bool)
          > 0.5 * count by (J, group, peer) (
            group by (J, instance, group, peer) (
              @peer_resolved and on (J, instance) nodecanary:fresh:bool2m
            )
          )
          > 1
      |||,
    },
    {
      record: 'job:nodecanary_unresolved:count',
      expr: |||
        count by (J) (peer:nodecanary_unresolved:count)
          > 0.5 * count by (J) (group by (J, group, peer) (@peer_resolved))
          > 1
      |||,
    },
    {
      comment:: 'Seconds by which the clock of a node is ahead of that of Prometheus, where a run has just ended.',
      record: 'node:nodecanary_clock_offset_seconds',
      expr: |||
        (@last_run_timestamp_seconds - timestamp(@last_run_timestamp_seconds))
          and changes(@last_run_timestamp_seconds[2m]) > 0
      |||,
    },
    {
      comment:: |||
        The only member of its group, that nobody pings in another group either, while the job has other nodes.
      |||,
      record: 'nodecanary:alone:bool',
      expr: |||
        group by (J, instance, group, peer) (
          @self_info
            and on (J, instance, group) @group_observers == 0
            and on (J, group, peer) inbound:nodecanary_alive:bool
            and on (J) count by (J) (nodecanary:fresh:bool2m) >= 2
            unless on (J, peer) (@requests_total and on (J, instance) max_over_time(nodecanary:fresh:bool2m[2m]))
        )
      |||,
    },
    {
      comment:: 'Pairs that the tour found silent, of nodes that are well.',
      record: 'nodecanary:roam_unresponsive:bool',
      expr: |||
        @roam_unresponsive
          and on (J, instance) nodecanary:fresh:bool2m
          unless on (J, group, peer) max_over_time(inbound:nodecanary_down:bool[5m])
          unless on (J, instance, group) max_over_time(outbound:nodecanary_down:bool[5m])
          unless on (J, instance, group) max_over_time(node:nodecanary_down:bool[5m])
          unless on (J, group) max_over_time(group:nodecanary_down:bool[5m])
      |||,
    },
  ],

  local measurementAlerts = [
    alert('Stale', 'warning', |||
      @last_run_timestamp_seconds
        and changes(@last_run_timestamp_seconds[3m]) == 0
        and present_over_time(@last_run_timestamp_seconds[2m] offset 2m)
        unless on (J, instance) avg_over_time(@up[3m]) < 0.5
    |||, [
      'Node {{ $labels.instance }} does not measure any more.',
      'Nothing has published on {{ $labels.instance }} for three minutes or more: its timer is off, or its runs cannot write. Whatever its file says is old.',
      'On the node: `systemctl status nodecanary.timer nodecanary.service`, free space under /var/lib.',
      'job',
    ], after('5m')) {
      comment:: |||
        A vanished node is no stale one: what is stale is there now and was there before, unchanged. A node that
        was away most of this time has just booted, and shows its old file until its first run.
      |||,
    },
    alert('Failing', 'warning', |||
      avg_over_time(@last_run_success[5m]) < 0.5
        and @last_run_success
        and changes(@last_run_timestamp_seconds[3m]) > 0
        unless on (J, instance) max_over_time(node:nodecanary_down:bool[2m])
    |||, [
      'Runs on node {{ $labels.instance }} fail.',
      'Most runs on {{ $labels.instance }} of the last five minutes measured nothing. The journal of nodecanary.service says why.',
      'On the node: `journalctl -u nodecanary -n 20`, then `nodecanary --check`.',
      'job',
    ], after('5m')),
    alert('Absent', 'warning', |||
      @up == 1
        and on (J) group by (J) (@runs_total)
        unless on (J, instance) @runs_total
      or
      group by (J) (present_over_time(nodecanary:fresh:bool2m[1h]))
        unless on (J) @runs_total
        unless on (J) max by (J) (@up) == 0
    |||, [
      '{{ with $labels.instance }}Node {{ . }}{{ else }}Job {{ $labels.job }}{{ end }} has no series of nodecanary.',
      '{{ with $labels.instance }}{{ . }} is scraped, but publishes nothing of nodecanary, which other instances of job {{ $labels.job }} do.{{ else }}Job {{ $labels.job }} had series of nodecanary within the last hour, and now no instance of it has.{{ end }}',
      'On the node: is the package there, does /var/lib/nodecanary/nodecanary.prom exist, and the link to it in the directory of node_exporter? `node_textfile_scrape_error`.',
      'job',
    ], after('15m')) { comment:: 'Instances of jobs in which others have nodecanary; and jobs that have it no more.' },
    alert('CountersRestarted', 'info', 'changes(@counters_start_timestamp_seconds[15m]) > 0', [
      'Counters of node {{ $labels.instance }} started again from zero.',
      'The state of {{ $labels.instance }} was lost or damaged within the last 15 minutes. Rates are not affected.',
      'On the node: `journalctl -u nodecanary` says which file was damaged, and how. If nobody removed it, check the disk.',
      'job',
    ]),
    alert('PeerListDrift', 'warning', 'nodecanary:peer_list_drift:bool', [
      'The peer list of node {{ $labels.instance }} differs.',
      '{{ $labels.instance }} has another list of the peers of group {{ $labels.group }}, or other keys that choose from it, than most nodes. Where all nodes are named, no list has a majority.',
      'Compare its configuration with that of another node (`nodecanary --list-peers`), and repeat the last roll-out on it.',
      'group',
    ], after('15m')),
    alert('WrongAddress', 'warning', |||
      group by (J, group, peer) (@address_conflict)
        or
      group by (J, group, peer) (
        @peer_info{address!=""} and on (J, instance, group, address) (
          count by (J, instance, group, address) (@peer_info{address!=""}) > 1
        )
      )
    |||, [
      'The address of {{ $labels.peer }} in the list of peers is wrong.',
      'The list of group {{ $labels.group }} gives {{ $labels.peer }} an address that belongs to another node, or gives two peers the same address. Numbers and alerts about {{ $labels.peer }} are about somebody else.',
      'Correct the list (or DNS), and roll it out: `nodecanary -l` shows names and addresses as a node sees them.',
      'group',
    ], after('2m')),
    // The largest offset of two minutes: at the first scrape after a short reboot, the last run is still from before the reboot.
    alert('Clock', 'warning', |||
      abs(%(offset)s + 8) > %(s)d
        unless on (J) abs(quantile by (J) (0.5, %(offset)s) + 8) > %(s)d
        or
      quantile by (J) (0.5, %(offset)s) + 8 > %(s)d
        or
      quantile by (J) (0.5, %(offset)s) + 8 < -%(s)d
    ||| % { s: config.clockSeconds, offset: 'max_over_time(node:nodecanary_clock_offset_seconds[2m])' }, [
      'The clock of {{ with $labels.instance }}{{ . }}{{ else }}Prometheus or of most nodes of job {{ $labels.job }}{{ end }} is wrong.',
      'Its last run, a fresh one, ended {{ $value | humanizeDuration }} away from the clock of Prometheus. The measurements are right, but times in its logs are not.',
      '`timedatectl`, `chronyc tracking`: is it synchronized, and with whom?',
      'job',
    ], after('5m')),
    alert('ReceiveDrops', 'warning', |||
      rate(@receive_drops_total[5m]) > 0
        unless on (J, instance) avg_over_time(@last_run_success[5m]) < 0.5
    |||, [
      'Node {{ $labels.instance }} drops replies at full receive buffers.',
      "The kernel of {{ $labels.instance }} dropped {{ $value | humanize }} packets a second at nodecanary's sockets. The rounds concerned do not count, so this is no loss, but less is measured.",
      'Raise `net.core.rmem_max` on the node (60-nodecanary-sysctl.conf), or `spacing`.',
      'job',
    ], after('15m')),
    alert('DiscardedRounds', 'warning', |||
      increase(@discarded_rounds_total{reason!="receive_drops"}[15m])
        > ignoring (reason) group_left ()
      0.5 * increase(@runs_total[15m])
        unless on (J, instance) avg_over_time(@last_run_success[5m]) < 0.5
    |||, [
      'Node {{ $labels.instance }} discards rounds.',
      '{{ $value | humanize }} rounds of {{ $labels.instance }} were discarded in the last 15 minutes, at least one in every second run, because of {{ $labels.reason }}.',
      'clock_step: who sets the clock (`chronyc tracking`)? deadline: raise `deadline`, or use `fanout`. interrupted: the load of the node.',
      'job',
    ], after('15m')) { comment:: 'Drops have an alert of their own, and so have runs of which nothing is left.' },
    alert('Unsent', 'warning', |||
      peer:nodecanary_unsent:count
        or
      count by (J, instance, group) (
        min_over_time(pair:nodecanary_unsent:ratio_rate5m[2m]) > 0.05
          and pair:nodecanary_unsent:ratio_rate5m offset 2m
          unless on (J, group, peer) max_over_time(peer:nodecanary_unsent:count[2m])
      )
    |||, [
      '{{ with $labels.peer }}Requests to node {{ . }} do{{ else }}Requests of node {{ $labels.instance }} do{{ end }} not leave their host.',
      '{{ with $labels.peer }}{{ $value }} observers of {{ . }} in group {{ $labels.group }} cannot send more than 5 % of their requests to it{{ else }}{{ $labels.instance }} cannot send more than 5 % of its requests to {{ $value }} peers of group {{ $labels.group }}{{ end }}. What is not sent is not measured and is no loss.',
      '{{ range query (printf "count by (reason) (nodecanary_last_run_errors{group=%q})" $labels.group) }}Reason: {{ .Labels.reason }}. {{ end }}`nodecanary -n -t` on the node; `ip route get ADDRESS`; rules of the output chain.',
      'group',
    ], after('10m')) { comment:: 'One peer to which nobody can send gives one alert, one node that cannot send to some gives one.' },
    alert('Unresolved', 'warning', |||
      job:nodecanary_unresolved:count
        or
      peer:nodecanary_unresolved:count unless on (J) max_over_time(job:nodecanary_unresolved:count[2m])
        or
      count by (J, instance) (
        pair:nodecanary_unresolved:bool
          unless on (J) max_over_time(job:nodecanary_unresolved:count[2m])
          unless on (J, group, peer) max_over_time(peer:nodecanary_unresolved:count[2m])
      )
    |||, [
      '{{ with $labels.peer }}The name of peer {{ . }} does{{ else }}Names of peers do{{ end }} not resolve{{ with $labels.instance }} on node {{ . }}{{ end }}.',
      '{{ with $labels.peer }}{{ $value }} observers find no address for {{ . }} of group {{ $labels.group }}{{ else }}{{ with $labels.instance }}{{ . }} finds{{ else }}The observers of job {{ $labels.job }} find{{ end }} no address for names of peers ({{ $value }}){{ end }}. The last known address is used, if there was one.',
      'On a node: `resolvectl query NAME` or `getent ahosts NAME`; /etc/resolv.conf.',
      'job',
    ], after('15m')) { comment:: 'All names of a job, one name for most who look it up, or names of one node.' },
    alert('Unwatched', 'warning', |||
      @self_info
        and on (J, instance, group) @group_observers > 0
        and on (J, group, peer) inbound:nodecanary_alive:bool
        and on (J, group) count by (J, group) (inbound:nodecanary_alive:bool) >= 2
        unless on (J, group, peer) (
          @requests_total and on (J, instance) max_over_time(nodecanary:fresh:bool2m[2m])
        )
        unless on (J, instance, group) max_over_time(nodecanary:peer_list_drift:bool[2m])
        or
      nodecanary:alone:bool
    |||, [
      'Nobody pings node {{ $labels.peer }}.',
      '{{ $labels.peer }} is a member of group {{ $labels.group }} in its own list ({{ $labels.instance }}), but no other node that measures pings it. Were it down, nothing here would say so.',
      'Look for it in the lists of the others; with `fanout`, look whether its observers are down. Alone in its rack, it needs a group with other racks.',
      'group',
    ], after('15m')) { comment:: 'A member with a list of its own is not listed by others: that is drift.' },
    alert('NoPeers', 'warning', |||
      nodecanary:fresh:bool2m
        and on (J, instance) @runs_total
        and on (J) sum by (J) (@peers{state="probed"}) > 0
        unless on (J, instance) @peers{state!="self"} > 0
        unless on (J, instance) max_over_time(nodecanary:peer_list_drift:bool[2m])
        unless on (J, instance) nodecanary:alone:bool
    |||, [
      'Node {{ $labels.instance }} has nobody to ping.',
      'No group on {{ $labels.instance }} lists anybody but itself, while other nodes of job {{ $labels.job }} have peers.',
      'Look at its configuration: `nodecanary --list-peers`, then `nodecanary --check`.',
      'job',
    ], after('15m')) { comment:: 'A fleet may have one node: nobody to ping is wrong only where others of the job have somebody.' },
  ],

  local step = '%ds' % config.stepSeconds,
  local groups = [
    { name: 'nodecanary-sites', interval: '1m', rules: v.sites },
    {
      comment:: |||
        Who is down or lossy, and the alerts about it. A series of verdicts is there only where something is bad.
      |||,
      name: 'nodecanary-network',
      interval: step,
      rules: v.measured + v.down + v.outages + v.lost + v.lossWindow('5m', '', 1) + v.lossy + downAlerts + lossAlerts,
    },
    {
      comment:: 'Loss that only longer windows show. nodecanary-network makes verdicts of it.',
      name: 'nodecanary-loss-30m',
      interval: '1m',
      rules: v.lossWindow('30m', '5m', 2),
    },
    { name: 'nodecanary-loss-6h', interval: '4m', rules: v.lossWindow('6h', '30m') },
    { name: 'nodecanary-flapping', interval: '1m', rules: v.flapping },
    { name: 'nodecanary-latency', interval: '1m', rules: v.slow + latencyAlerts },
    { name: 'nodecanary-paths', interval: '1m', rules: v.direction + v.mtu + mtuAlerts },
    {
      comment:: |||
        Whether there are measurements at all. Gauges are joined with a proof that they are fresh: a run that failed has
        published (the time of its end changes), a run that measured is counted.
      |||,
      name: 'nodecanary-measurement',
      interval: '1m',
      rules: measurementRecords + measurementAlerts,
    },
  ],
  prometheusAlerts+:: { groups+: [
    group { rules: [rule { expr: promql.expand(rule.expr, config) } for rule in group.rules] }
    for group in groups
  ] },
}
