// What a fleet may want to be different. `generate NAME=VALUE...` changes these on the command line.
{
  _config+:: {
    // Labels that keep fleets with equal names of peers and groups apart.
    jobLabels: 'job',
    // Matcher of every metric that is read, such as job="node".
    selector: '',
    // Labels of peers that name where they are, from small places to large ones.
    siteLabels: 'rack,zone',

    // Seconds between scrapes, and between evaluations of the verdicts.
    scrapeSeconds: 15,
    stepSeconds: 15,

    // How long a verdict holds before anybody is called.
    nodeDownFor: '45s',
    pathDownFor: '75s',

    // Loss: what is tolerated (share of the requests), how many standard deviations above it are evidence, and how
    // many lost requests at least.
    lossTolerated: 0.002,
    lossDeviations: 4,
    lossFloor: 2.5,
    lossHold: '15m',

    // Latency: slow is above factor * past + seconds.
    slowFactor: 1.5,
    slowSeconds: 0.005,

    // Flapping: share of the last 45 minutes, and outages in them.
    flapShare: 0.2,
    flapOutages: 2,

    // Seconds by which the clock of a node may differ from that of Prometheus.
    clockSeconds: 30,

    // Where the runbook is for those who are called; %s is the name of the alert in lower case.
    runbook: 'file:///usr/share/doc/nodecanary/runbook.md#%s',
    // Directory of the console pages, below the address of Prometheus.
    consoles: '/consoles',
  },
}
