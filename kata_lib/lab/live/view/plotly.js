// plotly.js comes from the kernel's own package, once for the page.

/** @import { Model } from "./loop.js" */
/** @import { Script } from "./protocol.js" */

/**
 * What the pictures need of plotly.js.
 *
 * @typedef {object} Plotly
 * @property {(place: HTMLElement, data: object[], layout: object, config: object) => Promise<unknown>} react
 * @property {(place: HTMLElement, frame: object, options: object) => Promise<unknown>} animate
 * @property {(place: HTMLElement) => void} purge
 */

const LATE_MS = 20_000;

const page = /** @type {{ kataPlotly: Promise<Plotly> | undefined }} */ (/** @type {unknown} */ (globalThis));

/**
 * Return the page's plotly.js; an Error where the kernel does not send it.
 *
 * @param {Model} model
 */
export function loadPlotly(model) {
  page.kataPlotly ??= fetched(model)
    .then(unpacked)
    .catch((error) => {
      page.kataPlotly = undefined; // the next view asks again
      throw error;
    });
  return page.kataPlotly;
}

/**
 * Return the script as the kernel sends it, compressed.
 *
 * @param {Model} model
 * @returns {Promise<DataView<ArrayBuffer>>}
 */
function fetched(model) {
  return new Promise((resolve, reject) => {
    /** @param {{ type: string }} message @param {DataView<ArrayBuffer>[]} buffers */
    const take = ({ type }, [script]) => {
      if (type !== "script" || !script) return;
      clearTimeout(late);
      model.off("msg:custom", take);
      resolve(script);
    };
    const late = setTimeout(() => {
      model.off("msg:custom", take);
      reject(new Error("The kernel did not send plotly.js."));
    }, LATE_MS);
    model.on("msg:custom", take);
    /** @type {Script} */
    const wanted = { type: "script" };
    model.send(wanted);
  });
}

/**
 * @param {DataView<ArrayBuffer>} script
 * @returns {Promise<Plotly>}
 */
async function unpacked(script) {
  const unzipped = new Blob([script]).stream().pipeThrough(new DecompressionStream("gzip"));
  /** @type {{ exports: any }} */
  const module = { exports: {} };
  new Function("module", "exports", await new Response(unzipped).text())(module, module.exports);
  return module.exports;
}
