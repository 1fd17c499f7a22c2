"""What the console pages show, and how: one function a behaviour, named by its docstring."""
import re
import time
import urllib.parse

import colours
from browser import Browser  # pylint: disable=unused-import
from fleets import get

ODD = 'ö<b>"o\'d"</b> &\\/?#%41+</script>'
# The matrix as a person sees it.
MATRIX = """(function () {
    var rows = Array.from(document.querySelectorAll("#matrix tr"));
    function cell(td) {
        var a = td.querySelector("a");
        return { text: td.textContent, kind: td.classList[0], href: a && a.href,
            title: (a || td).title };
    }
    return {
        columns: Array.from(rows[0].cells).slice(1).map(function (th) { return th.title; }),
        scopes: Array.from(document.querySelectorAll("#matrix th")).map(function (th) { return th.scope; }),
        rows: rows.slice(1).map(function (tr) {
            return { name: tr.cells[0].querySelector("span").textContent, head: tr.cells[0].textContent,
                title: tr.cells[0].title, cells: Array.from(tr.cells).slice(1).map(cell) };
        })
    };
})()"""
# Kinds of cells, in the order of the legend.
KINDS = ["rtt0", "rtt1", "rtt2", "rtt3", "rtt4", "loss1", "loss2", "loss3", "loss4"]
DRAWN = """new Promise(function (resolve) {
    (function look() {
        if (document.querySelector(".waiting")) setTimeout(look, 50); else resolve(1);
    })();
})"""
TESTS = []


def behaviour(function):
    TESTS.append(function)
    return function


def tests(names):
    return [test for test in TESTS if not names or test.__name__ in names]


def equal(what, expected, actual):
    assert expected == actual, f"{what}: expected {expected!r}, not {actual!r}"


def contains(where, *words):
    for word in words:
        assert word in where, f"{word!r} is not in {where!r}"


class Matrix:
    def __init__(self, read):
        self.columns = read["columns"]
        self.scopes = read["scopes"]
        self.rows = {row["name"].removeprefix("▲ "): row for row in read["rows"]}
        self.bad = [row["name"][2:] for row in read["rows"] if row["name"].startswith("▲ ")]

    def cell(self, observer, peer):
        return self.rows[observer]["cells"][self.columns.index(peer)]

    def kinds(self, observer):
        return [cell["kind"] for cell in self.rows[observer]["cells"]]


class Look:
    """A browser before the pages of the fleets."""

    def __init__(self, browser, fleets, pictures):
        self.browser, self.fleets, self.pictures = browser, fleets, pictures

    def address(self, fleet, template, **params):
        return f"{self.fleets.url(fleet)}/consoles/{template}.html?{urllib.parse.urlencode(params)}"

    def open(self, fleet, template="nodecanary", width=1440, height=900, phone=False, dark=False,
             scripts=True, **params):
        self.browser.screen(width, height, phone, dark, scripts)
        self.browser.open(self.address(fleet, template, **params))
        if scripts:
            self.browser.evaluate(DRAWN)
        equal("complaints of the browser", [], self.browser.complaints())

    def mesh(self, fleet, **params):
        self.open(fleet, **params)
        return Matrix(self.browser.evaluate(MATRIX))

    def pair(self, fleet, peer, instance="10.77.0.1:9100", group="default", **params):
        self.open(fleet, "nodecanary-pair", instance=instance, group=group, peer=peer, **params)

    def text(self, selector):
        return self.browser.evaluate(
            f"Array.from(document.querySelectorAll({selector!r})).map(e => e.textContent)")

    def troubles(self):
        return dict(re.split(": ", text, maxsplit=1) for text in self.text("#troubles li")
                    if ": " in text)

    def picture(self, name, whole=False):
        if whole:
            size = self.browser.evaluate("[innerWidth, document.body.offsetHeight]")
            self.browser.resize(*size)
        # The browser paints large pages piece by piece.
        before, image = None, self.browser.screenshot()
        while image != before:
            before, image = image, self.browser.screenshot()
        with open(f"{self.pictures}/{name}.png", "wb") as file:
            file.write(image)

    def fits_everywhere(self, fleet):
        """On a screen and on a phone; with pictures for people."""
        for width in (1400, 390):
            self.open(fleet, width=width, height=900, phone=width == 390)
            self.fits()
            self.picture(f"{fleet}-{width}")

    def fits(self):
        equal("width of the page", self.browser.evaluate("document.documentElement.clientWidth"),
              self.browser.evaluate("document.documentElement.scrollWidth"))


