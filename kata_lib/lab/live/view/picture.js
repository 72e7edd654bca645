// The picture: whole seconds and marks, drawn by plotly once a second and at each change, and over it the second
// that runs, which moves with each frame on a canvas of its own.
const INK = "#333333";
const QUIET = "#777777";
const HEIGHT = 300;
const MARGIN = { l: 58, r: 14, t: 36, b: 76 };
const SHARES = [-2, 105];
const RIGHT = 0.5;
const WIDTH = 14; // of the second that runs
const SYMBOLS = {
  circle: "M4,0A4,4 0 1 1 -4,0A4,4 0 1 1 4,0Z",
  square: "M-4,-4H4V4H-4Z",
  diamond: "M0,-5L5,0L0,5L-5,0Z",
  cross: "M-2,-5H2V-2H5V2H2V5H-2V2H-5V-2H-2Z",
};

class Picture {
  constructor(Plotly, place, styleOf) {
    Object.assign(this, { Plotly, place, styleOf, lines: "", visible: false, drawn: false });
    // Asked for whether a place is visible, a browser would compute the page's layout at each frame.
    this.observer = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1).isIntersecting;
      this.drawn &&= this.visible;
    });
    this.observer.observe(place);
  }

  // The axes stand still; as long as the lines are the same ones, they alone are moved, at half the cost.
  draw(store) {
    if (this.drawn && !store.stale) return;
    const { Plotly, place } = this;
    const drawn = traces(store, this.styleOf);
    const lines = drawn.map((line) => line.name).join();
    if (lines === this.lines) {
      const data = drawn.map(({ x, y, text = "" }) => ({ x, y, text }));
      const atOnce = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } };
      Plotly.animate(place, { data, traces: [...data.keys()] }, atOnce).catch(() => {}); // a newer one came before it
    } else Plotly.react(place, drawn, LAYOUT, { displayModeBar: false, responsive: true });
    this.lines = lines;
    this.drawn = true;
  }

  purge() {
    this.observer.disconnect();
    this.Plotly.purge(this.place);
  }
}

const AXIS = { linecolor: INK, showline: true, zeroline: false, ticks: "outside", fixedrange: true };
const LAYOUT = {
  paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font: { family: "sans-serif", color: INK, size: 12 },
  margin: { ...MARGIN, autoexpand: false }, height: HEIGHT, dragmode: false, hovermode: "closest",
  legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.24, yanchor: "top", traceorder: "normal" },
  xaxis: { ...AXIS, range: [-MINUTE, RIGHT], title: { text: "seconds ago (s)", standoff: 4 }, showgrid: false,
    ticktext: [60, 50, 40, 30, 20, 10, 0], tickvals: [-60, -50, -40, -30, -20, -10, 0] },
  yaxis: { ...AXIS, range: SHARES, ticksuffix: " %", dtick: 25, gridcolor: "#e3e3e3",
    title: { text: "share of answers (%)", standoff: 6 } },
};

function traces(store, styleOf) {
  const end = Math.floor(store.now) + 1;
  const rows = rowsOf(store).filter((row) => row[0] < end - 1);
  const answered = rows.filter((row) => row[1] > 0);
  const x = answered.map((row) => row[0] + 0.5 - end);
  const lines = versionsOf(store).flatMap((version) => {
    const { color, symbol, dash } = styleOf(version);
    const part = (at) => answered.map((row) => row[3][version]?.[at] ?? null);
    const edge = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
    return [
      { ...edge, y: part(1) },
      { ...edge, y: part(2), fill: "tonexty", fillcolor: `${color}33` },
      { x, y: part(0), mode: "lines+markers", name: version, line: { color, width: 2, dash },
        marker: { color, size: 6, symbol }, hoverinfo: "text",
        text: answered.map((row) => `${version}: ${row[3][version]?.[0]} % of ${row[1]}`) },
    ];
  });
  const failed = rows.filter((row) => row[2] > 0);
  return [
    ...lines,
    askedLine(store, end),
    ...podsLine(store),
    marksLine(store, end),
    { x: failed.map((row) => row[0] + 0.5 - end), y: failed.map((row) => row[2]), mode: "markers", name: "failed",
      marker: { color: INK, symbol: "x", size: 9 }, hoverinfo: "skip" },
  ];
}

