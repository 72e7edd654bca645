// The picture: whole seconds and marks, drawn by plotly once a second and at each change, and over it the second
// that runs, which moves with each frame and costs no more than a style.
const INK = "#333333";
const QUIET = "#777777";
const HEIGHT = 300;
const MARGIN = { l: 58, r: 14, t: 36, b: 76 };
const SHARES = [-2, 105];
const RIGHT = 0.5;

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
    podsLine(store),
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
  return { x: share === undefined ? [] : [-MINUTE, RIGHT], y: share === undefined ? [] : [share, share],
    mode: "lines", name: `${newestOf(pods)} by its pods alone`, hoverinfo: "skip", visible: share !== undefined,
    line: { color: QUIET, width: 1, dash: "longdash" } };
}

function layout(store) {
  const end = Math.floor(store.now) + 1;
  const marks = changesOf(store).filter((change) => change.number > 0 && change.at > end - MINUTE);
  const axis = { linecolor: INK, showline: true, zeroline: false, ticks: "outside", fixedrange: true };
  return {
    paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font: { family: "sans-serif", color: INK, size: 12 },
    margin: { ...MARGIN, autoexpand: false }, height: HEIGHT, dragmode: false, hovermode: "closest",
    legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.24, yanchor: "top", traceorder: "normal" },
    xaxis: { ...axis, range: [-MINUTE, RIGHT], title: { text: "seconds ago (s)", standoff: 4 }, showgrid: false,
      ticktext: [60, 50, 40, 30, 20, 10, 0], tickvals: [-60, -50, -40, -30, -20, -10, 0] },
    yaxis: { ...axis, range: SHARES, ticksuffix: " %", dtick: 25, gridcolor: "#e3e3e3",
      title: { text: "share of answers (%)", standoff: 6 } },
    shapes: marks.map((c) => ({ type: "line", x0: c.at - end, x1: c.at - end, y0: 0, y1: 1, yref: "paper",
      line: { color: QUIET, width: 1 } })),
    annotations: marks.map((c) => ({ x: c.at - end, y: 1, yref: "paper", yanchor: "bottom", showarrow: false,
      xanchor: "center", yshift: 12 * (c.number % 2), font: { size: 11 }, // neighbours stand in two rows
      text: c.seen_ms === null ? "…" : `${c.seen_ms} ms` })),
  };
}

// The second that runs: for each version its interval as a bar and its share as an open mark.
class Running {
  constructor(place) {
    this.place = place;
    const paper = HEIGHT - MARGIN.t - MARGIN.b;
    this.y = (percent) => MARGIN.t + (paper * (SHARES[1] - percent)) / (SHARES[1] - SHARES[0]);
    place.style.right = `calc(${MARGIN.r - 7}px + (100% - ${MARGIN.l + MARGIN.r}px) * ${(RIGHT + 0.5) / (MINUTE + RIGHT)})`;
  }

  draw(store, styleOf) {
    const row = store.seconds.get(Math.floor(store.now));
    const shares = row && row[1] > 0 ? Object.entries(row[3]).sort() : [];
    while (this.place.children.length > shares.length) this.place.lastChild.remove();
    shares.forEach(([version, [share, low, high]], i) => {
      const running = this.place.children[i] ?? this.place.appendChild(newRunning());
      const [bar, mark] = running.children;
      if (running.dataset.version !== version) {
        const { color, symbol } = styleOf(version);
        running.className = `running ${symbol}`;
        running.dataset.version = version;
        running.style.setProperty("--color", color);
      }
      running.dataset.share = share;
      // A transform costs no layout, and .now is a layer of its own: nothing else is painted again.
      bar.style.transform = `translateY(${this.y(high)}px) scaleY(${this.y(low) - this.y(high)})`;
      mark.style.transform = `translateY(${this.y(share)}px)`;
    });
  }
}

function newRunning() {
  const running = document.createElement("div");
  running.innerHTML = '<div class="bar"></div><div class="mark"></div>';
  return running;
}