# --- the mesh ---

@behaviour
def every_member(look):
    """every observer has a row and every peer a column, with headers that say which"""
    mesh = look.mesh("five")
    equal("peers", sorted(["node001", "node002", "node003", ODD, "node005"]), sorted(mesh.columns))
    equal("observers", sorted(mesh.columns), sorted(mesh.rows))
    equal("scopes", ["col"] * 6 + ["row"] * 5, mesh.scopes)
    equal("cells of a row", {5}, {len(row["cells"]) for row in mesh.rows.values()})


@behaviour
def bad_first(look):
    """bad nodes come first, rows and columns in the same order, and are marked"""
    for fleet, first in (("five", ["node005", "node003"]), ("sixty", ["node007", "node012", "node020"])):
        mesh = look.mesh(fleet)
        equal("worst", first, mesh.columns[:len(first)])
        equal("order of rows", mesh.columns, list(mesh.rows))
    equal("marked", {"node007", "node012", "node020", "node033", "node041", "node042", "node050",
                     "node060"}, set(mesh.bad))
    equal("place of the marked", mesh.bad, mesh.columns[:8])
    equal("the others, by name", sorted(mesh.columns[8:]), mesh.columns[8:])


@behaviour
def nothing_stale(look):
    """the row of a node whose timer is dead shows no number, and for how long"""
    mesh = look.mesh("five")
    equal("cells", {"?", ""}, {cell["text"] for cell in mesh.rows["node003"]["cells"]})
    equal("kinds", 4, mesh.kinds("node003").count("stale"))
    contains(mesh.rows["node003"]["head"], "no fresh run for 1", "min")
    contains(look.troubles()["node003"], "no fresh run, the last one 1", "min ago")
    # Others still see the node.
    equal("its column", "rtt0", mesh.cell("node001", "node003")["kind"])
    for window in ("5m", "1h"):
        equal(window, 4, look.mesh("five", window=window).kinds("node003").count("stale"))


@behaviour
def no_data(look):
    """a node that is off keeps its row, without data, and its column says that it does not answer"""
    mesh = look.mesh("five")
    equal("row", 4, mesh.kinds("node005").count("nodata"))
    contains(mesh.rows["node005"]["head"], "no data for 1")
    for observer in ("node001", "node002", ODD):
        equal(observer, ("loss4", "✕"), (mesh.cell(observer, "node005")["kind"],
                                         mesh.cell(observer, "node005")["text"]))
    contains(look.troubles()["node005"], "node_exporter does not answer",
             "does not answer any of 3 observers")


@behaviour
def just_gone(look):
    """a node that was scraped a moment ago, and is not any more, shows no number"""
    def until(kind):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            mesh = look.mesh("live")
            if "live2" in mesh.rows and mesh.cell("live2", "live1")["kind"] == kind:
                return mesh
        raise AssertionError(f"never {kind}: {mesh.rows}")
    until("rtt0")
    look.fleets.nodes[1].stop()
    mesh = until("nodata")
    contains(look.troubles()["live2"], "node_exporter does not answer, last run")
    equal("the other", "rtt0", mesh.cell("live1", "live2")["kind"])
    plain = get(look.address("live", "nodecanary")).split('<section id="plain">')[1]
    equal("states without script", ["no fresh run", "runs"],
          sorted(re.findall(r"ago</td><td>(.*?)</td>", plain)))
    # Its rates are still there.
    answer = get(look.fleets.url("live") + "/api/v1/query?" + urllib.parse.urlencode({
        "query": 'rate(nodecanary_requests_total{peer="live1"}[2m]) > 0'}))
    contains(answer, '"peer":"live1"')


