// Settings as the kernel sends them, of two versions.

/** @import { Settings } from "../../kata_lib/lab/live/view/protocol.js" */

/** @type {Settings} */
export const SETTINGS = {
  answer_frames: 20,
  answer_seconds: 2,
  silence_seconds: 6,
  minute: 60,
  rates: [10, 50],
  commands: ["pause", "abort"],
  top: 105,
  styles: {
    v1: { color: "#0072B2", symbol: "circle", hatch: "", dash: "dash", ink: "#ffffff" },
    v2: { color: "#D55E00", symbol: "square", hatch: "/", dash: "solid", ink: "#000000" },
  },
  other: { color: "#CC79A7", symbol: "cross", hatch: ".", dash: "longdash", ink: "#000000" },
};
