// The picture's geometry: the axes that plotly draws, and where the second that runs stands among them.

/** @import { Settings } from "./protocol.js" */

export const HEIGHT = 300;
export const RIGHT = 0.5; // seconds between now and the picture's right edge
export const RUNNING_WIDTH = 14;
const MARGIN = { l: 58, r: 14, t: 36, b: 76 };
const BOTTOM = -2; // percent: a line at 0 is seen whole

/**
 * Return the shares at the two ends of the axis.
 *
 * @param {Settings} settings
 * @returns {[number, number]}
 */
export const sharesAxis = ({ paper }) => [BOTTOM, paper.top];

/**
 * Return how many pixels below the upper edge a share stands.
 *
 * @param {number} percent
 * @param {Settings} settings
 */
export function heightOf(percent, settings) {
  const [low, high] = sharesAxis(settings);
  return MARGIN.t + ((HEIGHT - MARGIN.t - MARGIN.b) * (high - percent)) / (high - low);
}

/**
 * Return how far from the right edge the canvas of the second that runs stands, as a length of CSS.
 *
 * @param {Settings} settings
 */
export function runningRight({ minute }) {
  const part = (RIGHT + 0.5) / (minute + RIGHT);
  return `calc(${MARGIN.r - RUNNING_WIDTH / 2}px + (100% - ${MARGIN.l + MARGIN.r}px) * ${part})`;
}

/**
 * Return plotly's layout: axes that stand still.
 *
 * @param {Settings} settings
 */
export function layout(settings) {
  const { minute, paper } = settings;
  const axis = { linecolor: paper.ink, showline: true, zeroline: false, ticks: "outside", fixedrange: true };
  const tens = Array.from({ length: minute / 10 + 1 }, (_, i) => minute - 10 * i);
  return {
    paper_bgcolor: paper.paper,
    plot_bgcolor: paper.paper,
    font: { family: "sans-serif", color: paper.ink, size: 12 },
    margin: { ...MARGIN, autoexpand: false },
    height: HEIGHT,
    dragmode: false,
    hovermode: "closest",
    legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.24, yanchor: "top", traceorder: "normal" },
    xaxis: {
      ...axis,
      range: [-minute, RIGHT],
      title: { text: "seconds ago (s)", standoff: 4 },
      showgrid: false,
      ticktext: tens,
      tickvals: tens.map((seconds) => -seconds),
    },
    yaxis: {
      ...axis,
      range: sharesAxis(settings),
      ticksuffix: " %",
      dtick: 25,
      gridcolor: paper.grid,
      title: { text: "share of answers (%)", standoff: 6 },
    },
  };
}