@behaviour
def numbers(look):
    """a pair that loses shows how much, one that does not shows its latency, oneself is blank"""
    mesh = look.mesh("five")
    lossy, fine = mesh.cell("node001", "node002"), mesh.cell("node001", "node003")
    assert re.fullmatch(r"\d+%0\.\d\d", lossy["text"]), lossy
    assert lossy["kind"] in ("loss1", "loss2", "loss3"), lossy
    equal("colour", "rtt0", fine["kind"])
    assert 0.15 < float(fine["text"]) < 0.25, fine
    contains(fine["title"], "node001 → node003: nothing lost, mean 0.")
    for name in mesh.columns:
        equal(name, ("self", "", None), tuple(mesh.cell(name, name)[key]
                                              for key in ("kind", "text", "href")))
    contains(look.troubles(), "node001 → node002", "node002 → node001")


@behaviour
def ages(look):
    """fresh nodes show how old their last run is"""
    mesh = look.mesh("five")
    for name in ("node001", "node002", ODD):
        assert re.search(r" \d+ s$", mesh.rows[name]["head"]), mesh.rows[name]


@behaviour
def all_well(look):
    """where nothing is wrong, nothing is marked and the page says so"""
    mesh = look.mesh("well")
    equal("bad", [], mesh.bad)
    equal("troubles", [], look.text("#troubles li"))
    equal("summary", "4 observers with fresh runs · 12 pairs measured · nothing lost",
          look.text("#summary")[0])
    equal("alerts", [], look.text("#alerts"))
    equal("one node", ["node001"], look.mesh("one").columns)
    equal("summary of one", "1 observer with fresh runs · 0 pairs measured · nobody to ping",
          look.text("#summary")[0])


@behaviour
def no_series(look):
    """without any series of nodecanary the page says so"""
    look.open("nothing")
    contains(look.text("body")[0], "Prometheus has no series of nodecanary.")


@behaviour
def groups(look):
    """the group selector: a group of members shows these, a group of targets all observers of them"""
    storage = look.mesh("five", group="storage")
    equal("members", {"node001", "node002", "node003"}, set(storage.columns))
    equal("observers", set(storage.columns), set(storage.rows))
    targets = look.mesh("five", group="targets")
    equal("targets", ["target1", "target2"], targets.columns)
    equal("observers of targets", {"node001", "node002", "node003", ODD, "node005"},
          set(targets.rows))
    equal("a target", "rtt3", targets.cell("node001", "target1")["kind"])
    equal("bad", ["node003", "node005"], sorted(targets.bad))
    equal("groups", ["default", "storage", "targets"], look.text("nav[aria-label=Group] a"))
    equal("current", ["targets"], look.text("nav[aria-label=Group] a[aria-current]"))


@behaviour
def reasons(look):
    """the page tells apart why a node says nothing, or nothing good"""
    mesh = look.mesh("states")
    troubles = look.troubles()
    contains(troubles["node003"], "no data: node_exporter does not answer")
    contains(troubles["node004"], "no data: node_exporter has no file of nodecanary")
    contains(troubles["node005"], "its runs fail")
    contains(troubles["node006"], "its list of peers differs")
    contains(troubles["node007"], "its clock, or ours, is wrong", " min in the future")
    contains(troubles["node001 → node002"], "requests cannot leave")
    contains(troubles["node008 → node009"], "ipv6: 100% lost")
    contains(troubles["node009 → node001"], "ipv6: not measured, requests cannot leave")
    equal("no others", 9, len(troubles))
    contains(mesh.rows["node005"]["head"], "its runs fail")
    equal("failing", 8, mesh.kinds("node005").count("stale"))
    # They answer: their columns are fine.
    for name in ("node003", "node004", "node005"):
        equal(name, "rtt0", mesh.cell("node001", name)["kind"])


@behaviour
def unknown(look):
    """a peer under whose name nothing reports has a row without data that is not held against it"""
    mesh = look.mesh("unknown")
    equal("bad", [], mesh.bad)
    equal("cells", ["nodata"] * 3 + ["self"], sorted(mesh.kinds("node002")))
    equal("links", {None}, {cell["href"] for cell in mesh.rows["node002"]["cells"]})
    contains(mesh.rows["node002"]["title"], "nothing has reported under this name for a day")
    equal("column", "rtt0", mesh.cell("node001", "node002")["kind"])


@behaviour
def unsent(look):
    """requests that cannot leave, or are not made, are not measured, and no loss"""
    mesh = look.mesh("states")
    cell = mesh.cell("node001", "node002")
    equal("unsent", ("unsent", "!"), (cell["kind"], cell["text"]))
    contains(cell["title"], "not measured, requests cannot leave")
    cell = mesh.cell("node002", "node001")
    equal("idle", ("unmeasured", "–"), (cell["kind"], cell["text"]))
    contains(cell["title"], "not measured, no request")
    contains(look.text("#summary")[0], "3 not measured")


