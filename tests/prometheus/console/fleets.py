"""Simulated fleets, each in a Prometheus of its own that serves the console pages."""
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
CONSOLES = os.environ.get("CONSOLES") or os.path.join(HERE, "../../../packaging/prometheus/consoles")
# What `series` is called with.
FLEETS = {
    "five": "5 30 --ahead 20 --storage 3 --targets 2 --fault dead:5 --fault timer:3 "
            "--fault lossy:1,2,0.2 --fault odd:4",
    "states": "9 30 --ahead 20 --step 30 --both --fault unsent:1,2 --fault exporter:3 "
              "--fault absent:4 --fault failing:5 --fault drift:6 --fault clock:7,600 "
              "--fault idle:2,1 --fault cut6:8,9 --fault unsent6:9,1",
    "fanout": "30 12 --ahead 20 --step 60 --fanout 4 --histogram group --fault cut:8,10 "
              "--fault timer:20",
    "sixty": "60 10 --since 8 --ahead 12 --step 60 --sites 2 --histogram off --fault dead:7 "
             "--fault isolated:12 --fault timer:20 --fault slow:33,0.05 --fault lossy:41,42,0.2 "
             "--fault cut:50,60",
    "split": "8 10 --since 5 --ahead 20 --step 60 " +
             " ".join(f"--fault cut:{a},{b}" for a in range(1, 6) for b in range(6, 9)),
    "sites": "10 10 --since 5 --ahead 20 --step 60 --sites 2 --fault dead:1",
    "slow": "10 10 --since 5 --ahead 20 --step 60 --sites 2 --fault slow:8,0.05",
    "always": "10 10 --since 20 --ahead 20 --step 60 --sites 2 --fault slow:8,0.05",
    "lossy": "30 10 --since 5 --ahead 20 --step 60 --few " +
             " ".join(f"--fault lossy:4,{b},0.2" for b in range(1, 31) if b != 4),
    "large": "120 10 --since 8 --ahead 20 --step 60 --sites 2 --histogram off --few --fault dead:7 "
             "--fault slow:33,0.05 --fault cut:50,60 --fault timer:70",
    "well": "4 10 --ahead 20 --step 30",
    "unknown": "4 10 --ahead 20 --step 30 --since 20 --fault exporter:2",
    "picture": "5 70 --since 25 --ahead 20 --fault dead:4 --fault lossy:1,2,0.15 "
               "--fault slow:5,0.03",
    "one": "1 10 --ahead 20 --step 30",
    "live": None,
    "nothing": None,
}
HOSTILE = '<img src=x onerror=\\"document.title=1\\">'
ALERTS = [
    '{alertname="NodecanaryLoss",alertstate="pending",severity="warning",group="default",'
    'instance="10.77.0.1:9100",peer="node002"}',
    '{alertname="NodecanaryNodeDown",alertstate="firing",severity="critical",group="default",'
    f'peer="{HOSTILE}"}}',
    '{alertname="Foreign",alertstate="firing"}',
]


