#!/usr/bin/python3
"""What each alert says: texts.py RULES prints it for verdicts that are given, to be compared with texts.expected."""

import os
import re
import subprocess
import sys
import tempfile

NODE = 'job="node",group="default"'
SERIES = {
    f"group:nodecanary_down:bool{{{NODE}}}": "1+0x200",
    f'site:nodecanary_down:bool{{job="node",group="racks",level="rack",site="r7"}}': "1+0x200",
    'part:nodecanary_down:count{job="node",group="split"}': "2+0x200",
    'peer:nodecanary_part:bool{job="node",group="split",peer="n8"}': "1+0x200",
    'peer:nodecanary_part:bool{job="node",group="split",peer="n9"}': "1+0x200",
    'nodecanary_peer_resolved{job="node",instance="a:9100",group="names",peer="n1"}': "0+0x200",
    'nodecanary_peer_resolved{job="node",instance="a:9100",group="names",peer="n2"}': "1+0x200",
    'nodecanary_self_info{job="node",instance="n1:9100",group="default",peer="n1"}': "1+0x200",
    'nodecanary_self_info{job="node",instance="n2:9100",group="default",peer="n2"}': "1+0x200",
    'nodecanary_group_observers{job="node",instance="n1:9100",group="alone"}': "2+0x200",
    'nodecanary_self_info{job="node",instance="n1:9100",group="alone",peer="n1"}': "1+0x200",
    'node:nodecanary_lost_on_the_way:ratio_rate15m{job="node",instance="n2:9100"}': "0.9+0x200",
    'nodecanary_last_run_timestamp_seconds{job="node",instance="stale"}': "7+0x200",
    'nodecanary_last_run_timestamp_seconds{job="node",instance="failing"}': "0+15x200",
    'nodecanary_last_run_timestamp_seconds{job="node",instance="late"}': "-600+15x200",
    'nodecanary_last_run_timestamp_seconds{job="node",instance="right"}': "0+15x200",
    'nodecanary_last_run_success{job="node",instance="failing"}': "0+0x200",
    'up{job="node",instance="absent"}': "1+0x200",
    'nodecanary_runs_total{job="node",instance="n1:9100"}': "1+1x200",
    'nodecanary_runs_total{job="node",instance="n2:9100"}': "1+1x200",
    'nodecanary_runs_total{job="node",instance="a:9100"}': "1+1x200",
    'nodecanary_self_info{job="node",instance="n2:9100",group="alone",peer="n2"}': "1+0x200",
    'nodecanary_requests_total{job="node",instance="n1:9100",group="alone",peer="n2"}': "1+5x200",
    'nodecanary_runs_total{job="node",instance="rounds"}': "1+1x200",
    'nodecanary_counters_start_timestamp_seconds{job="node",instance="restarted"}': "5+0x160 1200+0x40",
    'nodecanary_peer_list_hash{job="node",instance="n1:9100",group="default"}': "1+0x200",
    'nodecanary_peer_list_hash{job="node",instance="n2:9100",group="default"}': "1+0x200",
    'nodecanary_peer_list_hash{job="node",instance="rounds",group="default"}': "2+0x200",
    'nodecanary_receive_drops_total{job="node",instance="drops"}': "0+6x200",
    'nodecanary_discarded_rounds_total{job="node",instance="rounds",reason="deadline"}': "0+6x200",
    'nodecanary_unsent_total{job="node",instance="n1:9100",group="default",peer="n7"}': "0+5x200",
    'nodecanary_requests_total{job="node",instance="n1:9100",group="default",peer="n7"}': "0+5x200",
    'nodecanary_last_run_errors{job="node",instance="n1:9100",group="default",peer="n7",reason="no_route"}': "5+0x200",
    'nodecanary_address_conflict{job="node",instance="n1:9100",group="default",peer="n6"}': "1+0x200",
    'nodecanary_roam_unresponsive{job="node",instance="n1:9100",group="tour",peer="n66"}': "1+0x200",
    'nodecanary_peers{job="node",instance="n1:9100",group="default",state="probed"}': "4+0x200",
    'nodecanary_peers{job="node",instance="n2:9100",group="default",state="self"}': "1+0x200",
}
for kind in ("down", "lossy", "slow", "mtu", "flapping"):
    SERIES |= {
        f'peer:nodecanary_{kind}:bool{{{NODE},peer="n2"}}': "1+0x200",
        f'peer:nodecanary_{kind}:bool{{{NODE},peer="n3",family="ipv6"}}': "1+0x200",
        f'observer:nodecanary_{kind}:bool{{{NODE},instance="n1:9100",peer="n1"}}': "1+0x200",
        f'path:nodecanary_{kind}:bool{{{NODE},instance="n1:9100",peer="n2"}}': "1+0x200",
        f'path:nodecanary_{kind}:bool{{{NODE},instance="n1:9100",peer="n5",family="ipv6"}}': "1+0x200",
        f'site:nodecanary_{kind}:bool{{job="node",group="racks",level="rack",site="r7"}}': "1+0x200",
        f'group:nodecanary_{kind}:bool{{job="node",group="broken"}}': "1+0x200",
    }