@behaviour
def both_families(look):
    """with family = both a cell is the worse of both, and each can be chosen alone"""
    mesh = look.mesh("states")
    contains(mesh.cell("node001", "node008")["title"], "ipv4: nothing lost", "ipv6: nothing lost")
    worse = mesh.cell("node008", "node009")
    equal("worse", ("loss4", "✕"), (worse["kind"], worse["text"]))
    contains(worse["title"], "ipv4: nothing lost", "ipv6: 100% lost")
    contains(worse["href"], "family=ipv6")
    equal("the other", "rtt0", look.mesh("states", family="ipv4").cell("node008", "node009")["kind"])
    equal("families", ["worse of both", "ipv4", "ipv6"], look.text("nav[aria-label=Family] a"))
    equal("unsent is worse than well", "unsent", mesh.cell("node009", "node001")["kind"])
    alone = look.mesh("states", family="ipv6").cell("node001", "node008")["title"]
    contains(alone, "ipv6: nothing lost")
    assert "ipv4" not in alone, alone
    look.pair("states", "node008")
    equal("pictures", 4, len(look.text(".chart svg")))
    look.pair("states", "node008", family="ipv6")
    equal("pictures of one", 2, len(look.text(".chart svg")))


@behaviour
def fanout(look):
    """with fanout the cells of peers that were not chosen are blank, the others stand out"""
    mesh = look.mesh("fanout")
    for name, row in mesh.rows.items():
        measured = [cell for cell in row["cells"] if cell["text"]]
        equal(name, 4, len(measured))
        equal(f"blank of {name}", 25, mesh.kinds(name).count("unselected"))
        equal("links", 4, len([cell for cell in row["cells"] if cell["href"]]))
    equal("of a dead timer", ["?"] * 4, [cell["text"] for cell in mesh.rows["node020"]["cells"]
                                        if cell["text"]])
    equal("cut", "loss4", mesh.cell("node008", "node010")["kind"])
    # No histogram: the time is that of the gauges.
    assert re.fullmatch(r"\.\d", mesh.cell("node001", "node002")["text"])
    look.picture("fanout")


@behaviour
def sixty(look):
    """sixty nodes are 3,540 measured or unknown pairs; node, path and latency are told apart"""
    mesh = look.mesh("sixty")
    equal("rows", 60, len(mesh.rows))
    equal("links", 3540, sum(bool(cell["href"]) for row in mesh.rows.values()
                             for cell in row["cells"]))
    troubles = look.troubles()
    contains(troubles["node007"], "no data", "does not answer any of 58 observers")
    contains(troubles["node012"], "does not answer any of 57", "gets no answer from any of 59")
    contains(troubles["node033"], "slow: 5", "usually 0.")
    look.open("picture")
    contains(look.troubles()["node005"], "slow: 3", "usually 0.")
    contains(troubles["node050 → node060"], "100% lost")
    equal("troubles", 8, len(troubles))
    equal("slow", "rtt4", mesh.cell("node001", "node033")["kind"])
    assert not [name for name in ("node001", "node002") if name in mesh.bad]


@behaviour
def split(look):
    """a mesh in two parts is one sentence that names them; the smaller part comes first"""
    mesh = look.mesh("split")
    equal("troubles", {"The mesh is split": "no answer between two parts: node006, node007, node008 | "
                       "node001, node002, node003, node004, node005"}, look.troubles())
    equal("marked", ["node006", "node007", "node008"], mesh.bad)
    look.fits_everywhere("split")


@behaviour
def two_sites(look):
    """a node that is down changes nothing for the others, however far they are: nobody is slow"""
    mesh = look.mesh("sites")
    equal("marked", ["node001"], mesh.bad)
    equal("troubles", ["node001"], list(look.troubles()))
    equal("distance is not held against them", "rtt2", mesh.cell("node002", "node010")["kind"])


