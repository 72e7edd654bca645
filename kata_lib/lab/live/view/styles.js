// How a version looks: as in every other picture, which the kernel says.

/** @import { Settings, Style } from "./protocol.js" */

/** @typedef {(name: string) => Style} StyleOf */

/**
 * Return the function from the name of a version, or of a subset such as name-v2, to how it looks.
 *
 * @param {Settings} settings
 * @returns {StyleOf}
 */
export const stylesOf = (settings) => (name) =>
  settings.styles[name.split("-").at(-1) ?? ""] ?? settings.other;