SERIES |= {f'inbound:nodecanary_down:bool{{{NODE},{peer}}}': "1+0x200" for peer in ('peer="n2"', 'peer="n3",family="ipv6"')}
SERIES[f'peer:nodecanary_unanswered:bool{{{NODE},peer="n4"}}'] = "1+0x200"
for peer, family in (("n2", ""), ("n4", ""), ("n3", "ipv4"), ("n3", "ipv6")):
    more = f',family="{family}"' if family else ""
    SERIES[f'inbound:nodecanary_measured:count{{{NODE},peer="{peer}"{more}}}'] = "4+0x200"
    SERIES[f'inbound:nodecanary_loss:ratio_rate5m{{{NODE},peer="{peer}"}}'] = "0.2+0x200"
    SERIES[f'inbound:nodecanary_rtt_seconds:mean_rate5m{{{NODE},peer="{peer}"}}'] = "0.0312+0x200"
SERIES[f'outbound:nodecanary_measured:count{{{NODE},instance="n1:9100"}}'] = "4+0x200"
SERIES[f'outbound:nodecanary_loss:ratio_rate5m{{{NODE},instance="n1:9100"}}'] = "0.2+0x200"
SERIES[f'outbound:nodecanary_rtt_seconds:mean_rate5m{{{NODE},instance="n1:9100"}}'] = "0.0312+0x200"
for peer, family in (("n2", ""), ("n5", "ipv4"), ("n5", "ipv6")):
    more = f',family="{family}"' if family else ""
    for name, value in (("loss:ratio_last", 0.2), ("loss:ratio_rate5m", 0.2), ("rtt_seconds:mean_rate5m", 0.0312)):
        SERIES[f'pair:nodecanary_{name}{{{NODE},instance="n1:9100",peer="{peer}"{more}}}'] = f"{value}+0x200"


def main(rules):
    with open(os.path.join(rules, "nodecanary.alerts.yml"), encoding="utf-8") as file:
        text = file.read()
    # Verdicts are given; the few that have to be made of what is given here stay.
    made = ("nodecanary_unsent", "nodecanary_unresolved", "roam_unresponsive", "peer_list_drift", "clock_offset", "alive")
    head, *blocks = re.split(r"(?m)^(?=      - (?:record|alert):|      #|  - name:|  #)", text)
    kept = [block for block in blocks if not block.startswith("      - record") or any(name in block.split("\n")[0] for name in made)]
    names = re.findall(r"- alert: (\w+)", text)
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/alerts.yml", "w", encoding="utf-8") as file:
            file.write(head + "".join(kept))
        with open(f"{directory}/fresh.yml", "w", encoding="utf-8") as file:
            file.write("groups: [{name: fresh, rules: [{record: 'nodecanary:fresh:bool2m',"
                       " expr: 'group by (job, instance) (rate(nodecanary_runs_total[2m]) > 0)'}]}]\n")
        with open(f"{directory}/t.test.yml", "w", encoding="utf-8") as file:
            file.write("rule_files: [fresh.yml, alerts.yml]\nevaluation_interval: 15s\n"
                       "tests:\n  - interval: 15s\n    external_url: http://prometheus:9090\n    input_series:\n")
            for series, values in SERIES.items():
                file.write(f"      - series: '{series}'\n        values: '{values}'\n")
            file.write("    alert_rule_test:\n")
            for name in names:
                file.write(f"      - {{eval_time: 45m, alertname: {name}, exp_alerts: []}}\n")
        got = subprocess.run(["promtool", "test", "rules", f"{directory}/t.test.yml"], capture_output=True, text=True, check=False)
    out = got.stdout + got.stderr
    fired, texts = set(), []
    for labels, annotations in re.findall(r"Labels:\{(.*?)\}\s+Annotations:\{(.*)\}", out):
        known = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
        fired.add(known.pop("alertname"))
        text = [re.search(r'alertname="(\w+)"', labels)[1] + "".join(f" {key}={value}" for key, value in sorted(known.items()))]
        for key, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', annotations):
            text.append(f"  {key}: {value}".replace('\\"', '"').rstrip())
        texts.append("\n".join(text))
    print("\n".join(sorted(texts)))
    for name in names:
        if name not in fired:
            print(f"{name} says nothing here")
    if not fired:
        sys.exit(out[:3000])


if __name__ == "__main__":
    main(sys.argv[1])