@behaviour
def slow(look):
    """a node is slow against what its pairs were, or against its site where it was never better"""
    mesh = look.mesh("slow")
    equal("marked", ["node008"], mesh.bad)
    contains(look.troubles()["node008"], "slow: 5", "usually ")
    contains(mesh.cell("node001", "node008")["title"], " ms before")
    mesh = look.mesh("always")
    equal("always slow", ["node008"], mesh.bad)
    contains(look.troubles()["node008"], "slow: 5", "ms in its site")


@behaviour
def lossy_node(look):
    """a node that loses on all its pairs is accused, those who ping it are not"""
    mesh = look.mesh("lossy")
    equal("marked", ["node004"], mesh.bad)
    equal("troubles", ["node004"], list(look.troubles()))
    contains(look.troubles()["node004"], "% of the requests to it are lost", "% of its own requests are lost")


@behaviour
def large(look):
    """of a large mesh the worst hundred are asked for and shown, and the page says what is left out"""
    mesh = look.mesh("large")
    page = get(look.address("large", "nodecanary"))
    assert len(page) < 500000, len(page)
    assert 90 < len(mesh.rows) <= 100 and 90 < len(mesh.columns) <= 100, (len(mesh.rows), len(mesh.columns))
    asked = look.browser.evaluate("""JSON.parse(document.getElementById("data").textContent)
        .rtt.reduce((sum, row) => sum + (row.length - 2) / 3, 0)""")
    assert 8000 < asked <= 10000, asked
    troubles = look.troubles()
    equal("troubles", ["node007", "node033", "node050 → node060", "node060 → node050", "node070"],
          sorted(troubles))
    contains(troubles["node007"], "no data", "does not answer any of")
    assert "slow" not in troubles["node007"], troubles
    contains(troubles["node033"], "slow: 5")
    contains(look.text("#pages")[0], f"Shown are {len(mesh.rows)} of 120 observers", "of 120 peers",
             "page 1 of 2", "not asked for")
    look.fits_everywhere("large")


@behaviour
def other_nodes(look):
    """the other nodes of a large mesh are found on further pages, or by name"""
    first, second = look.mesh("large"), look.mesh("large", page=2)
    everybody = {f"node{i:03}" for i in range(1, 121)}
    equal("columns of both pages", everybody, set(first.columns) | set(second.columns))
    contains(look.text("#pages")[0], "page 2 of 2")
    left_out = min(everybody - set(first.columns))
    for name in (left_out, left_out[-3:]):
        mesh = look.mesh("large", name=name)
        contains(mesh.columns, left_out)
        contains(mesh.rows, left_out)
        contains(look.text("#pages")[0], f"first those named “{name}”")
    for name in ("(", '"', ".*", "</script>"):
        look.mesh("large", name=name)


@behaviour
def queries(look):
    """the number of queries does not grow with the number of nodes"""
    def count(fleet):
        name = 'prometheus_engine_query_duration_seconds_count{slice="inner_eval"}'
        def now():
            text = get(look.fleets.url(fleet) + "/metrics")
            return int(re.search(re.escape(name) + r" (\d+)", text)[1])
        before = now()
        get(look.address(fleet, "nodecanary"))
        return now() - before
    equal("queries", count("well"), count("sixty"))
    assert 0 < count("sixty") < 30
    assert count("large") < 40


# --- names from outside ---

@behaviour
def odd_names(look):
    """a name with quotes, markup, slashes and UTF-8 is shown as it is, and its links lead to it"""
    mesh = look.mesh("five")
    equal("foreign elements", 0, look.browser.evaluate(
        "document.querySelectorAll('#matrix th b, #troubles b, body > b').length"))
    for observer, peer, link in (("node001", ODD, mesh.cell("node001", ODD)["href"]),
                                 (ODD, "node001", mesh.cell(ODD, "node001")["href"])):
        look.browser.open(link)
        look.browser.evaluate(DRAWN)
        equal("title", [f"{observer} and {peer}"], look.text("h1"))
        equal("directions", [f"{observer} → {peer}", f"{peer} → {observer}"], look.text("h2"))
        equal("lines in pictures", 2, len(look.text(".chart svg .mean")))
        equal("foreign elements", [], look.text("h1 b, h2 b"))


