// Written by tests/unit/protocol_types.py from settings.py and protocol.py in kata_lib/lab/live.

/** How a version looks, in plotly's names; ink is what is read on its colour. */
export interface Style {
  color: string;
  symbol: string;
  hatch: string;
  dash: string;
  ink: string;
}

/** What both halves of a view must agree on; the kernel sends it once, as the widget's trait `settings`.
 * answer_frames, answer_seconds: after so many frames, or so long, the browser says what it has drawn.
 * silence_seconds: without a frame for so long the browser asks for everything, then shows the still.
 * minute: seconds that a picture shows. rates: requests a second to choose from. commands: of a release.
 * top: the percentage at the upper end of the axis of shares. */
export interface Settings {
  answer_frames: number;
  answer_seconds: number;
  silence_seconds: number;
  minute: number;
  rates: number[];
  commands: string[];
  top: number;
  styles: Record<string, Style>;
  other: Style;
}

/** The browser shows the view anew, and has nothing yet; calm: for a person who wants less motion. */
export interface Shown {
  type: "shown";
  calm: boolean;
}

/** The browser has drawn the frame of this number, and those before it. */
export interface Drawn {
  type: "drawn";
  number: number;
}

/** A person chose a version's weight; version: None for the newest. number: what `handled` returns.
 * settle: it comes from a control that may still be dragged, so it waits until no other one follows. */
export interface SetWeight {
  type: "weight";
  value: number;
  version?: string | null;
  number?: number;
  settle?: boolean;
}

/** A person stopped the traffic, or let it go on. */
export interface SetRunning {
  type: "run";
  value: boolean;
}

/** A person chose how many requests a second to send. */
export interface SetRate {
  type: "rate";
  value: number;
}

/** A person wants what was measured to be forgotten. */
export interface Clear {
  type: "clear";
}

/** A person pressed a button of a release; command: one of the settings' commands. */
export interface Decide {
  type: "do";
  command: string;
}

/** A version's second: its share of the answers with its 95 % interval, its failures, its latencies.
 * share, low, high: None where nothing was answered. failed: per cent of the version's own requests; of
 * everybody's for those that name no version. p50, p95: of its answers, None where it gave none. */
export type VersionSecond = [share: number | null, low: number | null, high: number | null, failed: number, p50: number | null, p95: number | null];

/** The requests of one second, by when they were sent; failed: per cent of all of them. */
export type Second = [second: number, answers: number, failed: number, versions: Record<string, VersionSecond>];

/** The weights that were asked for from a moment on; None where nothing asks.
 * mark: the words at the mark in the picture, None for no mark. */
export interface MarkedChange {
  number: number;
  at: number;
  before: Record<string, number> | null;
  after: Record<string, number> | null;
  mark: string | null;
}

/** A change in the live lab, and after how long and how many answers it was seen. */
export interface LabChange {
  number: number;
  at: number;
  before: Record<string, number> | null;
  after: Record<string, number> | null;
  mark: string | null;
  by: "elsewhere" | "you";
  seen_ms: number | null;
  requests: number | null;
}

/** A version's answers since the last change; share: None of no answers. */
export interface VersionShare {
  version: string;
  count: number;
  share: number | null;
  low: number;
  high: number;
}

/** A version's last ten seconds; None where nothing was answered. */
export type Latency = [p50: number | null, p95: number | null, failed: number];

/** The last ten seconds: requests a second, failures, and each version's latencies. */
export interface Recent {
  rate: number;
  failed: number;
  versions: Record<string, Latency>;
}

/** One of the last answers, in its own words. */
export type LastAnswer = [version: string, failed: boolean, text: string];

/** What stands beside the live lab's picture.
 * pods: each version's share if only the number of its pods decided. handled: the last weight's number. */
export interface LabWords {
  since: VersionShare[];
  recent: Recent;
  last: LastAnswer[];
  movable: boolean;
  pods: Record<string, number>;
  rate: number;
  handled: number;
  running: boolean;
  note: string;
}

/** What is new in the live lab; whole: everything, and what was there before is no longer. */
export interface LabNews {
  view: "lab";
  whole: boolean;
  now: number;
  seconds: Second[];
  changes: LabChange[];
  words?: LabWords | null;
}

/** The graph as SVG and in words; without a new one the note says why. */
export interface GraphNews {
  view: "graph";
  note: string;
  svg?: string;
  alt?: string;
}

/** What was counted of a version since the weight last changed; least: the good ones asked for. */
export interface Metric {
  version: string;
  metric: string;
  requests: number;
  good: number | null;
  low: number;
  high: number;
  least: number | null;
}

/** Where a release stands; step: the current one's index in steps, -1 once it is back. */
export interface Standing {
  status: string;
  phase: string;
  steps: string[];
  step: number;
  may: string[];
  metrics: Metric[];
  decisions: string[];
}

/** What stands beside a release's picture; without a standing the note says why. */
export interface ReleaseWords {
  note: string;
  standing?: Standing | null;
}

/** A release; each frame holds everything. */
export interface ReleaseNews {
  view: "release";
  whole: true;
  now: number;
  seconds: Second[];
  changes: MarkedChange[];
  words: ReleaseWords;
}

/** What the kernel sends; the browser says which number it has drawn. */
export interface Frame {
  type: "frame";
  number: number;
  news: LabNews | GraphNews | ReleaseNews;
}

export type Message = Shown | Drawn | SetWeight | SetRunning | SetRate | Clear | Decide;

export type News = LabNews | GraphNews | ReleaseNews;