function askedLine(store, end) {
  const line = { x: [], y: [], mode: "lines", name: "asked for", hoverinfo: "skip",
    line: { color: INK, width: 2.5, dash: "dot", shape: "hv" } };
  const changes = changesOf(store);
  for (const version of new Set(changes.flatMap((change) => Object.keys(change.after ?? {})))) {
    for (const change of changes) {
      line.x.push(Math.max(-MINUTE, change.at - end));
      line.y.push(change.after?.[version] ?? null);
    }
    line.x.push(RIGHT, RIGHT);
    line.y.push(line.y.at(-1), null);
  }
  return line;
}

function podsLine(store) {
  const pods = store.words?.pods ?? {};
  const share = pods[newestOf(pods)];
  return share === undefined ? [] : [{ x: [-MINUTE, RIGHT], y: [share, share], mode: "lines",
    name: `${newestOf(pods)} by its pods alone`, hoverinfo: "skip", line: { color: QUIET, width: 1, dash: "longdash" } }];
}

// A mark is a line from bottom to top with its words above; neighbours' words stand in two rows. It begins with
// nothing, for plotly clips the words of a line that was empty when it was drawn first.
function marksLine(store, end) {
  const line = { x: [RIGHT], y: [null], text: [""], mode: "lines+text", name: "changes", hoverinfo: "skip", showlegend: false,
    line: { color: QUIET, width: 1 }, textposition: "top center", textfont: { size: 11 }, cliponaxis: false };
  for (const change of changesOf(store)) {
    const isMark = change.number > 0 || change.mark !== undefined;
    if (!isMark || change.at <= end - MINUTE) continue;
    const words = change.mark ?? (change.seen_ms === null ? "…" : `${change.seen_ms} ms`);
    line.x.push(change.at - end, change.at - end, null);
    line.y.push(...SHARES, null);
    line.text.push("", words && change.number % 2 ? `${words}<br> ` : words, "");
  }
  return line;
}

// The second that runs: for each version its interval as a bar and its share as an open mark. A canvas changes
// without style, layout or a new order of the page's layers.
class Running {
  constructor(canvas, styleOf) {
    Object.assign(this, { canvas, styleOf, pen: canvas.getContext("2d") });
    canvas.width = WIDTH * devicePixelRatio;
    canvas.height = HEIGHT * devicePixelRatio;
    canvas.style.right = `calc(${MARGIN.r - WIDTH / 2}px + (100% - ${MARGIN.l + MARGIN.r}px) * ${(RIGHT + 0.5) / (MINUTE + RIGHT)})`;
    this.pen.scale(devicePixelRatio, devicePixelRatio);
    this.pen.translate(WIDTH / 2, 0);
    this.pen.lineWidth = 2;
    this.pen.fillStyle = "#ffffff";
  }

  draw(store) {
    const row = store.seconds.get(Math.floor(store.now));
    this.canvas.shares = row && row[1] > 0 ? row[3] : {};
    this.pen.clearRect(-WIDTH / 2, 0, WIDTH, HEIGHT);
    for (const [version, shares] of Object.entries(this.canvas.shares).sort()) this.mark(version, ...shares.map(heightOf));
  }

  mark(version, share, low, high) {
    const { color, symbol } = this.styleOf(version);
    const mark = new Path2D(SYMBOLS[symbol]);
    this.pen.strokeStyle = color;
    this.pen.stroke(new Path2D(`M0,${high}V${low}`));
    this.pen.translate(0, share);
    this.pen.fill(mark);
    this.pen.stroke(mark);
    this.pen.translate(0, -share);
  }
}

const heightOf = (percent) => MARGIN.t + ((HEIGHT - MARGIN.t - MARGIN.b) * (SHARES[1] - percent)) / (SHARES[1] - SHARES[0]);