@behaviour
def parameters(look):
    """parameters from outside are data: no query and no page breaks, no markup comes in"""
    for params in ({"group": '"} or vector(1) #'}, {"group": ODD}, {"group": "\\"},
                   {"group": "default", "window": "9y"}, {"window": "2m]) or vector(1"},
                   {"group": "default", "family": '"}'}):
        page = get(look.address("five", "nodecanary", **params))
        contains(page, "</html>")
        assert "ö<b>" not in page, params
        look.open("five", **params)
    equal("window", ["2m"], look.text("nav[aria-label=Window] a[aria-current]"))
    look.pair("five", ODD, instance='"} or vector(1)', group="\\", job="'", range="1h]")
    equal("range", ["1h"], look.text("nav[aria-label=Range] a[aria-current]"))
    contains(look.text("main")[0], "Not measured")


@behaviour
def alerts(look):
    """alerts of nodecanary stand on top, firing before pending, foreign ones do not"""
    look.open("five")
    items = look.text("#alerts li")
    equal("alerts", 2, len(items))
    contains(items[0], "firing", "NodecanaryNodeDown", "critical", '<img src=x onerror="')
    contains(items[1], "pending", "NodecanaryLoss", "node002")
    equal("elements in labels", [], look.text("#alerts img"))


@behaviour
def nothing_from_elsewhere(look):
    """no page names or asks another host, nor for anything but itself and the API"""
    for page, params in (("nodecanary", {}), ("nodecanary-pair", {
            "instance": "10.77.0.1:9100", "group": "default", "peer": "node002"})):
        source = get(look.address("five", page, **params))
        equal("addresses", [], [address for address in re.findall(r"(?:https?:)?//[\w.]+", source)
                                if address != "http://www.w3.org"])
        look.open("five", page, **params)
        base = look.fleets.url("five")
        for url in look.browser.requested():
            assert url.startswith((f"{base}/consoles/{page}.html", f"{base}/api/v1/query_range?",
                                   "data:,")), url


# --- the page of a pair ---

@behaviour
def both_directions(look):
    """the page of a pair shows both directions side by side: pictures, numbers, address and labels"""
    look.pair("five", "node002")
    equal("directions", ["node001 → node002", "node002 → node001"], look.text("h2"))
    left, right = look.browser.evaluate("""Array.from(document.querySelectorAll(".direction"))
        .map(e => ({ left: e.getBoundingClientRect().left, top: e.getBoundingClientRect().top,
            bars: e.querySelectorAll(".bar").length, mean: e.querySelectorAll(".mean").length,
            band: e.querySelectorAll(".band").length, p99: e.querySelectorAll(".p99").length,
            gaps: e.querySelectorAll(".gap").length, text: e.textContent,
            label: e.querySelector("svg").getAttribute("aria-label") }))""")
    assert left["top"] == right["top"] and left["left"] < right["left"], (left, right)
    for side, peer, own in ((left, 2, 1), (right, 1, 2)):
        assert side["bars"] > 20 and side["mean"] == side["band"] == side["p99"] == 1, side
        # The fleet is half an hour old.
        assert 30 < side["gaps"] < 70, side
        contains(side["text"], "Fresh: last run", f"instance 10.77.0.{own}:9100",
                 f"address10.77.0.{peer}", "rackr0", "TTL of replies64")
        contains(side["label"], "% lost in 2 minutes", "ms")
    rows = look.text(".direction:first-child tbody tr")
    equal("windows", ["2m", "15m", "1h", "1d"], [row.strip().split("\n")[0] for row in rows])


@behaviour
def quantiles(look):
    """no quantile of a pair is above the greatest time that was seen"""
    look.pair("five", "node002")
    rows = look.browser.evaluate("""Array.from(document.querySelectorAll(".numbers tbody tr"))
        .map(tr => Array.from(tr.cells).slice(5).map(td => Number(td.textContent)))""")
    for median, p99, greatest in rows:
        assert 0 < median <= p99 <= greatest, rows


@behaviour
def why(look):
    """the page of a pair says where its requests get lost, as far as metrics tell"""
    look.pair("five", "node002")
    there, back = look.text(".direction")
    contains(there, "of all observersrequests arrive, replies do not", "large packetsdo not pass",
             "errors of the last run2 × time_exceeded, from 10.0.9.1", "last hop that answered10.0.7.1",
             "hops of the trace3")
    for word in ("of all observers", "large packets", "last hop"):
        assert word not in back, back
    # Without these metrics nothing is said.
    look.pair("sixty", "node002")
    assert "of all observers" not in look.text("main")[0]


