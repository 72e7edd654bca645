/**
 * What JupyterLab does for the workshop's notebooks: the map of the start page is drawn whenever that page
 * comes to the front, Shift+Enter on a notebook's last cell, the link to the next, leaves no empty cell, and a
 * screen reader finds plotly's pictures under their alternative text.
 *
 * Written as JupyterLab loads a built extension, so that nothing has to be built.
 */

const MAP = "map";
const NEXT = "next";

/** What a cell shows of a kernel's messages; a result has no number, since the reader did not ask for it. */
const OUTPUTS = {
  execute_result: ({ data, metadata }) => ({ output_type: "display_data", data, metadata }),
  error: (content) => ({ output_type: "error", ...content }),
};

function tagged(cell, tag) {
  return (cell.getMetadata("tags") ?? []).includes(tag);
}

function cellsOf(panel) {
  const cells = panel?.content?.model?.cells;
  return cells ? Array.from(cells) : [];
}

/** Return the kernel of a notebook, once it has one. */
async function kernelOf(context) {
  await context.ready;
  return (
    context.session?.kernel ??
    new Promise((found) => {
      context.kernelChanged.connect((_, { newValue }) => newValue && found(newValue));
    })
  );
}

/** Show in the map's cell what its code says now; the reader's place and the cell's number stay. */
async function drawMap(panel) {
  await panel?.context?.ready;
  const map = cellsOf(panel).find((cell) => tagged(cell, MAP));
  if (!map) return;
  const kernel = await kernelOf(panel.sessionContext);
  const future = kernel.requestExecute({
    code: map.sharedModel.getSource(),
    store_history: false,
  });
  const outputs = [];
  future.onIOPub = ({ header, content }) => {
    const output = OUTPUTS[header.msg_type]?.(content);
    if (output) outputs.push(output);
  };
  await future.done;
  map.outputs.fromJSON(outputs);
}

/** Take away the empty cell that JupyterLab adds behind the last one. */
function takeAway(panel) {
  const cells = cellsOf(panel);
  const [link, added] = cells.slice(-2);
  if (!added || !tagged(link, NEXT) || added.sharedModel.getSource() !== "") return;
  const { content } = panel;
  content.mode = "command"; // in edit mode the link would become text to edit
  content.activeCellIndex = cells.length - 2;
  content.model.sharedModel.deleteCell(cells.length - 1);
  content.activeCell.rendered = true;
  content.mode = "command";
}

/** Make each of plotly's pictures one image to a screen reader, named by what the figure says of itself. */
function namePictures() {
  const drawn = new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches(".js-plotly-plot, .js-plotly-plot > *"))
        namePicture(target.closest(".js-plotly-plot"));
    }
  });
  drawn.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
}

/** Name a picture, and hide its parts: Chromium shows a screen reader those of an image too. */
function namePicture(picture) {
  const alt = picture.layout?.meta?.alt;
  if (!alt) return;
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", alt);
  for (const part of picture.children) part.setAttribute("aria-hidden", "true");
}

const plugin = {
  id: "canary-kata:path",
  autoStart: true,
  activate: (app) => {
    namePictures();
    let shown = null;
    const show = (panel) => {
      if (panel !== shown) drawMap(panel);
      shown = panel;
    };
    app.shell.currentChanged?.connect((_, { newValue }) => show(newValue));
    app.restored.then(() => show(app.shell.currentWidget));
    app.commands.commandExecuted.connect((_, { id, result }) => {
      const panel = app.shell.currentWidget;
      if (id === "notebook:run-cell-and-select-next") result.finally(() => takeAway(panel));
    });
  },
};

globalThis._JUPYTERLAB ??= {};
globalThis._JUPYTERLAB["canary-kata"] = { init: () => {}, get: async () => () => plugin };
