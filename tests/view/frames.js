// News as the kernel sends it; a test says what is of interest to it.

/** @import { MarkedChange, LabChange, LabNews, LabWords, Second } from "../../kata_lib/lab/live/view/protocol.js" */

/** @type {LabWords} */
export const WORDS = {
  since: [
    { version: "v1", count: 9, share: 90, low: 59.6, high: 98.2 },
    { version: "v2", count: 1, share: 10, low: 1.8, high: 40.4 },
  ],
  recent: { rate: 50, failed: 0, versions: { v1: [2.5, 4, 0], v2: [3, 5, 0] } },
  last: [["v1", false, "Athos is 3 years"]],
  movable: true,
  pods: { v1: 66.7, v2: 33.3 },
  rate: 50,
  handled: 0,
  running: true,
  note: "",
};

/**
 * @param {Partial<LabChange>} change
 * @returns {LabChange}
 */
export const change = (change = {}) => ({
  number: 0,
  at: 0,
  before: null,
  after: { v1: 90, v2: 10 },
  mark: null,
  by: "elsewhere",
  seen_ms: null,
  requests: null,
  ...change,
});

/**
 * @param {number} second
 * @param {number} share of v2, in per cent
 * @param {number} answers
 * @returns {Second}
 */
export const second = (second, share = 10, answers = 50) => [
  second,
  answers,
  0,
  answers ? { v1: [100 - share, 80, 95, 0, 3, 9], v2: [share, 5, 20, 0, 4, 12] } : {},
];

/**
 * @param {Partial<LabNews>} news
 * @returns {LabNews}
 */
export const news = (news = {}) => ({ view: "lab", whole: false, now: 0, seconds: [], changes: [], ...news });