@behaviour
def stale_pair(look):
    """the page of a pair says which direction is of the past, and draws nothing after it"""
    look.pair("five", "node003")
    fresh, stale = look.text(".state")
    contains(fresh, "Fresh: last run")
    contains(stale, "No fresh run. All below is of the past; last run 1", "m")
    numbers_of = look.text(".direction:last-child tbody tr:first-child td")
    equal("the last 2m", ["0"] + 6 * ["–"], numbers_of)
    ends = look.browser.evaluate("""Array.from(document.querySelectorAll(".direction"))
        .map(e => [".mean", ".band"].map(line => e.querySelector(line).getBBox())
            .map(box => box.x + box.width))""")
    for fresh_end, stale_end in zip(*ends):
        assert stale_end < fresh_end - 50, ends
    gaps = look.browser.evaluate("""Array.from(document.querySelectorAll(".direction"))
        .map(e => e.querySelectorAll(".gap").length)""")
    assert gaps[1] > gaps[0] + 20, gaps


@behaviour
def one_direction(look):
    """a target, which observes nobody, has one direction, and the page says so"""
    look.pair("five", "target1", group="targets")
    equal("directions", ["node001 → target1", "target1 → node001"], look.text("h2"))
    equal("pictures", 1, len(look.text(".chart svg")))
    contains(look.text(".unknown")[0], "nothing reports to Prometheus as the member target1")


@behaviour
def pair_without_histogram(look):
    """without histograms a pair has its mean from gauges, and no percentiles"""
    look.pair("sixty", "node002")
    equal("lines", (2, 0), (len(look.text(".chart .mean")), len(look.text(".chart .p99"))))
    for number in look.text(".direction:first-child tbody tr:first-child td")[2:]:
        assert re.fullmatch(r"\d+\.\d\d|–", number), number


# --- who looks, and with what ---

@behaviour
def pictures(look):
    """the pages fit their window, light and dark; pictures of them are made for people to look at"""
    for fleet, width in (("picture", 960), ("sixty", 1440)):
        for dark in (False, True):
            look.open(fleet, width=width, height=1000, dark=dark)
            look.fits()
            look.picture(f"mesh-{fleet}{'-dark' * dark}", whole=True)
        look.open(fleet, width=390, height=844, phone=True)
        look.fits()
        look.picture(f"mesh-{fleet}-phone")
    look.open("states", width=1000)
    look.picture("states", whole=True)
    for dark in (False, True):
        look.pair("picture", "node002", width=1200, dark=dark)
        look.fits()
        look.picture(f"pair{'-dark' * dark}", whole=True)


@behaviour
def phone(look):
    """on a phone no page is wider than the screen; the matrix scrolls in its box, headers stay"""
    look.open("five", width=390, height=844, phone=True)
    look.fits()
    look.pair("five", "node002", width=390, height=844, phone=True)
    look.fits()
    look.picture("pair-phone")
    look.open("sixty", width=390, height=844, phone=True)
    moved = look.browser.evaluate("""(function () {
        var box = document.querySelector(".box"), row = document.querySelector("#matrix tbody th");
        var column = document.querySelectorAll("#matrix thead th")[1], corner = column.previousSibling;
        function places() {
            return [row.getBoundingClientRect().left, column.getBoundingClientRect().top,
                corner.getBoundingClientRect().left, corner.getBoundingClientRect().top];
        }
        var before = places();
        box.scrollLeft = 300;
        box.scrollTop = 200;
        return [box.scrollLeft, box.scrollTop, before, places()];
    })()""")
    equal("scrolled", [300, 200], moved[:2])
    equal("headers", moved[2], moved[3])


@behaviour
def five_on_a_phone(look):
    """the matrix of five nodes fits on a phone as a whole"""
    look.open("five", width=390, height=844, phone=True)
    equal("hidden", 0, look.browser.evaluate(
        "(function (box) { return box.scrollWidth - box.clientWidth; })(document.querySelector('.box'))"))