class Fleets:
    """Addresses of the pages of the fleets, started as they are asked for."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.running = {}
        self.nodes = [Node(1), Node(2)]

    def __enter__(self):
        targets = [f"127.0.0.1:{node.server_port}" for node in self.nodes]
        with open(f"{self.scratch}/prometheus.yml", "w", encoding="ascii") as file:
            file.write("scrape_configs: []\n")
        with open(f"{self.scratch}/live.yml", "w", encoding="ascii") as file:
            file.write(f"""{{"global": {{"scrape_interval": "1s", "scrape_timeout": "1s"}},
                "scrape_configs": [{{"job_name": "node", "static_configs":
                [{{"targets": {json.dumps(targets)}}}]}}]}}""")
        return self

    def __exit__(self, *exception):
        for process, _ in self.running.values():
            process.terminate()
            process.wait()
        for node in self.nodes:
            node.stop()

    def url(self, name):
        if name not in self.running:
            port = 9090 + len(self.running)
            self.running[name] = (self.start(name, port), f"http://127.0.0.1:{port}")
            wait_for(self.running[name][1] + "/-/ready")
        return self.running[name][1]

    def start(self, name, port):
        data = f"{self.scratch}/{name}"
        os.mkdir(data)
        if FLEETS[name]:
            self.fill(data, [f"{HERE}/series", *FLEETS[name].split()])
        if name == "five":
            self.fill(data, ["printf", "%s", alerts()])
            self.fill(data, ["printf", "%s", evidence()])
        config = "live" if name == "live" else "prometheus"
        with open(f"{data}.log", "wb") as log:
            return subprocess.Popen(
                ["prometheus", f"--config.file={self.scratch}/{config}.yml",
                 f"--storage.tsdb.path={data}", f"--web.console.templates={CONSOLES}",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def fill(self, data, command):
        with open(f"{data}.om", "wb") as file:
            subprocess.run(command, stdout=file, check=True)
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", f"{data}.om",
                        data], stdout=subprocess.DEVNULL, check=True)
        os.remove(f"{data}.om")


class Node(http.server.ThreadingHTTPServer):
    """A node_exporter of the fleet "live": one of two nodes, with a run before every scrape."""

    daemon_threads = True

    def __init__(self, number):
        super().__init__(("127.0.0.1", 0), Scrape)
        self.number = number
        self.runs = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def metrics(self):
        self.runs += 1
        itself = f'group="default",peer="live{self.number}"'
        peer = f'group="default",peer="live{3 - self.number}"'
        return f"""nodecanary_runs_total {self.runs}
nodecanary_last_run_timestamp_seconds {time.time()}
nodecanary_last_run_success 1
nodecanary_self_info{{{itself}}} 1
nodecanary_peers{{group="default",state="probed"}} 1
nodecanary_requests_total{{{peer}}} {5 * self.runs}
nodecanary_replies_total{{{peer}}} {5 * self.runs}
nodecanary_rtt_mean_seconds{{{peer}}} 0.0003
"""

    def stop(self):
        self.shutdown()
        self.server_close()


class Scrape(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(self.server.metrics().encode())

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def alerts():
    now = int(time.time())
    lines = [f"ALERTS{labels} 1 {at}" for labels in ALERTS
             for at in range(now - 600, now + 3600, 60)]
    return "# TYPE ALERTS gauge\n" + "\n".join(lines) + "\n# EOF\n"


def evidence():
    """Why node001 does not reach node002: all requests arrive and are answered, large packets do not pass."""
    now = int(time.time())
    pair = 'job="node",instance="10.77.0.1:9100",group="default",peer="node002"'
    node = 'job="node",instance="10.77.0.2:9100",family="ipv4"'
    growth = {f"echo_requests_sent_total{{{pair}}}": 7,
              f"echo_requests_sent_total{{{pair.replace('0.1:', '0.4:')}}}": 7,
              f"echo_requests_received_total{{{node}}}": 14, f"echo_replies_sent_total{{{node}}}": 14,
              f"mtu_requests_total{{{pair}}}": 1, f"mtu_replies_total{{{pair}}}": 0}
    gauges = {f'last_run_errors{{{pair},reason="time_exceeded",from="10.0.9.1"}}': 2,
              f'trace_last_hop_info{{{pair},hop="10.0.7.1"}}': 1, f"trace_hops{{{pair}}}": 3}
    times = range(now - 1800, now + 1200, 60)
    lines = [f"nodecanary_{name} {step * i} {at}" for name, step in growth.items()
             for i, at in enumerate(times)]
    lines += [f"nodecanary_{name} {value} {at}" for name, value in gauges.items() for at in times]
    return "\n".join(lines) + "\n# EOF\n"


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def wait_for(url):
    end = time.monotonic() + 60
    while True:
        try:
            return get(url)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
