// Who is to blame. The same questions are asked about pairs that are down, lossy, slow and flapping, each with the
// answer before in hand, so that one failure gives one alert:
//   pair      Is a peer bad as this observer sees it?
//   outbound  Does an observer see most of those peers as bad that somebody else sees as good? Then the observer is
//             bad, and has no say about its peers. One such peer proves nothing.
//   inbound   Do most of the other observers see a peer as bad? Then the peer is bad.
//   site      Is that so for most peers of a rack or a zone? Then the site is bad, not each of them.
//   group     Is that so for most of the group? Then the network between them is bad.
//   node      In which groups is an observer excused, because its trouble is reported already?
// Alerts are made of site, group, peer, observer, and path (bad pairs of good nodes). Where nothing is bad there is no
// series: most of the time all this costs nothing.
{
  local config = $._config,
  local step = config.stepSeconds,

  // A range in which exactly so many evaluations are, whether its left end counts (Prometheus 2) or not (3).
  local evaluations(n, of=step) = '[%ds]' % (n * of - 5),
  lately(series):: 'max_over_time(%s%s)' % [series, evaluations(2)],
  // At least so many of the last evaluations were bad.
  held(series, count, of):: 'count_over_time(%s%s) >= %d' % [series, evaluations(of), count],

  local inPeer = 'J, group, peer, family',
  local inObserver = 'J, instance, group, family',

  // --- what is measured, and how a pair is ---

  measured:: [
    {
      comment:: |||
        Share of the requests between the last two scrapes that were lost. It is there only if there were such
        requests, and if the last scrape succeeded: so it is fresh.
      |||,
      record: 'pair:nodecanary_loss:ratio_last',
      expr: '1 - irate(@replies_total[3m]) / (irate(@requests_total[3m]) > 0) and @requests_total',
    },
    { record: 'inbound:nodecanary_measured:count', expr: 'count by (J, group, peer, family) (pair:nodecanary_loss:ratio_last)' },
    { record: 'outbound:nodecanary_measured:count', expr: 'count by (J, instance, group, family) (pair:nodecanary_loss:ratio_last)' },
    {
      comment:: 'Members that run, as Prometheus sees them.',
      record: 'inbound:nodecanary_alive:bool',
      expr: 'group by (J, group, peer) (@self_info and on (J, instance) nodecanary:fresh:bool2m)',
    },
    {
      comment:: |||
        How many observers a peer should have: as many as are configured, but no more than are there.
        Targets are no members and have no configured number: all that are there.
      |||,
      record: 'group:nodecanary_watchers:min',
      expr: |||
        max by (J, group) (@group_observers and on (J, instance) nodecanary:fresh:bool2m)
          < count by (J, group) (group by (J, instance, group) (outbound:nodecanary_measured:count))
        or count by (J, group) (group by (J, instance, group) (outbound:nodecanary_measured:count))
      |||,
    },
    {
      comment:: 'Members whose list differs from that of most members. A dead timer keeps an old list: not here.',
      record: 'nodecanary:peer_list_drift:bool',
      expr: |||
        group by (J, instance, group) (
          (@peer_list_hash and on (J, instance) nodecanary:fresh:bool2m)
            != on (J, group) group_left ()
          quantile by (J, group) (0.5, @peer_list_hash and on (J, instance) nodecanary:fresh:bool2m)
        )
      |||,
    },
  ],

  sites:: [
    {
      comment:: 'Where each peer is, by its label `' + label + '`.',
      record: 'nodecanary:site:info',
      expr: |||
        group by (J, group, peer, site) (
          label_replace(@peer_info{%(label)s!=""}, "site", "$1", "%(label)s", "(.+)")
        )
      ||| % { label: label },
      labels: { level: label },
    }
    for label in std.split(config.siteLabels, ',')
    if label != ''
  ],

  // --- blame, for any kind of badness of pairs ---

  // Most of an observer's peers, of those that somebody else sees well.
  local outbound(kind) = [
    {
      record: 'pair:nodecanary_%(k)s:disputed' % { k: kind },
      expr: |||
        pair:nodecanary_%(k)s:bool and on (J, group, peer, family) (
          count by (J, group, peer, family) (pair:nodecanary_%(k)s:bool) < inbound:nodecanary_measured:count
        )
      ||| % { k: kind },
    },
    {
      record: 'outbound:nodecanary_%(k)s:bool' % { k: kind },
      expr: |||
        group by (J, instance, group, family) (
          count by (J, instance, group, family) (pair:nodecanary_%(k)s:disputed) >= 2
            and
          count by (J, instance, group, family) (pair:nodecanary_%(k)s:disputed)
            > 0.5 * (
              outbound:nodecanary_measured:count - (
                count by (J, instance, group, family) (
                  pair:nodecanary_%(k)s:bool unless pair:nodecanary_%(k)s:disputed
                ) or 0 * outbound:nodecanary_measured:count
              )
            )
        )
      ||| % { k: kind },
    },
  ],

  // Most of the observers that have a say. `condition` may refer to inbound:nodecanary_KIND:observers.
  local inbound(kind, condition) = [
    {
      record: 'inbound:nodecanary_%(k)s:observers' % { k: kind },
      expr: |||
        inbound:nodecanary_measured:count - (
          count by (J, group, peer, family) (
            pair:nodecanary_loss:ratio_last and on (J, instance, group, family) outbound:nodecanary_%(k)s:bool
          ) or 0 * inbound:nodecanary_measured:count
        ) > 0
      ||| % { k: kind },
    },
    {
      record: 'inbound:nodecanary_%(k)s:bool' % { k: kind },
      expr: |||
        group by (J, group, peer, family) (
          count by (J, group, peer, family) (
            pair:nodecanary_%(k)s:bool unless on (J, instance, group, family) outbound:nodecanary_%(k)s:bool
          )
          > 0.5 * inbound:nodecanary_%(k)s:observers
        )
          and on (J, group, peer, family)
        %(condition)s
      ||| % { k: kind, condition: condition },
    },
  ],

  // `share`: of the peers of a group, when the group is to blame.
  local places(kind, share='> 0.5') = [
    {
      record: 'site:nodecanary_%(k)s:bool' % { k: kind },
      expr: |||
        group by (J, group, level, site) (
          count by (J, group, level, site) (
            nodecanary:site:info and on (J, group, peer) inbound:nodecanary_%(k)s:bool
          )
          > 0.5 * (count by (J, group, level, site) (nodecanary:site:info) >= 3)
        )
        and on (J, group, level) (
          count by (J, group, level) (count by (J, group, level, site) (nodecanary:site:info)) > 1
        )
      ||| % { k: kind },
    },
    {
      comment:: 'Peers whose trouble is that of their site.',
      record: 'peer:nodecanary_%(k)s:sited' % { k: kind },
      expr: |||
        group by (J, group, peer) (
          nodecanary:site:info and on (J, group, level, site) max_over_time(site:nodecanary_%(k)s:bool[1m])
        )
      ||| % { k: kind },
    },
    {
      record: 'group:nodecanary_%(k)s:bool' % { k: kind },
      expr: |||
        group by (J, group) (
          count by (J, group) (
            group by (J, group, peer) (
              inbound:nodecanary_%(k)s:bool unless on (J, group, peer) peer:nodecanary_%(k)s:sited
            )
          ) >= 3
            and
          count by (J, group) (
            group by (J, group, peer) (
              inbound:nodecanary_%(k)s:bool unless on (J, group, peer) peer:nodecanary_%(k)s:sited
            )
          )
          / count by (J, group) (group by (J, group, peer) (inbound:nodecanary_measured:count)) %(share)s
          or
          count by (J, group) (group by (J, instance, group) (outbound:nodecanary_%(k)s:bool)) >= 3
            and
          count by (J, group) (group by (J, instance, group) (outbound:nodecanary_%(k)s:bool))
          / count by (J, group) (group by (J, instance, group) (outbound:nodecanary_measured:count)) > 0.5
          or
          count by (J, group) (
            group by (J, instance, group) (outbound:nodecanary_%(k)s:bool)
              unless on (J, instance, group) @self_info
          ) >= 3
            and
          count by (J, group) (
            group by (J, instance, group) (outbound:nodecanary_%(k)s:bool)
              unless on (J, instance, group) @self_info
          )
          / count by (J, group) (
            group by (J, instance, group) (outbound:nodecanary_measured:count)
              unless on (J, instance, group) @self_info
          ) > 0.5
        )
      ||| % { k: kind, share: share },
    },
    {
      comment:: |||
        Where a member is bad itself; and in groups where it is no member, if it is bad in a group of its own.
      |||,
      record: 'node:nodecanary_%(k)s:bool' % { k: kind },
      expr: |||
        group by (J, instance, group) (@self_info and on (J, group, peer) inbound:nodecanary_%(k)s:bool)
          or
        group by (J, instance, group) (
          outbound:nodecanary_measured:count
            unless on (J, instance, group) @self_info
            and on (J, instance) (
              @self_info and on (J, group, peer) inbound:nodecanary_%(k)s:bool
                or
              @self_info and on (J, instance, group) outbound:nodecanary_%(k)s:bool
                or
              @self_info and on (J, group) group:nodecanary_%(k)s:bool
            )
        )
      ||| % { k: kind },
    },
  ],

  local peer(kind, exceptions='') = {
    record: 'peer:nodecanary_%(k)s:bool' % { k: kind },
    expr: |||
      inbound:nodecanary_%(k)s:bool
        unless on (J, group) max_over_time(group:nodecanary_%(k)s:bool[1m])
        unless on (J, group, peer) peer:nodecanary_%(k)s:sited
    ||| % { k: kind } + exceptions,
  },

  // Observers are scraped at different moments, so a verdict comes and goes a little before or after the one that
  // explains it: what explains it does so for a minute (or `hold`) more.
  local observer(kind, hold='1m', exceptions='') = {
    record: 'observer:nodecanary_%(k)s:bool' % { k: kind },
    expr: |||
      (
        outbound:nodecanary_%(k)s:bool * on (J, instance, group) group_left (peer) @self_info
          or on (J, instance, group, family)
        outbound:nodecanary_%(k)s:bool
      )
        unless on (J, group) max_over_time(group:nodecanary_%(k)s:bool[%(hold)s])
        unless on (J, instance, group) max_over_time(node:nodecanary_%(k)s:bool[%(hold)s])
    ||| % { k: kind, hold: hold } + exceptions,
  },

  local path(kind, hold='1m', exceptions='') = {
    record: 'path:nodecanary_%(k)s:bool' % { k: kind },
    expr: |||
      pair:nodecanary_%(k)s:bool
        unless on (J, group) max_over_time(group:nodecanary_%(k)s:bool[%(hold)s])
        unless on (J, group, peer, family) max_over_time(inbound:nodecanary_%(k)s:bool[%(hold)s])
        unless on (J, instance, group, family) max_over_time(outbound:nodecanary_%(k)s:bool[%(hold)s])
        unless on (J, instance, group) max_over_time(node:nodecanary_%(k)s:bool[%(hold)s])
    ||| % { k: kind, hold: hold } + exceptions,
  },

  // --- down ---

  // What has been known to flap for longer than any outage of its rhythm is not reported as down each time; but it
  // is if it stays down.
  local knownToFlap(level, labels, verdict) = std.rstripChars(|||
    unless on (%(l)s) (
        %(v)s:nodecanary_flapping:bool offset 11m
          unless on (%(l)s) count_over_time(%(n)s:nodecanary_down:bool%(range)s) >= %(count)d
      )
  ||| % { l: labels, n: level, v: verdict, range: evaluations(660 / step), count: 0.95 * 660 / step }, '\n'),

  down:: [
    {
      comment:: 'Down: nothing came back between the last two scrapes.',
      record: 'pair:nodecanary_down:bool',
      expr: 'pair:nodecanary_loss:ratio_last == 1',
    },
  ] + outbound('down') + inbound('down', |||
    (
      inbound:nodecanary_down:observers >= on (J, group) group_left () (0.5 * group:nodecanary_watchers:min)
        unless on (J, group, peer) (
          inbound:nodecanary_alive:bool and on (J, group, peer) inbound:nodecanary_down:observers == 1
        )
    )
  |||) + places('down', '>= 0.5') + [
    {
      comment:: |||
        Runs, is silent to most, and reaches most others itself: pings to it are refused, or get lost.
      |||,
      record: 'peer:nodecanary_unanswered:bool',
      expr: |||
        inbound:nodecanary_down:bool
          and on (J, group, peer) inbound:nodecanary_alive:bool
          and on (J, group, peer, family) (
            (
              (count by (J, instance, group, family) (pair:nodecanary_down:bool) or 0 * outbound:nodecanary_measured:count)
                < 0.5 * (outbound:nodecanary_measured:count >= 2)
            ) * on (J, instance, group) group_left (peer) @self_info
          )
          unless on (J, group) max_over_time(group:nodecanary_down:bool[1m])
          unless on (J, group, peer) peer:nodecanary_down:sited
      |||,
    },
    {
      comment:: |||
        The smaller part of a group that is split: members that run, are silent to most, and are reached by somebody.
      |||,
      record: 'peer:nodecanary_part:bool',
      expr: |||
        inbound:nodecanary_down:bool
          and on (J, group, peer) inbound:nodecanary_alive:bool
          and on (J, group, peer, family) (
            count by (J, group, peer, family) (pair:nodecanary_down:bool) < inbound:nodecanary_measured:count
          )
          unless on (J, group) max_over_time(group:nodecanary_down:bool[1m])
          unless on (J, group, peer) peer:nodecanary_down:sited
          unless on (J, group, peer, family) peer:nodecanary_unanswered:bool
      |||,
    },
    {
      comment:: 'One member alone is no part: it is a node that is cut off.',
      record: 'part:nodecanary_down:count',
      expr: 'count by (J, group, family) (peer:nodecanary_part:bool) >= 2',
    },
    // A node that has just been cut off seems to reach others until it is scraped again: once or twice, not longer.
    peer('down', |||
      unless on (J, group, peer, family) %(lately)s
      unless on (J, group, peer, family) %(held)s
      unless on (J, group, peer, family) (
        peer:nodecanary_part:bool and on (J, group, family) max_over_time(part:nodecanary_down:count[1m])
      )
      %(flapping)s
    ||| % {
      flapping: knownToFlap('inbound', inPeer, 'peer'),
      lately: $.lately('peer:nodecanary_unanswered:bool'),
      held: $.held('peer:nodecanary_unanswered:bool', 3, 6),
    }),
    observer('down'),
    path('down', '1m', |||
      unless (
        pair:nodecanary_down:bool and on (J, instance, group) nodecanary:peer_list_drift:bool
          unless on (J, group, peer, family) (
            count by (J, group, peer, family) (pair:nodecanary_down:bool) < inbound:nodecanary_measured:count
          )
      )
      %(flapping)s
    ||| % { flapping: knownToFlap('pair', 'J, instance, group, peer, family', 'path') }),
  ],

  // --- lossy ---

  // Lost L of n requests is evidence if L is above what is tolerated by so many standard deviations, and by a floor.
  local bound(n, deviations=config.lossDeviations, floor=config.lossFloor) =
    '%(b)s * (%(n)s) + %(d)s * sqrt(%(b)s * (%(n)s)) + %(f)s'
    % { n: n, b: config.lossTolerated, d: deviations, f: floor },

  local window(w) = { '5m': 300, '30m': 1800, '6h': 21600 }[w],

  lost:: [
    {
      record: 'inbound:nodecanary_requests:rate5m',
      expr: 'sum by (J, group, peer, family) (pair:nodecanary_requests:rate5m)',
    },
    {
      record: 'outbound:nodecanary_requests_by_family:rate5m',
      expr: 'sum by (J, instance, group, family) (pair:nodecanary_requests:rate5m)',
    },
    {
      comment:: |||
        Requests lost in one step, by pairs that got other replies at that time. What is lost while a pair is down,
        and in the runs in which it goes down or comes back, is no loss in this sense.
      |||,
      record: 'pair:nodecanary_lost:step',
      expr: |||
        %(step)d * pair:nodecanary_requests:rate5m * (
          pair:nodecanary_loss:ratio_last offset %(scrape)ds > 0 < 1
            unless max_over_time(pair:nodecanary_down:bool%(around)s)
        )
      ||| % { step: step, scrape: config.scrapeSeconds, around: evaluations(4, config.scrapeSeconds) },
    },
  ],

  // A bad link of a member loses what it sends and what others send to it: both directions together prove it sooner.
  // It is told from bad pairs by the loss without the worst of them.
  local together(w) = '%d * inbound:nodecanary_requests:rate5m' % (2 * window(w)),
  local withoutWorst(w, deviations, floor) = |||
    sum by (J, group, peer, family) (ends:nodecanary_lost:increase%(w)s)
      - max by (J, group, peer, family) (ends:nodecanary_lost:increase%(w)s)
      > %(bound)s
  ||| % { w: w, bound: bound(together(w) + ' * (1 - 1 / inbound:nodecanary_measured:count)', deviations, floor) },

  local ofNodes(w, deviations) = [
    {
      comment:: 'What a member and another one lose together, once for each of the two.',
      record: 'ends:nodecanary_lost:increase' + w,
      expr: |||
        sum by (J, group, peer, other, family) (
          label_replace(%(named)s, "other", "$1", "from", "(.+)")
            or
          label_replace(label_replace(%(named)s, "other", "$1", "peer", "(.+)"), "peer", "$1", "from", "(.+)")
        )
      ||| % { named: |||
        pair:nodecanary_lost:increase%s
            * on (J, instance, group) group_left (from) label_replace(@self_info, "from", "$1", "peer", "(.+)")
      ||| % w },
    },
    {
      comment:: 'Members that lose more than others with most of their peers. It is not evident yet.',
      record: 'peer:nodecanary_lossy:doubtful' + w,
      expr: |||
        group by (J, group, peer, family) (
          count by (J, group, peer, family) (ends:nodecanary_lost:increase%(w)s) > 0.5 * inbound:nodecanary_measured:count
            and
          %(rest)s
        )
      ||| % { w: w, rest: withoutWorst(w, deviations, 0) },
    },
  ],

  // One side of the pairs: inbound (sums over the observers of a peer) or outbound (over the peers of an observer).
  local side(name, labels, w, lost, requests, count, recent, more='') = [
    {
      record: '%s:nodecanary_lost:increase%s' % [name, w],
      expr: 'sum by (%s) (%s)' % [labels, lost],
    },
    {
      comment:: 'Most of its pairs lose, none of them alone: whether that is much or little is another question.',
      record: '%s:nodecanary_lossy:suspect%s' % [name, w],
      expr: |||
        group by (%(l)s) (
          count by (%(l)s) (
            %(lost)s > on (%(l)s) group_left () (0.4 * %(name)s:nodecanary_lost:increase%(w)s / %(count)s)
          )
          > 0.5 * (%(count)s >= 2)
        )
      ||| % { l: labels, lost: lost, name: name, w: w, count: count },
    },
    {
      comment:: 'It is much, also without its worst pair' + (if recent == '' then '.' else ', and goes on.'),
      record: '%s:nodecanary_lossy:evident%s' % [name, w],
      expr: |||
        (
          %(name)s:nodecanary_lossy:suspect%(w)s
            and %(name)s:nodecanary_lost:increase%(w)s > %(all)s
            and %(name)s:nodecanary_lost:increase%(w)s - max by (%(l)s) (%(lost)s)
              > %(rest)s
          %(more)s
        )
      ||| % {
        name: name,
        w: w,
        l: labels,
        lost: lost,
        all: bound('%d * %s' % [window(w), requests]),
        rest: bound('%d * %s * (1 - 1 / %s)' % [window(w), requests, count], 2, 1),
        more: more,
      } + (if recent == '' then '' else '  and %s:nodecanary_lost:increase%s > %s\n' % [
             name,
             recent,
             bound('%d * %s' % [window(recent), requests], 1, 0),
           ]),
    },
  ],

  // Evident in both directions together, and not only as a pinger.
  local evidentTogether(w) = |||
    or
      peer:nodecanary_lossy:doubtful%(w)s
        and inbound:nodecanary_lost:increase%(w)s > 0.25 * sum by (J, group, peer, family) (ends:nodecanary_lost:increase%(w)s)
        and sum by (J, group, peer, family) (ends:nodecanary_lost:increase%(w)s) > %(all)s
        and %(rest)s
  ||| % { w: w, all: bound(together(w)), rest: withoutWorst(w, 2, 1) },

  // The three windows are alike. `recent` is the window that says whether the loss goes on.
  // `doubt`: standard deviations that make a member doubtful, where that is asked.
  lossWindow(w, recent='', doubt=null):: [
    {
      record: 'pair:nodecanary_lost:increase' + w,
      expr: 'sum_over_time(pair:nodecanary_lost:step[%ds])' % (window(w) - 5),
    },
  ] + (if doubt == null then [] else ofNodes(w, doubt)) + side(
    'inbound', inPeer, w, 'pair:nodecanary_lost:increase' + w, 'inbound:nodecanary_requests:rate5m',
    'inbound:nodecanary_measured:count', recent, if doubt == null then '' else evidentTogether(w)
  ) + [
    {
      comment:: 'Without the pairs of peers that are known to lose.',
      record: 'pair:nodecanary_lost:kept' + w,
      expr: 'pair:nodecanary_lost:increase%(w)s unless on (J, group, peer, family) inbound:nodecanary_lossy:evident%(w)s' % { w: w },
    },
  ] + side('outbound', inObserver, w, 'pair:nodecanary_lost:kept' + w, 'outbound:nodecanary_requests_by_family:rate5m', 'outbound:nodecanary_measured:count', recent) + [
    {
      record: 'pair:nodecanary_lossy:evident' + w,
      expr: |||
        (pair:nodecanary_lost:kept%(w)s > %(bound)s)
          unless on (J, group, peer, family) inbound:nodecanary_lossy:suspect%(w)s
          unless on (J, instance, group, family) outbound:nodecanary_lossy:suspect%(w)s
      ||| % { w: w, bound: bound('%d * pair:nodecanary_requests:rate5m' % window(w)) }
      + (if recent == '' then '' else '  and pair:nodecanary_lost:increase%s > %s\n'
                                       % [recent, bound('%d * pair:nodecanary_requests:rate5m' % window(recent), 1, 0)]),
    },
  ],

  // Loss that has been seen in any window; what is down is not lossy, too.
  local anyWindow(level) = std.join('\n  or\n', ['%s:nodecanary_lossy:evident%s' % [level, w] for w in ['5m', '30m', '6h']]),
  // Nodes whose loss is not yet evident, but of which most pairs lose: no pair of them is accused meanwhile.
  local anySuspect(level, labels) =
    'unless on (%(l)s) max_over_time(%(n)s:nodecanary_lossy:suspect5m[1m])\n  unless on (%(l)s) %(n)s:nodecanary_lossy:suspect30m\n'
    % { l: labels, n: level },

  // Not while most observers of one end see it come and go.
  local unsteady = {
    peer: |||
      unless on (J, group, peer, family) max_over_time(inbound:nodecanary_unsteady:bool[2m])
    |||,
    observer: |||
      unless on (J, instance, group) (@self_info and on (J, group, peer) max_over_time(inbound:nodecanary_unsteady:bool[2m]))
    |||,
  },

  lossy:: [
    {
      comment:: 'Until it is known whether such a node is to blame, no single pair of it is accused.',
      record: 'node:nodecanary_lossy:doubtful',
      expr: |||
        group by (J, instance, group, peer) (
          @self_info and on (J, group, peer) (peer:nodecanary_lossy:doubtful5m or peer:nodecanary_lossy:doubtful30m)
        )
      |||,
    },
    {
      comment:: 'Most nodes of the group lose, and the group loses much: then it is not each of them.',
      record: 'group:nodecanary_lossy:suspect',
      expr: |||
        group by (J, group) (
          sum by (J, group) (inbound:nodecanary_lost:increase5m)
            > %s
          and
          (count by (J, group) (group by (J, group, peer) (inbound:nodecanary_lossy:suspect5m)) >= 3)
            / count by (J, group) (group by (J, group, peer) (inbound:nodecanary_measured:count)) > 0.5
        )
      ||| % bound('300 * sum by (J, group) (inbound:nodecanary_requests:rate5m)'),
    },
    {
      comment:: 'The same of a site: until it is evident, none of its nodes is accused.',
      record: 'site:nodecanary_lossy:suspect',
      expr: |||
        group by (J, group, level, site) (
          count by (J, group, level, site) (nodecanary:site:info and on (J, group, peer) peer:nodecanary_lossy:doubtful5m)
            > 0.5 * (count by (J, group, level, site) (nodecanary:site:info) >= 3)
        )
      |||,
    },
    {
      record: 'pair:nodecanary_lossy:bool',
      expr: 'group by (J, instance, group, peer, family) (\n  %s\n)\n' % anyWindow('pair'),
    },
    {
      record: 'outbound:nodecanary_lossy:bool',
      expr: |||
        group by (J, instance, group, family) (
          %s
        )
      ||| % anyWindow('outbound'),
    },
    {
      record: 'inbound:nodecanary_lossy:bool',
      expr: |||
        group by (J, group, peer, family) (
          %s
        )
          unless on (J, group, peer) max_over_time(inbound:nodecanary_down:bool[5m])
      ||| % anyWindow('inbound'),
    },
  ] + places('lossy') + [
    peer('lossy', |||
      unless on (J, group) max_over_time(group:nodecanary_lossy:suspect[1m])
      unless on (J, group, peer) (
        nodecanary:site:info and on (J, group, level, site) max_over_time(site:nodecanary_lossy:suspect[1m])
      )
    ||| + unsteady.peer),
    observer('lossy', '5m', |||
      unless on (J, instance, group) max_over_time(node:nodecanary_down:bool[5m])
      unless on (J, group) max_over_time(group:nodecanary_lossy:suspect[1m])
      unless on (J, instance, group) (
        @self_info and on (J, group, peer) (
          inbound:nodecanary_lost:increase5m > 0.1 * sum by (J, group, peer, family) (ends:nodecanary_lost:increase5m)
            or
          inbound:nodecanary_lost:increase30m > %s
        )
      )
    ||| % bound('1800 * inbound:nodecanary_requests:rate5m', 2, 0) + unsteady.observer),
    path('lossy', '30m', |||
      unless on (J, group) max_over_time(group:nodecanary_lossy:suspect[1m])
      unless on (J, group, peer) max_over_time(inbound:nodecanary_down:bool[5m])
      unless on (J, instance, group) max_over_time(node:nodecanary_down:bool[5m])
      unless count_over_time(path:nodecanary_down:bool[5m]) >= 0.25 * count_over_time(pair:nodecanary_outage:ratio[5m])
      unless on (J, group, peer, family) inbound:nodecanary_outages:bool
      unless on (J, instance, group) (@self_info and on (J, group, peer) inbound:nodecanary_outages:bool)
      unless on (J, instance, group) max_over_time(node:nodecanary_lossy:doubtful[1m])
      unless on (J, group, peer) max_over_time(node:nodecanary_lossy:doubtful[1m])
    ||| + anySuspect('inbound', inPeer) + anySuspect('outbound', inObserver)),
  ],

  // --- slow ---

  slow:: [
    {
      comment:: |||
        Slow: the mean of five minutes is more than %(slowSeconds)s s above %(slowFactor)s times the least of the last day. A young fleet
        has the least of what there is. A lossy pair is not reported as slow, too: loss is worse, and one cause often
        has both effects.
      ||| % config,
      record: 'pair:nodecanary_slow:bool',
      expr: |||
        (
          pair:nodecanary_rtt_seconds:mean_rate5m
            >
          %(slowFactor)s * (
            last_over_time(pair:nodecanary_rtt_seconds:mean_rate5m_min1d[9m])
              or min_over_time(pair:nodecanary_rtt_seconds:mean_rate5m[10m])
          ) + %(slowSeconds)s
        ) ^ 0
          unless pair:nodecanary_lossy:bool
          and pair:nodecanary_loss:ratio_last
      ||| % config,
    },
  ] + outbound('slow') + inbound('slow', 'inbound:nodecanary_slow:observers >= 2') + places('slow')
           + [peer('slow'), observer('slow', '2m'), path('slow', '2m')],

  // --- flapping ---

  outages:: [
    {
      comment:: |||
        Most of the requests were lost: an outage, or a run or scrape in which one began or ended. Short outages are
        seldom seen whole.
      |||,
      record: 'pair:nodecanary_outage:ratio',
      expr: 'pair:nodecanary_loss:ratio_last >= 0.5',
    },
    {
      comment:: 'Outages of pairs begin.',
      record: 'pair:nodecanary_down:begin',
      expr: 'pair:nodecanary_down:bool unless pair:nodecanary_down:bool offset %ds' % step,
    },
    {
      comment:: 'Peers that were down for most observers lately, if for each at another time. No path to them is lossy.',
      record: 'inbound:nodecanary_outages:bool',
      expr: |||
        group by (J, group, peer, family) (
          count by (J, group, peer, family) (max_over_time(pair:nodecanary_down:bool[5m]))
            > 0.5 * (inbound:nodecanary_measured:count >= 2)
        )
      |||,
    },
  ],

  flapping:: [
    {
      comment:: 'Silent at one time and well at another, in ten minutes. What loses at random is seldom silent.',
      record: 'pair:nodecanary_unsteady:bool',
      expr: |||
        count_over_time(pair:nodecanary_down:bool[10m]) >= %(least)d
          and count_over_time(pair:nodecanary_down:bool[10m]) >= 0.25 * count_over_time(pair:nodecanary_outage:ratio[10m])
      ||| % { least: 45 / step },
    },
    {
      comment:: 'Peers that are so for most observers: then it is neither a path nor loss.',
      record: 'inbound:nodecanary_unsteady:bool',
      expr: |||
        group by (J, group, peer, family) (
          count by (J, group, peer, family) (pair:nodecanary_unsteady:bool) > 0.5 * (inbound:nodecanary_measured:count >= 2)
        )
      |||,
    },
    {
      comment:: |||
        In outages for a share of the last 45 minutes, several times, and not only since a few minutes ago.
      |||,
      record: 'pair:nodecanary_flapping:bool',
      expr: |||
        group by (J, instance, group, peer, family) (
          count_over_time(pair:nodecanary_outage:ratio[45m]) >= %(share)d
            and
          count_over_time(pair:nodecanary_down:begin[45m]) >= %(outages)d
            and
          count_over_time(pair:nodecanary_outage:ratio[37m] offset 8m) >= %(before)d
            and
          count_over_time(pair:nodecanary_down:bool[45m]) >= 0.25 * count_over_time(pair:nodecanary_outage:ratio[45m])
            and
          pair:nodecanary_loss:ratio_last
        )
      ||| % {
        share: config.flapShare * 2700 / step,
        outages: config.flapOutages,
        before: config.flapShare * 900 / step,
      },
    },
  ] + outbound('flapping') + inbound('flapping', |||
    (
      inbound:nodecanary_flapping:observers
        unless on (J, group, peer) (
          inbound:nodecanary_alive:bool and on (J, group, peer) inbound:nodecanary_flapping:observers == 1
        )
    )
  |||) + places('flapping') + [peer('flapping'), observer('flapping', '5m'), path('flapping', '5m', unsteady.peer + unsteady.observer)],

  // --- path MTU, direction ---

  mtu:: [
    {
      comment:: 'Small packets pass, large ones do not, and nobody says why.',
      record: 'pair:nodecanary_mtu:bool',
      expr: |||
        group by (J, instance, group, peer, family) (
          increase(@mtu_replies_total[20m]) == 0
            and increase(@mtu_requests_total[20m]) > 1
            and pair:nodecanary_loss:ratio_last < 0.5
            unless @path_mtu_bytes
        )
      |||,
    },
  ] + outbound('mtu') + inbound('mtu', 'inbound:nodecanary_mtu:observers >= 2') + places('mtu')
          + [peer('mtu'), observer('mtu', '5m'), path('mtu', '5m')],

  direction:: [
    {
      comment:: |||
        Echo requests that reached a node, as its kernel counts them, for each one that others sent to it, warm-up
        rounds included: 1, unless there are other pingers, or requests get lost on the way.
      |||,
      record: 'node:nodecanary_arrived:ratio_rate15m',
      expr: |||
        sum by (J, instance) (rate(@echo_requests_received_total[15m]))
          / on (J, instance)
        sum by (J, instance) (
          sum by (J, group, peer) (rate(@echo_requests_sent_total[15m]))
            * on (J, group, peer) group_right () @self_info
        )
      |||,
    },
    {
      comment:: 'The share of what others sent to a node in measured rounds that was not answered.',
      record: 'node:nodecanary_loss:ratio_rate15m',
      expr: |||
        1 - sum by (J, instance) (
          sum by (J, group, peer) (rate(@replies_total[15m])) * on (J, group, peer) group_right () @self_info
        )
        / sum by (J, instance) (
          sum by (J, group, peer) (rate(@requests_total[15m])) * on (J, group, peer) group_right () @self_info
        )
      |||,
    },
    {
      comment:: |||
        Of what others lost to a node in 15 minutes, 100 requests or more, the share that never reached it: near 1
        they get lost on the way to it, near 0 the replies do. It is known by how many fewer arrive than in the hour
        before, which had no loss, no other pinger that sent much, and moved little against the loss. Afterwards the
        last verdict stays while the loss lasts.
      |||,
      record: 'node:nodecanary_lost_on_the_way:ratio_rate15m',
      expr: |||
        (
          clamp(
            (avg_over_time(node:nodecanary_arrived:ratio_rate15m[45m] offset 30m) - node:nodecanary_arrived:ratio_rate15m)
              / on (J, instance) node:nodecanary_loss:ratio_rate15m,
            0, 1
          )
            and on (J, instance)
              stddev_over_time(node:nodecanary_arrived:ratio_rate15m[45m] offset 30m) < 0.1 * node:nodecanary_loss:ratio_rate15m
            and on (J, instance) avg_over_time(node:nodecanary_arrived:ratio_rate15m[45m] offset 30m) < 1.2
            and on (J, instance)
              avg_over_time(node:nodecanary_loss:ratio_rate15m[45m] offset 30m) < 0.1 * node:nodecanary_loss:ratio_rate15m
            or on (J, instance)
          last_over_time(node:nodecanary_lost_on_the_way:ratio_rate15m[3m])
        )
          and on (J, instance) 900 * sum by (J, instance) (
            (
              sum by (J, group, peer) (rate(@requests_total[15m])) - sum by (J, group, peer) (rate(@replies_total[15m]))
            ) * on (J, group, peer) group_right () @self_info
          ) >= 100
      |||,
    },
  ],
}