@behaviour
def scroll(look):
    """when the page loads itself again the matrix stays where it was scrolled to"""
    look.open("sixty", width=800, height=600)
    contains(get(look.address("sixty", "nodecanary")), '<meta http-equiv="refresh" content="60">')
    place = "document.querySelector('.box').scrollLeft + ' ' + document.querySelector('.box').scrollTop"
    look.browser.evaluate("document.querySelector('.box').scrollTo(150, 120)")
    look.open("sixty", width=800, height=600)
    equal("place", "150 120", look.browser.evaluate(place))


@behaviour
def page_ages(look):
    """a page that is left open says how old it is"""
    look.open("five")
    assert "ago" not in look.text("#asof")[0]
    end = time.monotonic() + 30
    while "ago" not in look.text("#asof")[0]:
        assert time.monotonic() < end, look.text("#asof")
        time.sleep(0.5)


@behaviour
def without_script(look):
    """without scripts plain tables say who runs and which pairs lose, and where to read on"""
    look.open("five", scripts=False)
    page = get(look.address("five", "nodecanary"))
    plain = page.split('<section id="plain">')[1].split("</section>")[0]
    states = dict(re.findall(r"<tr><td>(.*?)</td><td>.*?</td><td>(.*?)</td></tr>",
                             plain.split("<h2>")[1]))
    equal("states", {"10.77.0.1:9100": "runs", "10.77.0.2:9100": "runs", "10.77.0.4:9100": "runs",
                     "10.77.0.3:9100": "no fresh run", "10.77.0.5:9100": "no fresh run"}, states)
    equal("pairs that lose", 5, len(re.findall(r'<a href="nodecanary-pair\.html\?instance=', plain)))
    look.picture("plain")


@behaviour
def contrast(look):
    """every text stands out from its ground, in the light and in the dark scheme"""
    for dark in (False, True):
        look.open("five", dark=dark)
        palette = read_palette(look)
        for kind in KINDS:
            text = palette[kind]["text"]
            assert colours.contrast(text, palette[kind]["ground"]) >= 4.5, (dark, kind)
        for name in ("--text", "--dim", "--alarm", "--link"):
            assert colours.contrast(palette[name], palette["--page"]) >= 4.5, (dark, name)
        for ground in ("--hatch", "--hatch2"):
            assert colours.contrast(palette["--hatch-text"], palette[ground]) >= 4.5, (dark, ground)


@behaviour
def colour_blind(look):
    """cells of different kinds differ in colour, for eyes without green cones, too"""
    for dark in (False, True):
        look.open("five", dark=dark)
        palette = read_palette(look)
        grounds = {kind: palette[kind]["ground"] for kind in KINDS}
        grounds.update({name: palette[name] for name in ("--page", "--hatch", "--self")})
        names = list(grounds)
        for i, one in enumerate(names):
            for other in names[i + 1:]:
                # Neighbours of a scale have texts that say the rest.
                least = 5 if one[:3] == other[:3] or "--" in one + other else 10
                for blind in (False, True):
                    far = colours.difference(grounds[one], grounds[other], blind)
                    assert far >= least, (dark, blind, one, other, far)


@behaviour
def not_by_colour_alone(look):
    """every kind of cell has a text or sign of its own, and a title"""
    mesh = look.mesh("five")
    for row in mesh.rows.values():
        for cell in row["cells"]:
            contains(cell["title"], " → ")
            expected = {"s": r"\?|", "n": r"\?", "l": r"✕|\d+%.*", "r": r"[\d.]+"}[cell["kind"][0]]
            assert re.fullmatch(expected, cell["text"]), cell


def read_palette(look):
    """Colours of the cells, by the legend, and the named ones."""
    hexes = """function (rgb) {
        return "#" + rgb.match(/[0-9]+/g).slice(0, 3)
            .map(n => Number(n).toString(16).padStart(2, "0")).join("");
    }"""
    return look.browser.evaluate(f"""(function () {{
        var hex = {hexes}, palette = {{}}, root = getComputedStyle(document.documentElement);
        {KINDS!r}.forEach(function (kind) {{
            var style = getComputedStyle(document.querySelector("#legend ." + kind));
            palette[kind] = {{ ground: hex(style.backgroundColor), text: hex(style.color) }};
        }});
        ["--page", "--text", "--dim", "--alarm", "--link", "--hatch", "--hatch2", "--hatch-text", "--self"]
            .forEach(function (name) {{ palette[name] = root.getPropertyValue(name).trim(); }});
        return palette;
    }})()""")
